import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, TestClock } from "@gatehouse/kernel";
import { facts } from "../../../recording/src/testing/facts.ts";
import type { AccessRequest } from "../directory/mod.ts";
import type { LiveView } from "../sessions/mod.ts";
import { createExpiry } from "./expiry.ts";

const minuteMs = 60_000;

/** One approved request of ten minutes, with a session that lives by it. */
function stand(atExpiry: AccessRequest["atExpiry"]) {
  const clock = new TestClock();
  const request: AccessRequest = {
    id: "request-1",
    user: { id: "ann", name: "ann" },
    wanted: { kind: "target", targetId: "t1", targetName: "db-01", logins: ["root"] },
    reason: "INC-42",
    durationMs: 10 * minuteMs,
    approvals: 1,
    atExpiry,
    state: "approved",
    createdAtMs: clock.nowMs(),
    endsAtMs: clock.nowMs() + 10 * minuteMs,
    reviews: [],
  };
  const view: LiveView = {
    facts,
    access: { rule: "approved-request", requestId: request.id, untilMs: request.endsAtMs },
    state: "live",
    participants: [],
    waiting: [],
    lastActivityMs: clock.nowMs(),
  };
  const said: string[] = [];
  const ended: string[] = [];
  const events: string[] = [];
  const database = { away: false };
  const ask = <T>(answer: () => T): Promise<T> =>
    database.away
      ? Promise.reject(new GatehouseError({ code: "unavailable", op: "test", message: "it is away" }))
      : Promise.resolve(answer());
  const expiry = createExpiry({
    requests: {
      byId: () => ask(() => ({ ...request })),
      due: (beforeMs) =>
        ask(() => {
          const open = request.state === "approved" ? [{ ...request }] : [];
          const over = open.filter(({ endsAtMs }) => endsAtMs <= beforeMs);
          return { over, nextMs: over.length > 0 ? undefined : open[0]?.endsAtMs };
        }),
      move: (_id, from, to) =>
        ask(() => {
          if (!from.includes(request.state)) return false;
          request.state = to;
          return true;
        }),
    },
    live: {
      list: () => (ended.length > 0 ? [] : [view]),
      terminate: async (which, { reason }) => {
        ended.push(`${which as string}: ${reason}`);
        return [which as string];
      },
      notify: (_id, line) => void said.push(line),
    },
    audit: {
      append: async ({ event, fields }) => void events.push(`${event} ${String(fields?.["request_id"])}`),
    },
    clock,
    log: { error: () => undefined },
  });
  /** Time passes a second at a time, and whatever it sets going is done. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(Math.min(1000, left));
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  };
  return { expiry, request, said, ended, events, database, pass, sessionId: facts.sessionId };
}

test("access ends at its moment, with its session, after a warning, and is written down once", async () => {
  const at = stand("end");
  await at.pass(4 * minuteMs);
  assert.deepEqual([at.said, at.ended], [[], []]);
  await at.pass(minuteMs + 6000);
  assert.equal(at.said.length, 1);
  assert.match(at.said[0] ?? "", /ends at \d\d:\d\d:\d\d UTC, and the session with it/);
  await at.pass(4 * minuteMs);
  assert.deepEqual(at.ended, []);
  await at.pass(minuteMs);
  assert.deepEqual(at.ended, [`${at.sessionId}: the access that was approved for it has ended`]);
  assert.deepEqual(at.events, ["access_request.expire request-1"]);
  assert.equal(at.request.state, "expired");
  await at.expiry.stop();
});

test("where the policy only warns, the session goes on and is told", async () => {
  const at = stand("warn");
  await at.pass(12 * minuteMs);
  assert.deepEqual(at.ended, []);
  assert.match(at.said.at(-1) ?? "", /has ended; you may finish/);
  assert.equal(at.said.length, 2);
  await at.expiry.stop();
});

test("what was taken back ends its session at once", async () => {
  const at = stand("warn");
  await at.pass(minuteMs);
  at.request.state = "cancelled";
  at.expiry.look();
  await at.pass(1000);
  assert.equal(at.ended.length, 1);
  await at.expiry.stop();
});

test("a database that is away lets no approved access live on", async () => {
  const at = stand("end");
  await at.pass(9 * minuteMs);
  at.database.away = true;
  await at.pass(2 * minuteMs);
  assert.equal(at.ended.length, 1);
  assert.deepEqual(at.events, []);
  at.database.away = false;
  await at.pass(5000);
  assert.deepEqual(at.events, ["access_request.expire request-1"], "it is written down when it can be");
  await at.expiry.stop();
});
