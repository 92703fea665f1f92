import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import type { SessionFacts } from "@gatehouse/recording";
import { type SessionsRoom, createSessions } from "./lifecycle.ts";
import type { SessionEnding } from "./session.ts";
import { Neighbours, request } from "./testing/neighbours.ts";

describe("a session", () => {
  let world: Neighbours;
  let sessions: SessionsRoom;
  beforeEach(() => {
    world = new Neighbours();
    sessions = createSessions(world.options());
  });

  test("is admitted, records, ends, and leaves its row and its events", async () => {
    const session = await sessions.admit(request);
    assert.equal(sessions.liveCount, 1);
    await session.record("output", 0, utf8("hello"));
    world.clock.advance(1_500);
    await session.end({ reason: "closed", exitStatus: 3 });
    assert.deepEqual(world.frames, [
      "output hello",
      'session.end {"reason":"closed","exitStatus":3}',
      "sealed closed",
    ]);
    assert.deepEqual(world.told(), ["session.start ok", "session.end ok closed"]);
    const end = world.events[1];
    assert.equal(end?.fields?.["duration_ms"], 1500);
    assert.equal(end?.fields?.["exit_status"], 3);
    assert.equal(end?.fields?.["head_sha256"], "ab");
    assert.equal(end?.sessionId, session.id);
    const row = world.rows.get(session.id);
    assert.equal(row?.state, "closed");
    assert.equal(row?.durationMs, 1500);
    assert.equal(sessions.liveCount, 0);
    await assert.rejects(session.record("output", 0, utf8("late")), (e) =>
      isGatehouseError(e, "recording_unavailable"),
    );
    assert.equal(world.frames.length, 3);
  });

  for (const part of ["rows", "open"] as const)
    test(`is refused before anything is opened when ${part} fails`, async () => {
      world.failing.add(part);
      await assert.rejects(sessions.admit(request), (error) => {
        assert.ok(isGatehouseError(error, "recording_unavailable"));
        assert.match(error.message, new RegExp(`${part} is down`));
        return true;
      });
      assert.equal(sessions.liveCount, 0);
      assert.deepEqual(world.frames, []);
      assert.deepEqual(
        world.events.map(({ event, success }) => [event, success]),
        [["session.rejected", false]],
      );
    });

  test("whose start cannot be audited is refused, and the operational log is the witness", async () => {
    world.failing.add("audit");
    await assert.rejects(sessions.admit(request), (error) =>
      isGatehouseError(error, "recording_unavailable"),
    );
    assert.deepEqual(world.frames, ["sealed failed"]);
    assert.deepEqual(world.logged, ["session.rejected"]);
    assert.equal([...world.rows.values()][0]?.state, "closed");
  });

  test("that idles is told, and cut off when it does not go", async () => {
    const session = await sessions.admit(request);
    const endings: SessionEnding[] = [];
    session.onEnding((ending) => endings.push(ending));
    world.clock.advance(599_000);
    await session.record("input", 0, utf8("x"));
    await session.record("resize", 0, utf8("{}"));
    world.clock.advance(599_000);
    assert.equal(endings.length, 0);
    assert.equal(session.inputAllowed(), true);
    world.clock.advance(1_000);
    assert.deepEqual(
      endings.map((ending) => ending.reason),
      ["idle_timeout"],
    );
    assert.equal(session.inputAllowed(), false);
    // What is on its way out may still be recorded and shown.
    await session.record("notice", 0, utf8("bye"));
    world.clock.advance(5_000);
    await session.end({ reason: "closed" });
    assert.equal(world.told().at(-1), "session.end ok idle_timeout");
    assert.deepEqual(world.frames.slice(-2), [
      'session.end {"reason":"idle_timeout"}',
      "sealed idle_timeout",
    ]);
  });

  test("that is busy ends at its maximum time all the same", async () => {
    const session = await sessions.admit(request);
    const reasons: string[] = [];
    session.onEnding((ending) => reasons.push(ending.reason));
    for (let i = 0; i < 60; i++) {
      world.clock.advance(60_000);
      await session.record("output", 0, utf8("."));
    }
    assert.deepEqual(reasons, ["max_duration"]);
  });

  test("whose recording is lost stops input at once and ends with that reason", async () => {
    const session = await sessions.admit(request);
    const endings: SessionEnding[] = [];
    session.onEnding((ending) => endings.push(ending));
    world.failing.add("append");
    await assert.rejects(session.record("output", 0, utf8("x")), (e) =>
      isGatehouseError(e, "recording_unavailable"),
    );
    assert.equal(session.inputAllowed(), false);
    assert.equal(endings[0]?.reason, "recording_unavailable");
    assert.match(endings[0]?.message ?? "", /append is down/);
    await session.end({ reason: "closed" });
    assert.equal(world.told().at(-1), "session.end ok recording_unavailable");
    assert.equal(world.rows.get(session.id)?.recordingState, "interrupted");
  });

  test("told to end before its engine listens is told when it does", async () => {
    const session = await sessions.admit(request);
    const stopped = sessions.stop();
    const reasons: string[] = [];
    session.onEnding((ending) => {
      reasons.push(ending.reason);
      void session.end({ reason: "closed" });
    });
    await stopped;
    assert.deepEqual(reasons, ["gateway_stopped"]);
    await assert.rejects(sessions.admit(request), (error) =>
      isGatehouseError(error, "recording_unavailable"),
    );
  });

  test("that a crash cut off is closed at the next start, once", async () => {
    const facts: SessionFacts = {
      ...request,
      sessionId: "s9",
      startedAt: "2026-02-10T14:00:00.000Z",
      gatewayId: "gateway-1",
    };
    world.left = [{ facts, frames: 4, bytes: 99, headSha256: "cd", lastTimeUs: 2_000_000 }];
    const lone: SessionFacts = { ...facts, sessionId: "s8" };
    await world.options().rows.insert(lone);
    assert.equal(await sessions.recover(), 2);
    assert.deepEqual(world.confirmed, ["s9"]);
    assert.deepEqual(world.told(), ["session.end ok interrupted", "session.end ok interrupted"]);
    assert.equal(world.events[0]?.fields?.["session_stop"], "2026-02-10T14:00:02.000Z");
    assert.equal(world.events[0]?.fields?.["head_sha256"], "cd");
    assert.deepEqual(
      [...world.rows.values()].map((row) => [row.facts.sessionId, row.state, row.endReason]),
      [
        ["s8", "interrupted", "interrupted"],
        ["s9", "interrupted", "interrupted"],
      ],
    );
    // Killed before it could confirm: the same again, and no second event.
    world.events = [];
    assert.equal(await sessions.recover(), 1);
    assert.deepEqual(world.told(), []);
  });

  test("of another gateway is left alone at the start, where both have the same table", async () => {
    const facts: SessionFacts = {
      ...request,
      sessionId: "s1",
      startedAt: "2026-02-10T14:00:00.000Z",
      gatewayId: "gateway-2",
    };
    await world.options().rows.insert(facts);
    await world.options().rows.insert({ ...facts, sessionId: "s2", gatewayId: "gateway-1" });
    const sharing = createSessions({ ...world.options(), sharesRows: true });
    assert.equal(await sharing.recover(), 1);
    assert.deepEqual(
      [...world.rows.values()].map((row) => row.state),
      ["admitted", "interrupted"],
    );
  });

  test("writes session.upload when its recording is stored and verified, not before", async () => {
    const session = await sessions.admit(request);
    await session.end({ reason: "closed" });
    world.notify({ sessionId: session.id, state: "shipping" });
    await Promise.resolve();
    assert.equal(world.told().includes("session.upload ok"), false);
    const rowSaid = new Promise((resolve) => {
      sessions.onStored(() => resolve(world.rows.get(session.id)?.recordingState));
    });
    world.notify({ sessionId: session.id, state: "stored", headSha256: "ab", frames: 3, bytes: 10 });
    assert.equal(await rowSaid, "stored", "who hears of it finds it in the table");
    await new Promise(setImmediate);
    const upload = world.events.at(-1);
    assert.equal(upload?.event, "session.upload");
    assert.deepEqual(upload?.fields, { head_sha256: "ab", frames: 3, bytes: 10 });
    assert.equal(world.rows.get(session.id)?.recordingState, "stored");
  });

  test("has its recording's states in their order, though one takes longer to be written than the next", async () => {
    const session = await sessions.admit(request);
    await session.end({ reason: "closed" });
    const written = Promise.withResolvers<void>();
    world.slow.set("shipping", written.promise);
    const stored = new Promise<void>((resolve) => sessions.onStored(resolve));
    world.notify({ sessionId: session.id, state: "shipping" });
    world.notify({ sessionId: session.id, state: "stored", headSha256: "ab", frames: 3, bytes: 10 });
    await new Promise(setImmediate);
    written.resolve();
    await stored;
    await new Promise(setImmediate);
    assert.equal(world.rows.get(session.id)?.recordingState, "stored");
  });
});
