import { type Clock, type Timer, messageOf } from "@gatehouse/kernel";
import { isShut } from "../access/mod.ts";
import { type AccessRequests, type LockEntry, type Locks, type Users, everyItem } from "../directory/mod.ts";
import type { Actor, LiveSessions, LiveView } from "../sessions/mod.ts";

export type LockKeeper = {
  /** Ends what is live here that the lock stands against. Resolves with the ids of the sessions when all were told. */
  enforce(lock: LockEntry, by: Actor): Promise<readonly string[]>;
  /** Ids of the live sessions here that such a lock would end. */
  against(lock: Pick<LockEntry, "on" | "name">): Promise<readonly string[]>;
  stop(): Promise<void>;
};

/** Other gateways set locks too, and tell nobody here. */
const lookEveryMs = 2_000;

export function createLockKeeper(options: {
  locks: Pick<Locks, "inForce">;
  users: Pick<Users, "list">;
  accessRequests: Pick<AccessRequests, "openOfRole">;
  live: Pick<LiveSessions, "terminate" | "list">;
  /** Other gateways have the same database. */
  shared: boolean;
  clock: Clock;
  log: { error(message: string, fields: Record<string, unknown>): void };
}): LockKeeper {
  const { locks, users, accessRequests, live, clock, log } = options;
  /** Ids of locks that have been enforced here. */
  let known = new Set<string>();
  let timer: Timer | undefined;
  let stopped = false;
  let looking = Promise.resolve();

  async function holdersOf(role: string): Promise<Set<string>> {
    const holders = new Set<string>();
    for await (const user of everyItem((page) => users.list({}, page)))
      if (role === "user" || user.roles.includes(role)) holders.add(user.id);
    return holders;
  }

  async function meantBy(
    lock: Pick<LockEntry, "on" | "name">,
  ): Promise<(facts: LiveView["facts"], access: LiveView["access"]) => boolean> {
    const { on, name } = lock;
    const holders = on === "role" ? await holdersOf(name) : undefined;
    // Of who has it for a time, what lives by that alone.
    const granted = new Set(on === "role" ? (await accessRequests.openOfRole(name)).map(({ id }) => id) : []);
    return ({ user, target, login, remoteAddress }, access) =>
      (access?.requestId !== undefined && granted.has(access.requestId)) ||
      isShut(lock, {
        name: user.name,
        roles: holders?.has(user.id) ? [name] : [],
        target: target.name,
        login,
        remoteAddress,
      });
  }

  async function enforce(lock: LockEntry, by: Actor): Promise<readonly string[]> {
    known.add(lock.id);
    // Asked of sessions that are being admitted at this moment too, which were allowed before the lock was there.
    const reason = `${lock.on} ${lock.name} is locked: ${lock.reason}`;
    return live.terminate(await meantBy(lock), { by, reason });
  }

  async function look(): Promise<void> {
    try {
      const inForce = await locks.inForce();
      for (const lock of inForce)
        if (!known.has(lock.id))
          // Forgotten again when it fails, so that the next look tries anew.
          await enforce(lock, { id: "system", name: lock.createdBy }).catch((error: unknown) => {
            known.delete(lock.id);
            throw error;
          });
      known = new Set(inForce.map(({ id }) => id).filter((id) => known.has(id)));
    } catch (error) {
      log.error("locks of other gateways could not be looked for", { error: messageOf(error) });
    }
    if (!stopped) timer = clock.after(lookEveryMs, lookAgain);
  }
  function lookAgain(): void {
    looking = look();
  }

  if (options.shared) lookAgain();
  return {
    enforce,
    async against(lock) {
      const isMeant = await meantBy(lock);
      return live.list().flatMap(({ facts, access }) => (isMeant(facts, access) ? [facts.sessionId] : []));
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      await looking;
    },
  };
}
