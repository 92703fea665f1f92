import type { Lock } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { isBuiltIn, isNetwork, roles as builtIn } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import type { LockEntry, Locks, Roles, Users } from "../../directory/mod.ts";
import type { LockKeeper } from "../../locks/mod.ts";
import type { LocksDoor, Principal } from "../door.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

/** Locks: from the moment one is set nothing new begins that it stands against, and what is live of it ends. */
export function createLocks(options: {
  locks: Locks;
  users: Pick<Users, "byName">;
  roles: Pick<Roles, "byName">;
  keeper: Pick<LockKeeper, "enforce" | "against">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  rightsChanged(): void;
}): LocksDoor {
  const { locks, users, roles, keeper, audit, clock } = options;
  const note = (principal: Principal, event: string, lock: LockEntry, fields: Record<string, unknown> = {}) =>
    noteChange(audit, principal, event, {
      lock_id: lock.id,
      on: lock.on,
      name: lock.name,
      reason: lock.reason,
      ...fields,
    });

  /** Why it would be refused: a lock on a slip of the finger would shut nobody, and look as if it did. */
  async function faultOf(on: Lock["on"], name: string, by: Principal): Promise<string | undefined> {
    if (on === "user" && !(await users.byName(name))) return `there is nobody called ${name}`;
    if (on === "user" && name === by.subject.name) return "you would lock yourself out";
    if (on === "role" && !isBuiltIn(name) && !(await roles.byName(name)))
      return `there is no role ${name}; there are ${builtIn.join(", ")}, and your own`;
    if (on === "role" && by.subject.roles.includes(name) && by.via !== "admin-socket")
      return `you have the role ${name} yourself, and would be locked out`;
    if (on === "address" && !isNetwork(name))
      return `${name} is neither an address nor a network such as 10.0.0.0/8`;
    return undefined;
  }

  return {
    list: async () => ({ items: (await locks.inForce()).map(words) }),
    async preview(principal, { on, name }) {
      const fault = await faultOf(on, name, principal);
      if (fault !== undefined) return { sessions: 0, fault };
      return { sessions: (await keeper.against({ on, name })).length, fault: null };
    },
    async create(principal, { on, name, reason, seconds }) {
      const fault = await faultOf(on, name, principal);
      if (fault !== undefined)
        throw new GatehouseError({ code: "invalid", op: "locks.create", message: fault });
      const lock = await locks.create({
        on,
        name,
        reason,
        ...(seconds !== undefined && { untilMs: clock.nowMs() + seconds * 1000 }),
        createdBy: principal.subject.name,
      });
      options.rightsChanged();
      // Told first: what could go wrong with the end of a session must not keep the lock out of the log.
      await note(principal, "lock.created", lock, {
        ...(lock.untilMs !== undefined && { expires: isoTime(lock.untilMs) }),
      });
      const ended = await keeper.enforce(lock, {
        id: principal.subject.id,
        name: principal.subject.name,
        ...(principal.remoteAddress !== "" && { remoteAddress: principal.remoteAddress }),
      });
      return { lock: words(lock), ended: [...ended] };
    },
    async remove(principal, id) {
      const lock = found(await locks.byId(id), "lock", id);
      await locks.remove(id);
      await note(principal, "lock.deleted", lock);
    },
  };
}

function words({ createdAtMs, untilMs, ...lock }: LockEntry): Lock {
  return {
    ...lock,
    createdAt: isoTime(createdAtMs),
    until: untilMs === undefined ? null : isoTime(untilMs),
  };
}
