import assert from "node:assert/strict";
import { test } from "node:test";
import type { LabelSelector } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import type { SessionFacts } from "@gatehouse/recording";
import fc from "fast-check";
import { temporaryDirectory } from "./testing/temporary.ts";

function factsOf(change: Partial<SessionFacts> & { sessionId: string }): SessionFacts {
  return {
    startedAt: "2026-02-10T14:30:00.123Z",
    protocol: "ssh",
    kind: "shell",
    track: "terminal",
    user: { id: "u1", name: "jane" },
    login: "root",
    target: { id: "t1", name: "web-01", address: "10.0.0.1:22" },
    remoteAddress: "10.0.1.50",
    connectionId: "c1",
    gatewayId: "gateway-1",
    retentionMs: 86_400_000,
    size: { cols: 80, rows: 24 },
    ...change,
  };
}

test("a session goes from admitted to its one end", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { sessions } = directory;
  const facts = factsOf({ sessionId: "s1" });
  await sessions.insert(facts);
  const startedAtMs = Date.parse(facts.startedAt);
  assert.deepEqual(await sessions.byId("s1"), {
    facts,
    startedAtMs,
    state: "admitted",
    recordingState: "recording",
  });
  await sessions.setState("s1", "live");
  const end = {
    state: "closed" as const,
    endedAtMs: startedAtMs + 5000,
    reason: "closed",
    durationMs: 5000,
    exitStatus: 0,
    frames: 12,
    bytes: 3456,
    headSha256: "ab".repeat(32),
  };
  assert.equal(await sessions.end("s1", end), true);
  assert.equal(await sessions.end("s1", { ...end, state: "interrupted", reason: "interrupted" }), false);
  await sessions.setState("s1", "live");
  await sessions.setRecording("s1", { state: "corrupt", detail: "segment 3 is missing", bytes: 4000 });
  const { reason, ...rest } = end;
  assert.deepEqual(await sessions.byId("s1"), {
    ...rest,
    facts,
    retainUntilMs: startedAtMs + 5000 + 86_400_000,
    startedAtMs,
    endReason: reason,
    bytes: 4000,
    recordingState: "corrupt",
    recordingDetail: "segment 3 is missing",
  });
  assert.equal(await sessions.byId("none"), undefined);
  for (const change of [
    () => sessions.setState("none", "live"),
    () => sessions.end("none", end),
    () => sessions.setRecording("none", { state: "stored" }),
  ])
    await assert.rejects(change, (error) => isGatehouseError(error, "not_found"));
});

test("lists are narrowed by each filter", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { sessions } = directory;
  await sessions.insert(factsOf({ sessionId: "a", startedAt: "2026-02-10T10:00:00.000Z" }));
  await sessions.insert(
    factsOf({
      sessionId: "b",
      startedAt: "2026-02-10T11:00:00.000Z",
      kind: "exec",
      command: "Systemctl RESTART Ärger",
      user: { id: "u2", name: "john" },
    }),
  );
  await sessions.insert(
    factsOf({
      sessionId: "c",
      startedAt: "2026-02-10T12:00:00.000Z",
      protocol: "postgres",
      kind: "query",
      target: { id: "t2", name: "db_01", address: "10.0.0.2:5432" },
    }),
  );
  await sessions.setState("c", "paused");
  const ids = async (filter: Parameters<typeof sessions.list>[0]) =>
    (await sessions.list(filter)).items.map(({ facts }) => facts.sessionId);
  assert.deepEqual(await ids({}), ["c", "b", "a"]);
  assert.deepEqual(await ids({ scope: { userId: "u2", teamIds: [], targets: [] } }), ["b"]);
  assert.deepEqual(await ids({ targetId: "t1" }), ["b", "a"]);
  assert.deepEqual(await ids({ protocol: "postgres" }), ["c"]);
  assert.deepEqual(await ids({ kind: "shell" }), ["a"]);
  assert.deepEqual(await ids({ states: ["admitted", "live"] }), ["b", "a"]);
  assert.deepEqual(await ids({ states: [] }), []);
  assert.deepEqual(
    await ids({ fromMs: Date.parse("2026-02-10T11:00:00Z"), toMs: Date.parse("2026-02-10T12:00:00Z") }),
    ["b"],
  );
  assert.deepEqual(await ids({ text: "restart ärger" }), ["b"]);
  assert.deepEqual(await ids({ text: "DB_" }), ["c"]);
  assert.deepEqual(await ids({ text: "JOHN", kind: "shell" }), []);
});

test("every state of a recording is kept, found by and counted", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { sessions } = directory;
  const states = ["recording", "shipping", "stored", "interrupted", "corrupt", "expired", "held"] as const;
  for (const state of [...states, "stored"] as const) {
    const sessionId = `${state}-${(await sessions.list()).items.length}`;
    await sessions.insert(factsOf({ sessionId }));
    await sessions.setRecording(sessionId, { state });
  }
  for (const state of states) {
    const found = (await sessions.list({ recordingState: state })).items;
    assert.deepEqual([...new Set(found.map((entry) => entry.recordingState))], [state]);
  }
  assert.deepEqual(await sessions.countByRecordingState(), {
    ...Object.fromEntries(states.map((state) => [state, 1])),
    stored: 2,
  });
});

test("a scope shows one's own sessions and those of whoever is in the teams now", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { sessions, targets: kept, teams, users } = directory;
  const people: Record<string, string> = {};
  for (const name of ["lead", "member", "other"]) {
    const { id } = await users.create({ name, roles: [] });
    people[name] = id;
    await sessions.insert(factsOf({ sessionId: name, user: { id, name } }));
  }
  const [userId, member] = [people["lead"] as string, people["member"] as string];
  const team = await teams.create({ name: "web", members: [{ userId: member, leads: false }] });
  const seen = async (teamIds: string[], targets: LabelSelector[] = []) =>
    (await sessions.list({ scope: { userId, teamIds, targets } })).items
      .map(({ facts }) => facts.sessionId)
      .sort();
  assert.deepEqual(await seen([]), ["lead"]);
  assert.deepEqual(await seen([team.id]), ["lead", "member"]);
  await teams.update(team.id, { members: [] });
  assert.deepEqual(await seen([team.id]), ["lead"]);
  const { id } = await kept.create({
    name: "web-01",
    protocol: "ssh",
    host: "h",
    port: 22,
    labels: { env: "prod", tier: "web" },
    allowed: { roles: [], users: [] },
    logins: [],
    policy: {},
    hostTrust: {},
  });
  await sessions.insert(factsOf({ sessionId: "there", target: { id, name: "web-01", address: "h:22" } }));
  for (const selector of [{ "*": ["*"] }, { env: ["dev", "prod"] }, { env: ["*"], tier: ["web"] }])
    assert.deepEqual(await seen([], [selector]), ["lead", "there"], JSON.stringify(selector));
  for (const selector of [{}, { "*": ["prod"] }, { env: ["dev"] }, { env: ["prod"], tier: ["db"] }])
    assert.deepEqual(await seen([], [selector as LabelSelector]), ["lead"], JSON.stringify(selector));
});

test("pages of any size show every session once, newest first, also where moments are equal", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { sessions } = directory;
  const all: string[] = [];
  for (let n = 0; n < 23; n++) {
    const sessionId = `s${String(n).padStart(2, "0")}`;
    all.unshift(sessionId);
    await sessions.insert(
      factsOf({ sessionId, startedAt: new Date(Math.floor(n / 4) * 1000).toISOString() }),
    );
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 25 }), async (limit) => {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await sessions.list({}, after === undefined ? { limit } : { limit, after });
        assert.ok(page.items.length <= limit);
        seen.push(...page.items.map(({ facts }) => facts.sessionId));
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(seen, all);
    }),
    { numRuns: 25 },
  );
});
