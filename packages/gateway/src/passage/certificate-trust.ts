import { X509Certificate } from "node:crypto";
import { GatehouseError } from "@gatehouse/kernel";
import { z } from "zod";
import type { JsonObject } from "../directory/mod.ts";
import { readStored } from "./read-stored.ts";

/** How a target proves itself: certificates that must be the server's own, or authorities that must have signed it. PEM. */
export type CertificateTrust = {
  readonly pinned: readonly string[];
  readonly authorities: readonly string[];
  /** What becomes of a server that nobody has vouched for: refused, but for a look at what it shows. */
  readonly none: "refuse" | "accept";
};

const pem = z.string().max(90_000);
const stored = z.strictObject({
  pinned: z.array(pem).max(32).default([]),
  authorities: z.array(pem).max(32).default([]),
});

export function certificateTrust(row: JsonObject): CertificateTrust {
  const trust = readStored(stored, row, { op: "target.trust", what: "trust", command: "targets trust" });
  return { ...trust, none: "refuse" };
}

/** One PEM certificate as it is kept. Throws `invalid`. */
export function certificateFrom(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new GatehouseError({
      code: "invalid",
      op: "target.trust",
      message: "this is no certificate in PEM",
      cause,
    });
  }
}
