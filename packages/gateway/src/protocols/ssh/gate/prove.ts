import type { Clock, Random } from "@gatehouse/kernel";
import type { AuditLog } from "../../../audit/door.ts";
import type { Signer } from "../keys/mod.ts";
import { type Person, type SshTarget, gateLimits } from "./door.ts";
import { TargetLink } from "./target-link.ts";

/**
 * Signs in to a target and leaves again: nothing is opened there. Rejects as a session's dial would, with `denied` where the
 * target does not take the credential or shows a key that is not trusted.
 */
export async function proveCredential(options: {
  target: Omit<SshTarget, "policy" | "access">;
  /** Who asked for it. */
  by: { person: Person; remoteAddress: string };
  userCa: Signer;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  random: Random;
}): Promise<void> {
  const { target, by, ...rest } = options;
  const link = new TargetLink({
    ...rest,
    ...by,
    target,
    limits: gateLimits,
    // A target that opens something of its own accord is answered by the end of the connection.
    events: { channel: () => link.close(), globalRequest: () => undefined, closed: () => undefined },
  });
  await link.connection();
  link.close();
}
