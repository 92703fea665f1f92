import { z } from "zod";
import { entrance } from "./connections.ts";
import { id, time } from "./shapes.ts";

/** Where the gate takes it: at its SSH port, or where clients of databases connect. */
export const certificateKinds = ["ssh", "database"] as const;

/** A certificate that the gate signed for a person's own key, as its list has it. */
export const certificate = z
  .object({
    serial: z.string().meta({ description: "Decimal, as `ssh-keygen -L` prints it" }),
    kind: z.enum(certificateKinds),
    target: z
      .object({ id, name: z.string() })
      .nullable()
      .meta({ description: "The only one that it opens; null: all that its person may open" }),
    login: z.string().nullable().meta({ description: "The only one there that it opens" }),
    fingerprint: z.string().meta({ description: "Of the certified key: `SHA256:…`" }),
    issuedAt: time,
    expiresAt: time.meta({ description: "It ends earlier when the session that asked for it ends" }),
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "Certificate" });
export type Certificate = z.infer<typeof certificate>;

/** `POST /ssh-certificates`: the private half stays where it was made. */
export const sshCertificateAsk = z
  .strictObject({
    publicKey: z.string().min(1).max(16_384).meta({ description: "One line of a .pub file" }),
  })
  .meta({ id: "SshCertificateAsk" });
export type SshCertificateAsk = z.infer<typeof sshCertificateAsk>;

export const sshCertificateMade = certificate
  .extend({
    certificate: z.string().meta({ description: "One line, as a `-cert.pub` file has it" }),
  })
  .meta({ id: "SshCertificateMade" });
export type SshCertificateMade = z.infer<typeof sshCertificateMade>;

/** `POST /targets/{id}/logins/{login}/certificate`: here too the private half stays where it was made. */
export const databaseCertificateAsk = z
  .strictObject({
    publicKey: z.string().min(1).max(16_384).meta({ description: "PEM: `BEGIN PUBLIC KEY`" }),
    everyTarget: z
      .boolean()
      .default(false)
      .meta({ description: "Whether it is good for every database and login that its person may open" }),
  })
  .meta({ id: "DatabaseCertificateAsk" });
export type DatabaseCertificateAsk = z.input<typeof databaseCertificateAsk>;

export const databaseCertificateMade = certificate
  .extend({
    certificate: z.string().meta({ description: "X.509, in PEM" }),
    entrance,
  })
  .meta({ id: "DatabaseCertificateMade" });
export type DatabaseCertificateMade = z.infer<typeof databaseCertificateMade>;
