import { type Clock, isGatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../../../audit/mod.ts";
import type { Targets, UserKeys, Users } from "../../../directory/mod.ts";
import { fingerprint, parsePublicKeyLine } from "../keys/mod.ts";
import { storedHostTrust } from "../targets/policy.ts";
import { startDemoTarget } from "./server.ts";

const targetName = "demo";

type DemoRooms = {
  targets: Targets;
  users: Pick<Users, "byName">;
  userKeys: Pick<UserKeys, "add" | "ofUser">;
  audit: Pick<AuditLog, "append">;
};

/**
 * Starts the demo target and offers it to everybody. `keys` are public key lines of whoever runs the tour; they open it,
 * and with it the gate, as `owner`, if that person has registered no key yet.
 */
export async function offerDemo(
  options: DemoRooms & { userCa: Uint8Array; owner: string; keys: readonly string[]; clock: Clock },
): Promise<{ target: string; keys: readonly string[]; stop(): Promise<void> }> {
  const { targets, users, userKeys, audit, clock } = options;
  await withdrawDemo(options);
  const demo = await startDemoTarget({ userCaBlob: options.userCa, clock });
  const target = await targets.create({
    name: targetName,
    protocol: "ssh",
    host: demo.host,
    port: demo.port,
    labels: { purpose: "tour" },
    allowed: { roles: ["user"], users: [] },
    logins: [{ login: demo.login, kind: "user_ca" }],
    policy: {},
    hostTrust: storedHostTrust({ pinned: [demo.hostKeyBlob], authorities: [] }),
    demo: true,
  });
  await audit.append({
    event: "target.create",
    user: "system",
    success: true,
    serverId: target.id,
    fields: { name: target.name, proto: "ssh", addr: `${demo.host}:${demo.port}`, logins: [demo.login] },
  });
  const owner = await users.byName(options.owner);
  const registered: string[] = owner ? (await userKeys.ofUser(owner.id)).map((key) => key.fingerprint) : [];
  if (owner && registered.length === 0)
    for (const line of options.keys) {
      try {
        const { type, blob, comment } = parsePublicKeyLine(line);
        const key = { type, blob, comment, fingerprint: fingerprint(blob) };
        await userKeys.add({ userId: owner.id, ...key });
        registered.push(key.fingerprint);
        await audit.append({
          event: "user.key.create",
          user: "system",
          success: true,
          fields: { user_id: owner.id, name: owner.name, key_type: type, key_fingerprint: key.fingerprint },
        });
      } catch (error) {
        // A kind of key that the gate does not take, or one that is somebody's already.
        if (!isGatehouseError(error)) throw error;
      }
    }
  return { target: targetName, keys: registered, stop: () => demo.stop() };
}

/** Takes away what an earlier start offered: a gateway that was not asked for a demo has none. */
export async function withdrawDemo({ targets, audit }: Pick<DemoRooms, "targets" | "audit">): Promise<void> {
  const left = await targets.byName(targetName);
  if (!left?.demo) return;
  await targets.remove(left.id);
  await audit.append({
    event: "target.delete",
    user: "system",
    success: true,
    serverId: left.id,
    fields: { name: left.name },
  });
}
