import type { LoggedEvent } from "@gatehouse/contracts";
import { canonicalJson } from "@gatehouse/contracts";
import { type Clock, GatehouseError, type Random, messageOf } from "@gatehouse/kernel";
import type { AuditRow, AuditRows } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { type ChainHead, ChainWalk, linkAfter } from "./chain.ts";
import type { AuditHistory, AuditLog, ChainVerdict } from "./door.ts";
import { anchorIn } from "./prune-anchor.ts";
import { type PreparedEvent, prepareEvent } from "./event.ts";

/** Events that wait for the database beyond this are refused: their callers fail closed rather than wait unseen. */
const waitingMax = 10_000;
const batchMax = 256;
const pageRows = 500;
const limitDefault = 50;
const limitMax = 500;

type Waiting = { event: PreparedEvent; kept: () => void; lost: (error: GatehouseError) => void };

/** The audit log in the directory's database. */
export function openAuditLog({
  rows,
  probe,
  clock,
  random,
  log,
  trustedKeys = [],
}: {
  rows: AuditRows;
  /** Ed25519 public keys of the gateways that may have removed the log's beginning. */
  trustedKeys?: readonly Uint8Array[];
  /** Throws when the database cannot be written. */
  probe: () => Promise<void>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  log: Pick<Log, "error">;
}): AuditLog & AuditHistory {
  const waiting: Waiting[] = [];
  let draining = false;

  /** One transaction for all that wait; while one is under way the next gathers. */
  async function drain(): Promise<void> {
    // What is appended in the same turn of the loop shares a commit.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      try {
        await rows.append((last) =>
          linked(
            last,
            batch.map(({ event }) => event),
          ),
        );
        for (const { kept } of batch) kept();
      } catch (error) {
        const failure = unavailable(error);
        for (const { event, lost } of batch) {
          // The log that failed cannot hold it, so whoever runs the gateway gets it here.
          log.error("an audit event could not be kept", { audit_event: event, error: failure });
          lost(failure);
        }
      }
    }
    draining = false;
  }

  async function* exportLines(filter = {}): AsyncGenerator<string> {
    for (let index = -1; ;) {
      const page = await rows.after(index, pageRows, filter);
      for (const row of page) yield `${canonicalJson(eventOf(row))}\n`;
      const last = page.at(-1);
      if (!last || page.length < pageRows) return;
      index = last.index;
    }
  }

  return {
    async append(record) {
      const event = prepareEvent(record, { nowMs: clock.nowMs(), random });
      if (waiting.length >= waitingMax) {
        const failure = unavailable(new Error(`${waitingMax} events wait for it already`));
        log.error("an audit event could not be kept", { audit_event: event, error: failure });
        throw failure;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ event, kept: resolve, lost: reject });
      if (!draining) {
        draining = true;
        void drain();
      }
      return promise;
    },
    async admissible() {
      try {
        await probe();
      } catch (error) {
        throw unavailable(error);
      }
      if (waiting.length >= waitingMax / 2)
        throw unavailable(new Error(`${waiting.length} events wait for it already`));
    },
    async list(filter = {}, { limit = limitDefault, after } = {}) {
      if (!Number.isInteger(limit) || limit < 1 || limit > limitMax)
        throw invalid(`the limit of a page is ${limit}, expected 1 to ${limitMax}`);
      if (after !== undefined && !/^\d{1,15}$/.test(after)) throw invalid("not a cursor of this list");
      const page = await rows.list(filter, {
        limit: limit + 1,
        ...(after !== undefined && { beforeIndex: Number(after) }),
      });
      const items = page.slice(0, limit).map(eventOf);
      return page.length > limit ? { items, next: String(items.at(-1)?.index) } : { items };
    },
    exportLines,
    head: () => rows.last(),
    async verify(known) {
      for (;;) {
        const begin = (await rows.after(-1, 1))[0]?.index;
        const walk = new ChainWalk(known, (event) => anchorIn(event, trustedKeys));
        for (let index = -1; ;) {
          const page = await rows.after(index, pageRows);
          for (const row of page) walk.step(row, copiesIn(row));
          const last = page.at(-1);
          if (!last || page.length < pageRows) break;
          index = last.index;
        }
        const verdict = verdictOf(walk);
        // Its beginning may have been removed meanwhile.
        if (verdict.ok || (await rows.after(-1, 1))[0]?.index === begin) return verdict;
      }
    },
  };
}

function verdictOf(walk: ChainWalk): ChainVerdict {
  walk.finish();
  const { faults, events, head } = walk;
  return { ok: faults.length === 0, events, ...(head && { head }), faults };
}

function linked(last: ChainHead | undefined, events: readonly PreparedEvent[]): AuditRow[] {
  let before = last;
  return events.map((event) => {
    const link = linkAfter(before, event);
    before = link;
    return {
      ...link,
      timeMs: Date.parse(event.time),
      event: event.event,
      code: event.code,
      user: event.user,
      serverId: event.server_id ?? null,
      sessionId: event.session_id ?? null,
      success: event.success,
    };
  });
}

/** What a row repeats of its body, under the body's names. */
function copiesIn(row: AuditRow): Record<string, unknown> {
  return {
    time: new Date(row.timeMs).toISOString(),
    event: row.event,
    code: row.code,
    user: row.user,
    server_id: row.serverId,
    session_id: row.sessionId,
    success: row.success,
  };
}

function eventOf(row: AuditRow): LoggedEvent {
  try {
    return { ...(JSON.parse(row.body) as LoggedEvent), hash: row.hash };
  } catch (cause) {
    throw new GatehouseError({
      code: "corrupt",
      op: "audit.list",
      message: `event ${row.index} of the audit log is no event any more`,
      hint: "Verify the log: it tells what was altered.",
      cause,
    });
  }
}

function unavailable(cause: unknown): GatehouseError {
  return new GatehouseError({
    code: "unavailable",
    op: "audit.append",
    message: `the audit log cannot be written: ${messageOf(cause)}`,
    cause,
  });
}

function invalid(message: string): GatehouseError {
  return new GatehouseError({ code: "invalid", op: "audit.list", message });
}
