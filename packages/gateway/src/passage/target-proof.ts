import type { CredentialWrite } from "@gatehouse/contracts/rest";
import { GatehouseError, utf8 } from "@gatehouse/kernel";
import { z } from "zod";
import { type GateCertificate, readCertificate } from "./certificate.ts";

/** What the gate proves itself to a target with inside TLS: a password, a certificate, or both where the target wants both. */
export type TargetProof = { password: string | undefined; certificate: GateCertificate | undefined };

/** A password is sealed as its text, a certificate as this in JSON. */
export type SealedProof = { kind: "key" | "password"; secret: Uint8Array };
const withCertificate = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  password: z.string().optional(),
});

/** Opens what `sealedProof` made. */
export function openProof(kind: string, text: string): TargetProof {
  if (kind === "password") return { password: text, certificate: undefined };
  const { password, ...certificate } = withCertificate.parse(JSON.parse(text));
  return { password, certificate };
}

/** Throws `invalid` for what proves nothing in TLS, such as a key without its certificate. */
export function sealedProof(credential: CredentialWrite, protocol: string): SealedProof {
  const op = `${protocol}.credential`;
  switch (credential.kind) {
    case "password":
      return { kind: "password", secret: utf8(credential.password) };
    case "private-key": {
      const { privateKey, passphrase, password } = credential;
      try {
        const sealed: z.infer<typeof withCertificate> = {
          ...readCertificate(privateKey, passphrase),
          ...(password !== undefined && { password }),
        };
        return { kind: "key", secret: utf8(JSON.stringify(sealed)) };
      } catch (cause) {
        throw new GatehouseError({
          code: "invalid",
          op,
          message: "this is no certificate with its private key",
          hint: "One file in PEM has the login's certificate, what is between it and its authority, and the key. An encrypted key needs its passphrase.",
          cause,
        });
      }
    }
    case "certificate":
    default:
      throw new GatehouseError({
        code: "invalid",
        op,
        message: `the gate's own CA is for SSH; ${protocol} takes a password, or a certificate of yours`,
      });
  }
}
