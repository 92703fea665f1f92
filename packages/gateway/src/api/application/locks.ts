import type { Lock } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { isNetwork, isShut, roles } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import type { LockEntry, Locks, Users } from "../../directory/mod.ts";
import type { LiveSessions } from "../../sessions/mod.ts";
import type { LocksDoor, Principal } from "../door.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

/** Locks: from the moment one is set nothing new begins that it stands against, and what is live of it ends. */
export function createLocks(options: {
  locks: Locks;
  users: Pick<Users, "byName" | "list">;
  live: Pick<LiveSessions, "terminate">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  rightsChanged(): void;
}): LocksDoor {
  const { locks, users, live, audit, clock } = options;
  const note = (principal: Principal, event: string, lock: LockEntry, fields: Record<string, unknown> = {}) =>
    noteChange(audit, principal, event, {
      lock_id: lock.id,
      on: lock.on,
      name: lock.name,
      reason: lock.reason,
      ...fields,
    });

  /** A lock on a slip of the finger would shut nobody, and look as if it did. */
  async function check(on: Lock["on"], name: string, by: Principal): Promise<void> {
    const wrong = (message: string) => new GatehouseError({ code: "invalid", op: "locks.create", message });
    if (on === "user" && !(await users.byName(name))) throw wrong(`there is nobody called ${name}`);
    if (on === "user" && name === by.subject.name) throw wrong("you would lock yourself out");
    if (on === "role" && !(roles as readonly string[]).includes(name))
      throw wrong(`there is no role ${name}; there are ${roles.join(", ")}`);
    if (on === "role" && by.subject.roles.includes(name) && by.via !== "admin-socket")
      throw wrong(`you have the role ${name} yourself, and would be locked out`);
    if (on === "address" && !isNetwork(name))
      throw wrong(`${name} is neither an address nor a network such as 10.0.0.0/8`);
  }

  async function holdersOf(role: string): Promise<Set<string>> {
    const holders = new Set<string>();
    let after: string | undefined;
    do {
      const page = await users.list({}, { limit: 500, ...(after !== undefined && { after }) });
      for (const user of page.items) if (role === "user" || user.roles.includes(role)) holders.add(user.id);
      after = page.next;
    } while (after !== undefined);
    return holders;
  }

  return {
    list: async () => ({ items: (await locks.inForce()).map(words) }),
    async create(principal, { on, name, reason, seconds }) {
      await check(on, name, principal);
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
      const holders = on === "role" ? await holdersOf(name) : undefined;
      const by = {
        id: principal.subject.id,
        name: principal.subject.name,
        ...(principal.remoteAddress !== "" && { remoteAddress: principal.remoteAddress }),
      };
      // Asked of sessions that are being admitted at this moment too, which were allowed before the lock was there.
      const ended = await live.terminate(
        ({ user, target, login, remoteAddress }) =>
          isShut(lock, {
            name: user.name,
            roles: holders?.has(user.id) ? [name] : [],
            target: target.name,
            login,
            remoteAddress,
          }),
        { by, reason: `${on} ${name} is locked: ${reason}` },
      );
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
