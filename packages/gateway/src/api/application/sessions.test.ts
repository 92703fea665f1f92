import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "@gatehouse/contracts";
import { isGatehouseError } from "@gatehouse/kernel";
import type { AuditFilter, SessionEntry } from "../../directory/mod.ts";
import { createSessionCatalogue } from "./sessions.ts";

const startedAtMs = Date.parse("2026-11-22T20:14:03.000Z");
const entry = {
  facts: { sessionId: "s1", startedAt: "2026-11-22T20:14:03.000Z" },
  durationMs: 60_000,
  endedAtMs: startedAtMs + 65_000,
} as SessionEntry;
const logged = (event: string, atMs: number) =>
  ({
    index: 1,
    uid: "u",
    time: new Date(startedAtMs + atMs).toISOString(),
    event,
    code: "T2000I",
    user: "ann",
    success: true,
    hash: "00",
    session_id: "s1",
    rule: "target-allows-person",
  }) as unknown as LoggedEvent;

function catalogue(events: readonly LoggedEvent[]) {
  const filters: AuditFilter[] = [];
  const door = createSessionCatalogue({
    entries: {
      byId: (id: string) => Promise.resolve(id === "s1" ? entry : undefined),
      list: () => Promise.resolve({ items: [] }),
    },
    resources: { ofSession: () => Promise.resolve({}) },
    history: {
      list(filter = {}) {
        filters.push(filter);
        return Promise.resolve({ items: [...events] });
      },
    },
  });
  return { door, filters };
}

test("each event of a session has its moment in the recording, and none where it was before or after it", async () => {
  const { door } = catalogue([
    logged("access_request.create", -90_000),
    logged("session.start", -2),
    logged("session.join", 12_345),
    logged("session.end", 65_040),
    logged("session.recording.access", 90_000),
  ]);
  const { items, next } = await door.events("s1", { limit: 50 }, { all: true });
  assert.deepEqual(
    items.map(({ event, atUs }) => [event, atUs]),
    [
      ["access_request.create", null],
      ["session.start", 0],
      ["session.join", 12_345_000],
      ["session.end", 60_000_000],
      ["session.recording.access", null],
    ],
  );
  assert.equal(next, null);
  assert.deepEqual(items[0]?.fields, { rule: "target-allows-person" });
});

test("who does not read the audit log is told nothing of who watched the recording, whatever they name", async () => {
  const { door, filters } = catalogue([]);
  const asked = async (event?: string) => {
    await door.events("s1", { limit: 50, ...(event !== undefined && { event }) }, { all: false });
    return filters.at(-1);
  };
  const open = await asked();
  assert.equal(open?.sessionId, "s1");
  assert.equal(open?.success, true);
  assert.ok(open?.events?.includes("session.join"));
  for (const filter of [open, await asked("session."), await asked("access_request.")])
    assert.ok(filter?.events?.every((event) => !/recording|access_request/.test(event)));
  assert.deepEqual((await asked("session.recording.access"))?.events, []);
  await door.events("s1", { limit: 50, event: "session.recording.access" }, { all: true });
  assert.deepEqual(filters.at(-1)?.events, ["session.recording.access"]);
  await assert.rejects(door.events("s2", { limit: 50 }, { all: true }), (error) =>
    isGatehouseError(error, "not_found"),
  );
});
