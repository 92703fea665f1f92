import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import type { Action, Decision, Question, Resource, Subject } from "../access/mod.ts";
import type { SessionEntries, SessionEntry } from "../directory/mod.ts";

/** Rights that are used for longer than a moment: asked for again at intervals, and at once when they may be others now. */
export type LastingRights = {
  /** Asks until `gone` aborts or the right has ended. A right that cannot be known has ended. */
  watch(use: {
    sessionId: string;
    /** All of them. */
    actions: readonly Action[];
    remoteAddress: string;
    /** The person as they are now. */
    renew: () => Promise<Subject | undefined>;
    gone: AbortSignal;
    /** What is said to whom it was taken from. */
    lost: string;
  }): LastingRight;
  /** Somebody's rights may be others now: every use is asked about again, at once. */
  changed(): void;
};

export type LastingRight = {
  /** Aborted when the right has ended, or nobody uses it any longer. */
  readonly signal: AbortSignal;
  /** Throws `denied` when the right has ended. */
  require(): void;
  end(): void;
};

/** How long a right that ended elsewhere, on another gateway or by its own time, is used on at most. */
const renewEveryMs = 5_000;

export function createLastingRights({
  sessions,
  resourceOf,
  decide,
  clock,
  log,
}: {
  sessions: Pick<SessionEntries, "byId">;
  resourceOf(session: SessionEntry): Promise<Resource>;
  decide(question: Question): Decision;
  clock: Clock;
  log: { warn(message: string, fields: Record<string, string | number>): void };
}): LastingRights {
  type Use = Parameters<LastingRights["watch"]>[0];
  /** Of every use: asks again. */
  const checks = new Set<() => void>();

  async function stillMay({ sessionId, actions, remoteAddress, renew, lost }: Use): Promise<void> {
    let subject: Subject | undefined;
    let entry: SessionEntry | undefined;
    let resource: Resource;
    try {
      [subject, entry] = await Promise.all([renew(), sessions.byId(sessionId)]);
      if (!subject || !entry) throw denied("you are not signed in any longer");
      resource = await resourceOf(entry);
    } catch (error) {
      if (error instanceof GatehouseError && error.code === "denied") throw error;
      log.warn("somebody who looks on at a session was let go, because their rights cannot be known", {
        session: sessionId,
        error: messageOf(error),
      });
      throw denied("it cannot be known now whether you may still look on");
    }
    for (const action of actions)
      if (!decide({ subject, action, resource, context: { remoteAddress } }).allowed) throw denied(lost);
  }

  return {
    watch(use) {
      const over = new AbortController();
      const state: { refusal?: unknown } = {};
      const check = () =>
        stillMay(use).catch((error: unknown) => {
          state.refusal = error;
          over.abort();
        });
      const onCheck = () => void check();
      let timer = clock.after(renewEveryMs, again);
      function again() {
        void check().then(() => {
          if (!over.signal.aborted) timer = clock.after(renewEveryMs, again);
        });
      }
      checks.add(onCheck);
      over.signal.addEventListener("abort", () => {
        timer.cancel();
        checks.delete(onCheck);
      });
      if (use.gone.aborted) over.abort();
      else use.gone.addEventListener("abort", () => over.abort(), { once: true });
      return {
        signal: over.signal,
        require() {
          if (state.refusal !== undefined) throw state.refusal;
        },
        end: () => over.abort(),
      };
    },
    changed() {
      for (const check of checks) check();
    },
  };
}

function denied(message: string): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "session.look",
    message,
    hint: "Ask an administrator for a role that allows it.",
  });
}
