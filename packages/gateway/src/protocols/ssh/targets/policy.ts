import { fromBase64, toBase64 } from "@gatehouse/kernel";
import { z } from "zod";
import type { JsonObject } from "../../../directory/mod.ts";
import { readStored } from "../../../passage/mod.ts";
import type { HostTrust } from "../keys/mod.ts";

/** What sessions on an SSH target may do beyond a shell, as the directory keeps it. What is absent is refused. */
const policySchema = z.strictObject({
  localForward: z.boolean().default(false),
  remoteForward: z.boolean().default(false),
  agentForward: z.boolean().default(false),
  x11Forward: z.boolean().default(false),
  /** Names, or beginnings that end in `*`; absent is the gateway's own list. */
  env: z.array(z.string().max(128)).max(64).optional(),
});
export type SshPolicy = z.output<typeof policySchema>;

const trustSchema = z.strictObject({
  /** Base64 of the wire blobs. */
  pinned: z.array(z.base64().max(90_000)).max(32).default([]),
  authorities: z.array(z.base64().max(90_000)).max(32).default([]),
});

/** The policy of a stored target. A row that does not fit allows nothing, and says so. */
export function sshPolicy(stored: JsonObject): SshPolicy {
  return readStored(policySchema, stored, { op: "ssh.target", what: "policy", command: "targets permit" });
}

export function sshHostTrust(stored: JsonObject): HostTrust {
  const { pinned, authorities } = readStored(trustSchema, stored, {
    op: "ssh.target",
    what: "host trust",
    command: "targets trust",
  });
  return { pinned: pinned.map(fromBase64), authorities: authorities.map(fromBase64) };
}

export function storedHostTrust(trust: HostTrust): JsonObject {
  return { pinned: trust.pinned.map(toBase64), authorities: trust.authorities.map(toBase64) };
}
