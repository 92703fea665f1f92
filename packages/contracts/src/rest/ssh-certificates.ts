import { z } from "zod";
import { time } from "./shapes.ts";

/** A certificate that the gate signed for a person's own SSH key, as its list has it. */
export const sshCertificate = z
  .object({
    serial: z.string().meta({ description: "As `ssh-keygen -L` prints it" }),
    fingerprint: z.string().meta({ description: "Of the certified key: `SHA256:…`" }),
    issuedAt: time,
    expiresAt: time.meta({ description: "It ends earlier when the session that asked for it ends" }),
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "SshCertificate" });
export type SshCertificate = z.infer<typeof sshCertificate>;

/** `POST /ssh-certificates`: the private half stays where it was made. */
export const sshCertificateAsk = z
  .strictObject({
    publicKey: z.string().min(1).max(16_384).meta({ description: "One line of a .pub file" }),
  })
  .meta({ id: "SshCertificateAsk" });
export type SshCertificateAsk = z.infer<typeof sshCertificateAsk>;

export const sshCertificateMade = sshCertificate
  .extend({
    certificate: z.string().meta({ description: "One line, as a `-cert.pub` file has it" }),
  })
  .meta({ id: "SshCertificateMade" });
export type SshCertificateMade = z.infer<typeof sshCertificateMade>;
