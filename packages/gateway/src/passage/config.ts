import { z } from "zod";
import { duration, section } from "../config/mod.ts";

/** Of certificates that the gate makes for people, whatever they come to with them. */
export const certificateKeys = {
  lifetime: duration({ min: "1m", max: "30d" })
    .prefault("12h")
    .describe("How long a certificate is good at most; it ends with the session that asked for it."),
  bind_address: z
    .boolean()
    .default(false)
    .describe("Whether a certificate is good only from the address that asked for it."),
};

/** The `client_certificates` section of the configuration. */
export const clientCertificatesSection = section(
  certificateKeys,
  "Certificates that people come to databases with, made by `gatehouse db login --certificate`.",
);
