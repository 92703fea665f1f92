import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Client, createClient } from "@gatehouse/contracts/client";
import { type LiveNow, type WireFrame, liveNowKind } from "@gatehouse/contracts/rest";
import { fromUtf8, systemClock, systemRandom } from "@gatehouse/kernel";
import { type RestServer, startRest } from "./mod.ts";
import { type MemoryGate, memoryGate } from "./testing/memory-doors.ts";
import type { samplePeople } from "./testing/sample-sessions.ts";

let folder: string;
let gate: MemoryGate;
let server: RestServer;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-moderation-"));
  gate = memoryGate(systemClock);
  server = await startRest({
    doors: gate.doors,
    gateway: { id: "gate-1", version: "0" },
    web: { host: "127.0.0.1", port: 0 },
    adminSocketPath: join(folder, "admin.sock"),
    signInsPerMinuteMax: 1000,
    clock: systemClock,
    random: systemRandom,
  });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function tokenOf(name: keyof typeof samplePeople): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/auth/link`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: gate.link(name) }),
  });
  return /gatehouse=([^;]+)/.exec(answer.headers.getSetCookie()[0] ?? "")?.[1] ?? "";
}
async function signedIn(name: keyof typeof samplePeople): Promise<Client> {
  return createClient({ baseUrl: server.url, token: await tokenOf(name) });
}
const liveIds = () => gate.samples.flatMap(({ session }) => (session.state === "live" ? [session.id] : []));

/** Reads a session's stream in the background. */
function watching(client: Client, id: string, fromSeq = 0) {
  const gone = new AbortController();
  const frames: WireFrame[] = [];
  const nows: LiveNow[] = [];
  let wake: () => void = () => {};
  const ended = (async () => {
    for await (const frame of client.sessions.watch(id, { fromSeq }, { signal: gone.signal })) {
      if (frame.kind === liveNowKind) nows.push(JSON.parse(fromUtf8(frame.data)) as LiveNow);
      else frames.push({ ...frame, data: Uint8Array.from(frame.data) });
      wake();
    }
  })();
  const until = async (fits: () => boolean) => {
    while (!fits()) await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended]);
  };
  return { frames, nows, gone, ended, until };
}

test("a live session is listed with who looks on, and what whoever asks may do", async () => {
  const [id = ""] = liveIds();
  const maxOf = async (name: keyof typeof samplePeople) => {
    const client = await signedIn(name);
    const { items } = await client.sessions.list({ state: "live" });
    const one = items.find((session) => session.id === id);
    assert.deepEqual(one?.live, (await client.sessions.get(id)).live, "the list and the thing say the same");
    return one?.live?.may;
  };
  assert.deepEqual(await maxOf("admin"), [
    "session.join",
    "session.pause",
    "session.terminate",
    "session.review",
  ]);
  assert.deepEqual(await maxOf("auditor"), []);
  // It is his own.
  assert.deepEqual(await maxOf("sam"), []);
  const admin = await signedIn("admin");
  const ended = (await admin.sessions.list({ state: "ended", limit: 1 })).items[0];
  assert.equal(ended?.live, null);
});

test("a late observer gets what was recorded, then what comes, and is a participant until the connection is gone", async () => {
  const [id = ""] = liveIds();
  const admin = await signedIn("admin");
  const before = gate.samples.find(({ session }) => session.id === id)?.frames.slice() ?? [];
  const one = watching(admin, id);
  await one.until(() => one.nows.length > 0);
  assert.deepEqual(
    one.frames.slice(0, before.length),
    before.map((frame) => ({ ...frame, data: Uint8Array.from(frame.data) })),
  );
  assert.equal(one.nows[0]?.behindUs, 0);
  const two = watching(admin, id, before.length);
  await two.until(() => two.nows.length > 0);
  gate.say(id, "just now\r\n");
  const isIt = ({ kind, data }: WireFrame) => kind === "output" && fromUtf8(data) === "just now\r\n";
  await one.until(() => one.frames.some(isIt));
  await two.until(() => two.frames.some(isIt));
  assert.ok(
    two.frames.every(({ seq }) => seq >= before.length),
    "whoever has the beginning is not sent it again",
  );
  const participants = async () =>
    (await admin.sessions.get(id)).live?.participants.map(({ user }) => user.name);
  assert.deepEqual(await participants(), ["ada.admin", "ada.admin"]);
  // Killed: the connection is cut, and nothing is said.
  one.gone.abort();
  await assert.rejects(one.ended);
  while ((await participants())?.length !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(gate.audited.filter(({ event }) => event === "session.leave").length, 1);
  two.gone.abort();
  await assert.rejects(two.ended);
});

test("the stream is also lines of JSON, each as it comes", async () => {
  const [id = ""] = liveIds();
  const gone = new AbortController();
  const answer = await fetch(`${server.url}/api/v1/sessions/${id}/live`, {
    headers: { authorization: `Bearer ${await tokenOf("admin")}` },
    signal: gone.signal,
  });
  assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  let text = "";
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  while (!text.includes(`"kind":"${liveNowKind}"`))
    text += fromUtf8((await reader.read()).value ?? new Uint8Array());
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { seq: number; kind: string });
  assert.deepEqual([lines[0]?.seq, lines[0]?.kind], [0, "session.start"]);
  gone.abort();
});

test("pausing, resuming and ending need a reason, are answered with how it stands, and are seen by who looks on", async () => {
  const id = liveIds().at(-1) ?? "";
  const admin = await signedIn("admin");
  for (const reason of ["", "   ", "x".repeat(1001)]) {
    await assert.rejects(admin.sessions.pause(id, { reason }), { code: "invalid" });
    await assert.rejects(admin.sessions.terminate(id, { reason }), { code: "invalid" });
  }
  const seen = watching(admin, id);
  await seen.until(() => seen.nows.length > 0);
  const paused = await admin.sessions.pause(id, { reason: " what is this? " });
  assert.deepEqual(
    [paused.live?.paused?.reason, paused.live?.paused?.by.name],
    ["what is this?", "ada.admin"],
  );
  const resumed = await admin.sessions.resume(id);
  assert.equal(resumed.live?.paused, null);
  const ended = await admin.sessions.terminate(id, { reason: "incident 7" });
  assert.deepEqual([ended.state, ended.live, ended.end?.detail], ["ended", null, "incident 7"]);
  await seen.ended;
  const marks = seen.frames
    .map(({ kind }) => kind)
    .filter((kind) => ["pause", "resume", "terminate", "session.end"].includes(kind));
  assert.deepEqual(marks, ["pause", "resume", "terminate", "session.end"]);
  await assert.rejects(admin.sessions.terminate(id, { reason: "again" }), { code: "conflict" });
  const late = watching(admin, id);
  await assert.rejects(late.ended, { code: "conflict" });
});

test("who may not is refused each of them", async () => {
  const [id = ""] = liveIds();
  for (const name of ["auditor", "jane", "sam"] as const) {
    const client = await signedIn(name);
    const denied = { code: "denied" };
    await assert.rejects(client.sessions.pause(id, { reason: "r" }), denied, name);
    await assert.rejects(client.sessions.resume(id), denied, name);
    await assert.rejects(client.sessions.terminate(id, { reason: "r" }), denied, name);
    await assert.rejects(watching(client, id).ended, denied, name);
  }
});
