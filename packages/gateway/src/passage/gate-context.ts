import { createHash } from "node:crypto";
import { type SecureContext, createSecureContext } from "node:tls";
import type { GateCertificate } from "./certificate.ts";
import type { DatabasePeople } from "./people.ts";

/** TLS of a port for clients of databases: its own certificate, and whose certificates it asks clients for. */
export function gateContext(
  { certificate, key }: GateCertificate,
  { authority }: Pick<DatabasePeople, "authority">,
): SecureContext {
  return createSecureContext({
    cert: certificate,
    key,
    ca: authority,
    minVersion: "TLSv1.2",
    // OpenSSL refuses to resume a session of a server that asks for certificates and has no name for its sessions.
    sessionIdContext: createHash("sha256").update(authority).digest("hex").slice(0, 32),
  });
}
