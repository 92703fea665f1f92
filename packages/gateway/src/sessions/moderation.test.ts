import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import { type SessionsRoom, createSessions } from "./lifecycle.ts";
import type { Session, SessionEnding } from "./session.ts";
import { Neighbours, request } from "./testing/neighbours.ts";

const eve = { id: "u9", name: "eve@example.com", remoteAddress: "10.0.2.7" };
const user = '"user":{"id":"u9","name":"eve@example.com"}';
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** An engine that shows what it is told, and goes when it must. */
function engine(session: Session): { shown: string[]; endings: SessionEnding[] } {
  const shown: string[] = [];
  const endings: SessionEnding[] = [];
  session.onNotice(({ about, text }) => shown.push(`${about}: ${text}`));
  session.onEnding((ending) => {
    endings.push(ending);
    shown.push(`end: ${ending.message}`);
    void session.end({ reason: "closed", detail: "the engine's own words" });
  });
  return { shown, endings };
}

describe("a live session", () => {
  let world: Neighbours;
  let sessions: SessionsRoom;
  let session: Session;
  beforeEach(async () => {
    world = new Neighbours();
    sessions = createSessions(world.options());
    session = await sessions.admit(request);
  });

  test("is listed with its facts and state until it has ended", async () => {
    const other = await sessions.admit({ ...request, user: { id: "u2", name: "bob@example.com" } });
    world.clock.advance(4_000);
    await session.record("output", 0, utf8("x"));
    assert.deepEqual(
      sessions.live
        .list()
        .map(({ facts, state, lastActivityMs }) => [
          facts.sessionId,
          state,
          world.clock.nowMs() - lastActivityMs,
        ]),
      [
        [session.id, "live", 0],
        [other.id, "live", 4000],
      ],
    );
    await other.end({ reason: "closed" });
    assert.equal(sessions.live.get(other.id), undefined);
    await assert.rejects(sessions.live.pause(other.id, { by: eve, reason: "late" }), { code: "not_found" });
    assert.equal(sessions.live.list().length, 1);
  });

  test("that is paused takes no input until it is resumed, and both are on record before any input after", async () => {
    const { shown } = engine(session);
    const paused = await sessions.live.pause(session.id, { by: eve, reason: "what is this?" });
    assert.equal(session.inputAllowed(), false);
    assert.deepEqual(
      [paused.state, paused.paused?.by, paused.paused?.reason],
      ["paused", { id: "u9", name: "eve@example.com" }, "what is this?"],
    );
    assert.equal(world.rows.get(session.id)?.state, "paused");
    await assert.rejects(sessions.live.pause(session.id, { by: eve, reason: "again" }), { code: "conflict" });
    // Output goes on; what is typed is counted, and told of now and then.
    await session.record("output", 0, utf8("still here"));
    for (let i = 0; i < 12; i++) {
      session.inputDiscarded(1);
      world.clock.advance(1_000);
    }
    assert.equal(sessions.live.get(session.id)?.paused?.discardedBytes, 12);
    const resumed = await sessions.live.resume(session.id, { by: eve, reason: "explained" });
    assert.equal(resumed.state, "live");
    assert.equal(session.inputAllowed(), true);
    assert.equal(world.rows.get(session.id)?.state, "live");
    await session.record("input", 0, utf8("id"));
    assert.deepEqual(world.frames, [
      `pause {"limitMs":1800000,"reason":"what is this?",${user}}`,
      "output still here",
      `resume {"discardedBytes":12,"reason":"explained",${user}}`,
      "input id",
    ]);
    const dropped = "pause: input is paused, and what you typed was dropped";
    assert.deepEqual(shown, [
      "pause: eve@example.com has paused your input (what is this?); nothing that you send passes until it goes on",
      dropped,
      dropped,
      dropped,
      "pause: your input passes again",
    ]);
    assert.deepEqual(world.told(), [
      "session.start ok",
      "session.pause ok what is this?",
      "session.resume ok explained",
    ]);
    const [, pause, resume] = world.events;
    assert.deepEqual(
      [pause?.user, pause?.remoteAddress, pause?.fields?.["owner"]],
      [eve.name, eve.remoteAddress, "ann@example.com"],
    );
    assert.deepEqual([resume?.fields?.["discarded_bytes"], resume?.fields?.["paused_by"]], [12, eve.name]);
    await assert.rejects(sessions.live.resume(session.id, { by: eve }), { code: "conflict" });
    assert.equal(world.events.length, 3, "what did not happen has no event");
  });

  test("stays paused when the log does not take the event, and is not resumed without one", async () => {
    world.failing.add("audit");
    await assert.rejects(sessions.live.pause(session.id, { by: eve, reason: "r" }), { code: "unavailable" });
    assert.equal(session.inputAllowed(), false);
    await assert.rejects(sessions.live.resume(session.id, { by: eve }), { code: "unavailable" });
    assert.equal(session.inputAllowed(), false);
    world.failing.clear();
    await sessions.live.resume(session.id, { by: eve });
    assert.equal(session.inputAllowed(), true);
  });

  test("lets requests wait: until it is resumed, until their limit, or until it ends", async () => {
    assert.equal(await session.whenInputAllowed(), "allowed");
    await sessions.live.pause(session.id, { by: eve, reason: "r" });
    const states: string[] = [];
    const note = (name: string) => (state: string) => void states.push(`${name} ${state}`);
    void session.whenInputAllowed().then(note("operator's limit"));
    void session.whenInputAllowed(90_000).then(note("own limit"));
    void session.whenInputAllowed(Infinity).then(note("no limit"));
    world.clock.advance(59_999);
    await settled();
    assert.deepEqual(states, []);
    world.clock.advance(1);
    await settled();
    assert.deepEqual(states, ["operator's limit paused"]);
    await sessions.live.resume(session.id, { by: eve });
    await settled();
    assert.deepEqual(states.slice(1), ["own limit allowed", "no limit allowed"]);
    await sessions.live.pause(session.id, { by: eve, reason: "r" });
    void session.whenInputAllowed(Infinity).then(note("last"));
    await sessions.live.terminate(session.id, { by: eve, reason: "enough" });
    await settled();
    assert.deepEqual(states.slice(3), ["last ending"]);
    assert.equal(await session.whenInputAllowed(), "ending");
  });

  test("is resumed by the gateway when the pause has lasted long enough, or sooner where that was asked", async () => {
    const { shown } = engine(session);
    const { paused } = await sessions.live.pause(session.id, { by: eve, reason: "coffee", limitMs: 60_000 });
    assert.equal(paused?.untilMs, world.clock.nowMs() + 60_000);
    world.clock.advance(59_999);
    assert.equal(session.inputAllowed(), false);
    world.clock.advance(1);
    await settled();
    assert.equal(session.inputAllowed(), true);
    assert.equal(
      world.told().at(-1),
      "session.resume ok nobody resumed it; eve@example.com had paused it (coffee)",
    );
    assert.equal(world.events.at(-1)?.user, "system");
    assert.equal(shown.at(-1), "pause: your input passes again");
    // One that was resumed by hand leaves no timer behind that would end the next.
    await sessions.live.pause(session.id, { by: eve, reason: "one" });
    await sessions.live.resume(session.id, { by: eve });
    world.clock.advance(1_000);
    await sessions.live.pause(session.id, { by: eve, reason: "two", limitMs: 9_999_999_999 });
    world.clock.advance(1_799_999);
    await settled();
    assert.equal(
      session.inputAllowed(),
      false,
      "the gateway's limit counts from this pause, and is the longest",
    );
    world.clock.advance(1);
    await settled();
    assert.equal(session.inputAllowed(), true);
  });

  test("is ended when a pause has lasted long enough, where the operator wants that", async () => {
    world.rules.pauseEnds = "terminate";
    sessions = createSessions(world.options());
    const strict = await sessions.admit(request);
    const { endings } = engine(strict);
    await sessions.live.pause(strict.id, { by: eve, reason: "coffee" });
    world.clock.advance(1_800_000);
    await settled();
    assert.equal(endings[0]?.reason, "terminated");
    assert.equal(world.told().at(-1), "session.end ok terminated");
    assert.equal(world.events.at(-1)?.fields?.["ended_by"], "system");
  });

  test("whose pause is over while the log takes nothing is ended, and not resumed", async () => {
    const { endings } = engine(session);
    await sessions.live.pause(session.id, { by: eve, reason: "coffee" });
    world.failing.add("audit");
    world.clock.advance(1_800_000);
    await settled();
    assert.equal(endings[0]?.reason, "terminated");
    assert.ok(!world.frames.some((frame) => frame.startsWith("resume")));
  });

  test("is not idle while somebody keeps it paused", async () => {
    const { endings } = engine(session);
    await sessions.live.pause(session.id, { by: eve, reason: "r" });
    world.clock.advance(1_200_000);
    assert.equal(endings.length, 0);
    await sessions.live.resume(session.id, { by: eve });
    world.clock.advance(599_000);
    assert.equal(endings.length, 0);
    world.clock.advance(601_000);
    assert.equal(endings[0]?.reason, "idle_timeout");
  });

  test("that is terminated ends with the reason: on the screen, in the recording, in the log", async () => {
    const { shown } = engine(session);
    assert.deepEqual(await sessions.live.terminate(session.id, { by: eve, reason: "incident 7" }), [
      session.id,
    ]);
    await settled();
    assert.deepEqual(shown, ["end: eve@example.com has ended this session (incident 7)"]);
    assert.deepEqual(world.frames, [
      `terminate {"reason":"incident 7",${user}}`,
      `session.end {"reason":"terminated","detail":"incident 7",${user}}`,
      "sealed terminated",
    ]);
    assert.deepEqual(world.told().sort(), [
      "session.end ok terminated",
      "session.start ok",
      "session.terminate ok incident 7",
    ]);
    const end = world.events.find(({ event }) => event === "session.end");
    assert.deepEqual(
      [end?.user, end?.fields?.["detail"], end?.fields?.["ended_by"]],
      ["ann@example.com", "incident 7", eve.name],
    );
    assert.equal(world.rows.get(session.id)?.endDetail, "incident 7");
  });

  test("is warned first where that was asked, goes on until then, and a second word can only make it sooner", async () => {
    const { shown, endings } = engine(session);
    await sessions.live.terminate(session.id, { by: eve, reason: "maintenance", warning: "save your work" });
    assert.equal(session.inputAllowed(), true);
    assert.equal(sessions.live.get(session.id)?.endsAtMs, world.clock.nowMs() + 30_000);
    assert.deepEqual(
      await sessions.live.terminate(session.id, { by: eve, reason: "later", graceMs: 60_000 }),
      [],
    );
    world.clock.advance(10_000);
    assert.deepEqual(
      await sessions.live.terminate(session.id, { by: eve, reason: "sooner", graceMs: 5_000 }),
      [session.id],
    );
    world.clock.advance(4_999);
    assert.equal(endings.length, 0);
    world.clock.advance(1);
    assert.equal(endings.length, 1);
    assert.deepEqual(shown, [
      "warning: eve@example.com ends this session in 30 seconds (save your work)",
      "warning: eve@example.com ends this session in 5 seconds (sooner)",
      "end: eve@example.com has ended this session (sooner)",
    ]);
  });

  test("whose engine does not go is cut off when its grace is over: nothing more can be recorded, so nothing passes", async () => {
    session.onEnding(() => {});
    await sessions.live.terminate(session.id, { by: eve, reason: "now" });
    await session.record("notice", 0, utf8("bye"));
    world.clock.advance(5_000);
    await settled();
    await assert.rejects(session.record("output", 0, utf8("x")), (e) =>
      isGatehouseError(e, "recording_unavailable"),
    );
    assert.equal(world.told().at(-1), "session.end ok terminated");
  });

  test("ends even when the log does not take the event, and that is said", async () => {
    const { endings } = engine(session);
    world.failing.add("audit");
    await assert.rejects(sessions.live.terminate(session.id, { by: eve, reason: "now" }), {
      code: "unavailable",
    });
    assert.equal(endings.length, 1);
  });

  test("is found by what it is, also while it is being admitted", async () => {
    const bob = { ...request, user: { id: "u2", name: "bob@example.com" } };
    const bobs = await sessions.admit(bob);
    const coming = sessions.admit(bob);
    const told = await sessions.live.terminate(({ user: { id } }) => id === "u2", {
      by: eve,
      reason: "locked",
    });
    const late = await coming;
    assert.deepEqual(told, [bobs.id, late.id]);
    assert.equal(late.inputAllowed(), false);
    const { endings } = engine(late);
    assert.equal(endings[0]?.reason, "terminated");
    assert.equal(bobs.inputAllowed(), false);
    assert.equal(session.inputAllowed(), true, "nobody else's");
    await settled();
    const ended = world.events.filter(({ event }) => event === "session.terminate");
    assert.deepEqual(ended.map(({ sessionId }) => sessionId).sort(), [bobs.id, late.id].sort());
  });

  test("takes no reason that its recording could not hold", async () => {
    const { shown } = engine(session);
    await sessions.live.terminate(session.id, { by: eve, reason: `\ud800${"x".repeat(300_000)}` });
    assert.equal(shown.length, 1);
    assert.match(world.frames[0] ?? "", /^terminate \{"reason":"\ufffdx{999}"/);
  });
});

describe("somebody who looks on", () => {
  let world: Neighbours;
  let sessions: SessionsRoom;
  let session: Session;
  beforeEach(async () => {
    world = new Neighbours();
    sessions = createSessions(world.options());
    session = await sessions.admit(request);
  });
  const watch = '"mode":"observer",' + user;

  test("is on record and in the log before anything is shown, and gone as soon as they go", async () => {
    const { shown } = engine(session);
    await session.record("output", 0, utf8("before"));
    const gone = new AbortController();
    const sights = await sessions.live.observe(session.id, { by: eve, signal: gone.signal });
    assert.deepEqual(world.told(), ["session.start ok", "session.join ok"]);
    assert.deepEqual(world.frames, ["output before", `join {${watch}}`]);
    const participants = sessions.live.get(session.id)?.participants;
    assert.deepEqual(
      participants?.map(({ user: who, mode }) => [who, mode]),
      [[{ id: eve.id, name: eve.name }, "observer"]],
    );
    const first = await sights.next();
    assert.equal(first.value?.what, "frames");
    world.clock.advance(90_000);
    // Killed, and so never asks for the next.
    gone.abort();
    await settled();
    assert.deepEqual(sessions.live.get(session.id)?.participants, []);
    assert.deepEqual(world.frames.slice(2), [`leave {${watch}}`]);
    const leave = world.events.at(-1);
    assert.deepEqual(
      [leave?.event, leave?.user, leave?.fields?.["duration_ms"]],
      ["session.leave", eve.name, 90_000],
    );
    assert.equal(leave?.fields?.["participant_id"], world.events.at(-2)?.fields?.["participant_id"]);
    assert.deepEqual(shown, ["watch: eve@example.com looks on", "watch: eve@example.com no longer looks on"]);
    assert.equal(world.growing.get(session.id)?.followers, 0);
  });

  test("before they ever asked for anything has left all the same", async () => {
    const gone = new AbortController();
    gone.abort();
    await sessions.live.observe(session.id, { by: eve, signal: gone.signal });
    await settled();
    assert.deepEqual(world.told().slice(1), ["session.join ok", "session.leave ok"]);
  });

  test("in two windows is told of once, and has left when both are closed", async () => {
    const { shown } = engine(session);
    const windows = [new AbortController(), new AbortController()];
    for (const { signal } of windows) await sessions.live.observe(session.id, { by: eve, signal });
    assert.equal(sessions.live.get(session.id)?.participants.length, 2);
    windows[0]?.abort();
    await settled();
    assert.deepEqual(shown, ["watch: eve@example.com looks on"]);
    windows[1]?.abort();
    await settled();
    assert.equal(shown.length, 2);
    assert.equal(world.told().filter((told) => told.startsWith("session.leave")).length, 2);
  });

  test("is not told of where the operator does not want that", async () => {
    world.rules.notify = false;
    sessions = createSessions(world.options());
    session = await sessions.admit(request);
    const { shown } = engine(session);
    const gone = new AbortController();
    await sessions.live.observe(session.id, { by: eve, signal: gone.signal });
    gone.abort();
    await settled();
    assert.deepEqual(shown, []);
    assert.ok(
      world.frames.some((frame) => frame.startsWith("join")),
      "it is on record none the less",
    );
  });

  test("sees nothing when the log does not take the event", async () => {
    world.failing.add("audit");
    const { signal } = new AbortController();
    await assert.rejects(sessions.live.observe(session.id, { by: eve, signal }), { code: "unavailable" });
    assert.deepEqual(world.frames, []);
    assert.deepEqual(sessions.live.get(session.id)?.participants, []);
  });

  test("sees the end, and has then left", async () => {
    const { signal } = new AbortController();
    const sights = await sessions.live.observe(session.id, { by: eve, signal });
    await session.end({ reason: "closed" });
    const kinds: string[] = [];
    for await (const sight of sights)
      if (sight.what === "frames") kinds.push(...sight.frames.map(({ kind }) => kind));
    assert.deepEqual(kinds, ["join", "session.end"]);
    assert.deepEqual(world.told().slice(1), ["session.join ok", "session.end ok closed", "session.leave ok"]);
    await assert.rejects(sessions.live.observe(session.id, { by: eve, signal }), { code: "not_found" });
  });
});
