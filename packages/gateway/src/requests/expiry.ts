import { type Clock, type Timer, messageOf } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { AccessRequests } from "../directory/mod.ts";
import type { LiveSessions, LiveView } from "../sessions/mod.ts";
import { requestFields, targetIn } from "./requests.ts";

export type Expiry = {
  /** Something was asked for, decided or taken back: looks again. */
  look(): void;
  stop(): Promise<void>;
};

/** Told to who lives by it, so long before it ends. */
const warnBeforeMs = 5 * 60_000;
/** Other gateways decide too, and tell nobody here. */
const lookEveryMs = 5_000;
const over = "the access that was approved for it has ended";
const gate = { id: "system", name: "system" };

/**
 * Lets what was approved end by itself: the request in the database, once for all gateways that share it, and the sessions of
 * this gateway that live by it, after a warning.
 */
export function createExpiry(options: {
  requests: Pick<AccessRequests, "due" | "move" | "byId">;
  live: Pick<LiveSessions, "list" | "terminate" | "notify">;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  log: { error(message: string, fields: Record<string, unknown>): void };
}): Expiry {
  const { requests, live, audit, clock, log } = options;
  /** Sessions that were told, by what. */
  const told = new Map<string, "warned" | "over">();
  let timer: Timer | undefined;
  let stopped = false;
  let looking = Promise.resolve();

  async function expireRequests(): Promise<number | undefined> {
    const { over, nextMs } = await requests.due(clock.nowMs());
    for (const request of over) {
      if (!(await requests.move(request.id, [request.state], "expired"))) continue;
      await audit.append({
        event: "access_request.expire",
        user: "system",
        success: true,
        ...targetIn(request.wanted),
        fields: { ...requestFields(request), state: request.state },
      });
    }
    return nextMs;
  }

  /** Resolves with the moment at which there is something to do about it again. */
  async function lookAtSession({ facts, access }: LiveView): Promise<number | undefined> {
    if (access?.requestId === undefined) return undefined;
    const { sessionId } = facts;
    const request = await requests.byId(access.requestId);
    const nowMs = clock.nowMs();
    const endsAtMs = Math.min(request?.endsAtMs ?? 0, access.untilMs ?? Infinity);
    if (request?.state === "approved" && endsAtMs > nowMs) {
      const warnAtMs = endsAtMs - warnBeforeMs;
      if (nowMs < warnAtMs) return warnAtMs;
      if (!told.has(sessionId)) {
        told.set(sessionId, "warned");
        const at = new Date(endsAtMs).toISOString().slice(11, 19);
        live.notify(
          sessionId,
          request.atExpiry === "end"
            ? `the access that was approved for this session ends at ${at} UTC, and the session with it`
            : `the access that was approved for this session ends at ${at} UTC; you may finish`,
        );
      }
      return endsAtMs;
    }
    if (told.get(sessionId) === "over") return undefined;
    told.set(sessionId, "over");
    // What was taken back or denied is over at once, whatever was agreed about its end.
    const hasEnded = request?.state === "approved" || request?.state === "expired";
    if (hasEnded && request.atExpiry === "warn")
      live.notify(sessionId, "the access that was approved for this session has ended; you may finish");
    else await live.terminate(sessionId, { by: gate, reason: over });
    return undefined;
  }

  /** The database does not answer: what this gateway knows itself is enough to end what is over. */
  async function lookAlone({ facts, access }: LiveView): Promise<void> {
    if (access?.untilMs === undefined || access.untilMs > clock.nowMs()) return;
    if (told.get(facts.sessionId) === "over") return;
    told.set(facts.sessionId, "over");
    await live.terminate(facts.sessionId, { by: gate, reason: over });
  }

  async function lookNow(): Promise<void> {
    let nextMs = clock.nowMs() + lookEveryMs;
    const soon = (error: unknown) => {
      log.error("ended access could not be looked for", { error: messageOf(error) });
      nextMs = Math.min(nextMs, clock.nowMs() + 1000);
    };
    const dueMs = await expireRequests().catch(soon);
    nextMs = Math.min(nextMs, dueMs ?? nextMs);
    const views = live.list();
    for (const view of views)
      try {
        nextMs = Math.min(nextMs, (await lookAtSession(view)) ?? nextMs);
      } catch (error) {
        soon(error);
        await lookAlone(view).catch(soon);
      }
    const ids = new Set(views.map(({ facts }) => facts.sessionId));
    for (const id of told.keys()) if (!ids.has(id)) told.delete(id);
    if (stopped) return;
    timer?.cancel();
    timer = clock.after(Math.max(0, nextMs - clock.nowMs()), look);
  }
  function look(): void {
    looking = looking.then(() => (stopped ? undefined : lookNow()));
  }

  look();
  return {
    look,
    async stop() {
      stopped = true;
      timer?.cancel();
      await looking;
    },
  };
}
