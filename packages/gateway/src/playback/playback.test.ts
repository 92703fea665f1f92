import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExportFormat } from "@gatehouse/contracts/rest";
import { GatehouseError, TestClock, concatBytes, fromUtf8, toBase64, utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  bytesReader,
  encodeExit,
  encodeResize,
  encodeSessionEnd,
  encodeSessionStart,
  laneOf,
  manifestName,
  memorySource,
  openBundle,
  segmentName,
  verifyRecording,
} from "@gatehouse/recording";
import { eventDescriptor } from "@gatehouse/contracts";
import { facts as anyFacts } from "../../../recording/src/testing/facts.ts";
import { type Sample, plain, sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import { type Role, decide } from "../access/mod.ts";
import type { AuditRecord } from "../audit/door.ts";
import type { AuditRow, SessionEntry } from "../directory/mod.ts";
import { createLastingRights } from "../sessions/mod.ts";
import { type Viewer, createPlayback } from "./mod.ts";

/** None was made. */
const noIndexes: Parameters<typeof createPlayback>[0]["indexes"] = {
  open: async () => undefined,
  make: () => Promise.reject(new Error("not here")),
};
const facts = { ...anyFacts, sessionId: "0199c0de-0000-7000-8000-000000000001" };
const viewer = (id: string, ...roles: Role[]): Viewer => ({
  subject: { id, name: `${id}@example.com`, roles, leads: [] },
  channel: "web",
  remoteAddress: "192.0.2.9:443",
});
const owner = viewer(facts.user.id, "user");
const auditor = viewer("aud", "auditor");
const stranger = viewer("eve", "user");
const leadSubject: Viewer["subject"] = { id: "lead", name: "lead", roles: ["team-lead"], leads: ["team-1"] };
const never = { signal: new AbortController().signal, renew: async () => undefined };

/** A terminal session with something to show, and a password that no echo showed. */
function terminalFrames(): Frame[] {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], data: Uint8Array, timeUs: number) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts), 0);
  add("output", utf8("$ sudo id\r\npassword: "), 500_000);
  add("input", utf8("hunter2\r"), 1_500_000);
  add("resize", encodeResize({ cols: 100, rows: 30 }), 2_000_000);
  add("output", utf8("\r\nuid=0(\u001b[1mroot\u001b[0m)\r\n"), 2_500_000);
  add("exit", encodeExit({ status: 0 }), 3_000_000);
  add("session.end", encodeSessionEnd({ reason: "closed" }), 3_100_000);
  return frames;
}

async function stage(
  options: {
    keys?: "both" | "none";
    live?: boolean;
    audit?: "down";
    perSegment?: number;
    watermark?: boolean;
  } = {},
) {
  const sample = await sampleRecording({
    seed: 1,
    frames: terminalFrames(),
    perSegment: options.perSegment ?? 2,
  });
  if (options.live) {
    sample.objects.delete(manifestName);
    sample.objects.delete(segmentName(3));
  }
  const clock = new TestClock();
  const audited: AuditRecord[] = [];
  const happened: string[] = [];
  const source = memorySource(sample.objects);
  const rows = rowsOf(sample);
  const sessions = {
    byId: async (id: string): Promise<SessionEntry | undefined> =>
      id === facts.sessionId
        ? {
            facts,
            startedAtMs: 0,
            state: "closed",
            recordingState: options.live ? "recording" : "stored",
            retainUntilMs: Date.UTC(2027, 1, 10),
            lockedUntilMs: Date.UTC(2027, 1, 11),
          }
        : undefined,
  };
  const resources = {
    ofSession: async (entry: Pick<SessionEntry, "facts">) => ({
      ownerId: entry.facts.user.id,
      ownerTeams: ["team-1"],
      watermark: options.watermark ?? false,
    }),
  };
  const rights = createLastingRights({
    sessions,
    resourceOf: resources.ofSession,
    decide,
    clock,
    log: { warn: () => undefined },
  });
  const playback = createPlayback({
    indexes: noIndexes,
    sourceOf: () => ({
      list: () => source.list(),
      read(name, bytesMax) {
        happened.push(name);
        return source.read(name, bytesMax);
      },
    }),
    openers: options.keys === "none" ? [] : [sample.opener],
    rights,
    trustedKeys: [sample.signer.publicKey],
    signer: sample.signer,
    sessions,
    resources,
    auditRows: {
      list: async ({ events }, { beforeIndex = Number.POSITIVE_INFINITY }) =>
        rows.filter(({ index, event }) => index < beforeIndex && (events?.includes(event) ?? true)),
    },
    decide,
    audit: {
      async append(record) {
        if (options.audit === "down")
          throw new GatehouseError({ code: "unavailable", op: "audit.append", message: "no disk" });
        audited.push(record);
        happened.push(record.event);
      },
    },
    clock,
    version: "1",
  });
  return { playback, rows, sample, audited, happened, clock, rights };
}

function rowsOf(sample: Sample): AuditRow[] {
  const row = (index: number, event: string, body: object): AuditRow => ({
    index,
    event,
    body: JSON.stringify({ event, ...body, session_id: facts.sessionId }),
    hash: "",
    prevHash: "",
    timeMs: 0,
    code: "",
    user: "",
    serverId: null,
    sessionId: facts.sessionId,
    success: true,
  });
  return [
    row(2, "session.end", { head_sha256: sample.manifest.headSha256 }),
    row(1, "session.start", { kind: "shell" }),
  ];
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const code = (wanted: string) => (error: unknown) => error instanceof GatehouseError && error.code === wanted;

test("the owner sees every frame as it was recorded, and the event is there before the first byte", async () => {
  const { playback, sample, audited, happened } = await stage();
  const frames = await playback.frames(owner, facts.sessionId, { fromUs: 0 }, never);
  assert.deepEqual(plain((await all(frames)) as Frame[]), plain(sample.frames));
  assert.equal(happened[0], "session.recording.access");
  assert.deepEqual(audited, [
    {
      event: "session.recording.access",
      user: owner.subject.name,
      success: true,
      remoteAddress: "192.0.2.9:443",
      serverId: "t1",
      sessionId: facts.sessionId,
      fields: { from: "web", owner: "ada", action: "play", rule: "own-recordings", input: true },
    },
  ]);
  eventDescriptor("session.recording.access")?.fields.parse(audited[0]?.fields);
});

test("nothing is read when the event cannot be written", async () => {
  const { playback, happened } = await stage({ audit: "down" });
  const asked: (() => Promise<unknown>)[] = [
    () => playback.frames(owner, facts.sessionId, { fromUs: 0 }, never),
    ...(["bundle", "asciicast", "asciicast-v3", "text", "json"] as const).map(
      (format) => () => playback.export(owner, facts.sessionId, format, never),
    ),
    () => playback.search(owner, facts.sessionId, { text: "x" }, never),
    () => playback.overview(owner, facts.sessionId),
    () => playback.screen(owner, facts.sessionId, { atUs: 0 }),
    () => playback.text(owner, facts.sessionId, { block: 0 }),
    () => playback.pictures(owner, facts.sessionId),
    () => playback.makeIndex(owner, facts.sessionId, { anew: false }),
    () => playback.verify(owner, facts.sessionId),
  ];
  for (const ask of asked) await assert.rejects(ask, code("unavailable"));
  assert.deepEqual(happened, []);
});

test("who may not see it is told what they would be told of a session that never was", async () => {
  const { playback, audited, happened } = await stage();
  const unknown = "0199c0de-0000-7000-8000-00000000dead";
  const asked: ((id: string) => Promise<unknown>)[] = [
    (id) => playback.get(stranger, id),
    (id) => playback.frames(stranger, id, { fromUs: 0 }, never),
    (id) => playback.frames(stranger, id, { fromUs: 1 }, never),
    ...(["text", "json", "asciicast", "asciicast-v3", "bundle"] as const).map(
      (format) => (id: string) => playback.export(stranger, id, format, never),
    ),
    (id) => playback.export(stranger, id, "bundle", never, { held: "7-held" }),
    (id) => playback.overview(stranger, id),
    (id) => playback.screen(stranger, id, { atUs: 1 }),
    (id) => playback.text(stranger, id, { block: 0 }),
    (id) => playback.pictures(stranger, id),
    (id) => playback.makeIndex(stranger, id, { anew: true }),
    (id) => playback.search(stranger, id, { text: "root" }, never),
    (id) => playback.verify(stranger, id),
  ];
  for (const ask of asked) {
    const said = async (id: string) => {
      const error = await ask(id).then(
        () => undefined,
        (refusal: unknown) => refusal,
      );
      assert.ok(error instanceof GatehouseError);
      return [error.code, error.message.replace(id, "ID"), error.hint];
    };
    assert.deepEqual(await said(facts.sessionId), await said(unknown));
  }
  assert.deepEqual(
    audited.map(({ success, fields }) => [success, fields?.["rule"]]),
    asked.map(() => [false, "deny-by-default"]),
  );
  assert.ok(happened.every((name) => name === "session.recording.access"));
});

test("where the policy demands a watermark the viewer's name is told, audited, and stands in what is taken away", async () => {
  const { playback, audited, clock } = await stage({ watermark: true });
  const at = new Date(clock.nowMs()).toISOString().slice(0, 16).replace("T", " ");
  const evil = { ...auditor, subject: { ...auditor.subject, name: "eve\n$ rm -rf /" } };
  assert.equal((await playback.get(evil, facts.sessionId)).watermark, `eve $ rm -rf / · ${at} UTC`);
  const beginsWith = async (format: ExportFormat) => {
    const { chunks } = await playback.export(auditor, facts.sessionId, format, never);
    return fromUtf8(concatBytes(await all(chunks))).split("\n")[0] ?? "";
  };
  const stamp = `exported by aud@example.com · ${at} UTC, watermarked by the policy of ${facts.target.name}`;
  assert.equal(await beginsWith("text"), `# ${stamp}`);
  for (const format of ["asciicast", "asciicast-v3"] as const) {
    const { title } = JSON.parse(await beginsWith(format)) as { title: string };
    assert.equal(title, `${facts.login}@${facts.target.name} (${stamp})`);
  }
  assert.deepEqual(JSON.parse(await beginsWith("json")), { watermark: stamp });
  const found = await playback.search(auditor, facts.sessionId, { text: "uid" }, never);
  for (const words of [found.watermark, await playback.watermark(auditor, facts.sessionId)])
    assert.equal(words, `aud@example.com · ${at} UTC`);
  // A bundle is the same each time, so that what broke off can go on: it names who took it, and not when.
  const bundle = await playback.export(auditor, facts.sessionId, "bundle", never);
  assert.ok(bundle.same);
  const opened = await openBundle(bytesReader(concatBytes(await all(bundle.chunks))));
  const readme = fromUtf8(await opened.read("README.txt", 10_000));
  assert.match(readme, /\nTaken by {3}aud@example\.com, named here as the policy of the target demands\n/);
  assert.deepEqual(
    audited.map(({ fields }) => fields?.["watermark"]),
    Array(6).fill(true),
  );

  const plainly = await stage();
  assert.equal((await plainly.playback.get(auditor, facts.sessionId)).watermark, null);
  assert.equal(await plainly.playback.watermark(auditor, facts.sessionId), undefined);
  assert.equal(
    (await plainly.playback.search(auditor, facts.sessionId, { text: "uid" }, never)).watermark,
    null,
  );
  plainly.audited.length = 0;
  await plainly.playback.export(auditor, facts.sessionId, "text", never);
  assert.equal(plainly.audited[0]?.fields?.["watermark"], undefined);
});

test("an export that would be the same again says so, and a bundle goes on as of where the audit log stood", async () => {
  const { playback, rows } = await stage();
  const take = async (who: Viewer, format: ExportFormat, held?: string) => {
    const { chunks, same } = await playback.export(who, facts.sessionId, format, never, { held });
    const bytes = concatBytes(await all(chunks));
    const part = await same?.part?.({ from: 7, to: undefined });
    if (part) assert.deepEqual(concatBytes(await all(part.chunks)), bytes.slice(7));
    return { tag: same?.tag, bytes };
  };
  const text = await take(owner, "text");
  assert.equal((await take(owner, "text")).tag, text.tag);
  assert.notEqual((await take(owner, "json")).tag, text.tag);
  assert.notEqual((await take(viewer("lead-1", "auditor"), "json")).tag, text.tag);

  const textIn = ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString("latin1");
  const own = await take(owner, "bundle");
  const before = await take(auditor, "bundle");
  const [newest] = rows;
  assert.ok(newest);
  const event = "session.recording.access";
  rows.unshift({ ...newest, index: newest.index + 5, event, body: JSON.stringify({ event }) });
  const after = await take(auditor, "bundle");
  // Who looked at it is told to readers of the log alone.
  assert.deepEqual(await take(owner, "bundle"), own);
  assert.match(textIn(own), /session\.end/);
  assert.match(textIn(after), /session\.recording\.access/);
  assert.doesNotMatch(textIn(own), /session\.recording\.access/);
  assert.notEqual(after.tag, before.tag);
  assert.deepEqual(await take(auditor, "bundle", before.tag), before);
  assert.equal((await take(auditor, "bundle", `${before.tag}0`)).tag, after.tag);

  const live = await stage({ live: true });
  const marked = await stage({ watermark: true });
  for (const other of [live, marked])
    assert.equal((await other.playback.export(owner, facts.sessionId, "text", never)).same, undefined);
});

test("a film is an export like others: audited before its first byte, of the part that was asked for", async () => {
  const { playback, audited } = await stage({ watermark: true });
  const cut = { fromUs: 2_000_000 };
  const { contentType, chunks, same } = await playback.export(auditor, facts.sessionId, "gif", never, {
    cut,
  });
  assert.deepEqual([contentType, same, audited[0]?.fields?.["format"]], ["image/gif", undefined, "gif"]);
  assert.match(Buffer.from(concatBytes(await all(chunks))).toString("latin1"), /^GIF89a.*"fromUs":2000000,/s);
  await assert.rejects(playback.export(owner, facts.sessionId, "text", never, { cut }), code("invalid"));
});

test("a stream ends when the right to it has ended: at once where that is known, else within five seconds", async () => {
  const { playback, rights, clock } = await stage({ perSegment: 1 });
  const now: { subject: Viewer["subject"] | undefined } = { subject: owner.subject };
  const reader = {
    signal: never.signal,
    renew: async () => now.subject && { subject: now.subject },
  };
  const begun = async () => {
    const frames = (await playback.frames(owner, facts.sessionId, { fromUs: 0 }, reader))[
      Symbol.asyncIterator
    ]();
    assert.equal((await frames.next()).done, false);
    return frames;
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const lock = { on: "user" as const, name: owner.subject.name, reason: "left" };

  const locked = await begun();
  rights.changed();
  await settled();
  assert.equal((await locked.next()).done, false, "asked, and still allowed");
  now.subject = { ...owner.subject, locks: [lock] };
  rights.changed();
  await settled();
  await assert.rejects(locked.next(), { code: "denied", message: /may not see this recording any longer/ });

  now.subject = owner.subject;
  const signedOut = await begun();
  now.subject = undefined;
  clock.advance(5_000);
  await settled();
  await assert.rejects(signedOut.next(), { code: "denied", message: /not signed in any longer/ });

  now.subject = owner.subject;
  const bundle = (await playback.export(owner, facts.sessionId, "bundle", reader)).chunks[
    Symbol.asyncIterator
  ]();
  await bundle.next();
  now.subject = { ...owner.subject, id: "another" };
  rights.changed();
  await settled();
  await assert.rejects(bundle.next(), code("denied"));
});

test("who leads a team of the owner sees the recording, but not what was typed; who leads another does not", async () => {
  const { playback, audited } = await stage();
  const leading = (team: string): Viewer => ({
    ...owner,
    subject: { id: "lead", name: "lead", roles: ["team-lead"], leads: [team] },
  });
  await playback.frames(leading("team-1"), facts.sessionId, { fromUs: 0 }, never);
  await assert.rejects(playback.frames(leading("team-2"), facts.sessionId, { fromUs: 0 }, never), {
    code: "not_found",
  });
  assert.deepEqual(
    audited.map(({ success, fields }) => [success, fields?.["rule"], fields?.["input"]]),
    [
      [true, "team-recordings-for-team-lead", false],
      [false, "deny-by-default", undefined],
    ],
  );
});

test("without the right to what was typed, the input lane is left out of frames and forms", async () => {
  const { sample, audited, ...rest } = await stage();
  const lead: Viewer = { ...viewer("lead", "team-lead"), channel: "rest" };
  const clock = new TestClock();
  const known = {
    sessions: {
      byId: async (): Promise<SessionEntry> => ({
        facts,
        startedAtMs: 0,
        state: "closed",
        recordingState: "stored",
      }),
    },
    resourceOf: async () => ({ ownerId: facts.user.id, ownerTeams: ["team-1"] }),
  };
  const playback = createPlayback({
    indexes: noIndexes,
    sourceOf: () => memorySource(sample.objects),
    openers: [sample.opener],
    rights: createLastingRights({ ...known, decide, clock, log: { warn: () => undefined } }),
    trustedKeys: [],
    signer: sample.signer,
    sessions: known.sessions,
    resources: { ofSession: known.resourceOf },
    auditRows: { list: async () => [] },
    decide: ({ action }) => ({ allowed: action !== "recording.view_input", rule: "test" }),
    audit: { append: async (record) => void audited.push(record) },
    clock,
    version: "1",
  });
  const frames = (await all(await playback.frames(lead, facts.sessionId, { fromUs: 0 }, never))) as Frame[];
  assert.deepEqual(plain(frames), plain(sample.frames.filter((frame) => laneOf(frame.kind) === "main")));
  const lines = concatBytes(await all((await playback.export(lead, facts.sessionId, "json", never)).chunks));
  assert.ok(!fromUtf8(lines).includes('"kind":"input"'));
  assert.deepEqual(
    audited.map(({ fields }) => [fields?.["from"], fields?.["input"]]),
    [
      ["rest", false],
      ["rest", false],
    ],
  );
  assert.ok(rest.playback);
});

test("the windows of one viewing are one event; beginning anew, another person and a long silence are not", async () => {
  const { playback, audited, clock } = await stage();
  const window = async (who: Viewer, fromUs: number) =>
    all(await playback.frames(who, facts.sessionId, { fromUs, toUs: fromUs + 1_000_000 }, never));
  await window(owner, 0);
  await window(owner, 1_000_000);
  clock.advance(4 * 60_000);
  await window(owner, 2_000_000);
  assert.equal(audited.length, 1);
  await window(auditor, 1_000_000);
  await window(owner, 0);
  assert.equal(audited.length, 3);
  clock.advance(6 * 60_000);
  await window(owner, 2_000_000);
  assert.equal(audited.length, 4);
});

test("a window holds the frames from its start up to its end, which is not in it", async () => {
  const { playback } = await stage();
  const frames = await all(
    await playback.frames(owner, facts.sessionId, { fromUs: 500_000, toUs: 2_000_000 }, never),
  );
  assert.deepEqual(
    frames.map(({ timeUs }) => timeUs),
    [500_000, 1_500_000],
  );
});

test("a session that still runs is there up to the last stored segment", async () => {
  const { playback, sample } = await stage({ live: true });
  const frames = await playback.frames(owner, facts.sessionId, { fromUs: 0 }, never);
  assert.deepEqual(plain((await all(frames)) as Frame[]), plain(sample.frames.slice(0, 6)));
  const words = await playback.get(owner, facts.sessionId);
  assert.deepEqual([words.state, words.durationMs, words.segments], ["recording", null, null]);
  assert.deepEqual(words.exports, ["asciicast", "asciicast-v3", "gif", "text", "json"]);
  const bundle = await playback.export(owner, facts.sessionId, "bundle", never);
  await assert.rejects(all(bundle.chunks), code("conflict"));
});

test("segments are read as frames are taken, one ahead of nobody", async () => {
  const { playback, happened } = await stage({ perSegment: 1 });
  const frames = (await playback.frames(owner, facts.sessionId, { fromUs: 0 }, never))[
    Symbol.asyncIterator
  ]();
  const segmentsRead = () => happened.filter((name) => name.endsWith(".seg")).length;
  assert.equal(segmentsRead(), 0);
  for (let taken = 1; taken <= 3; taken++) {
    await frames.next();
    assert.equal(segmentsRead(), taken);
  }
  await frames.return?.(undefined);
  assert.equal(segmentsRead(), 3);
});

test("a reader who has gone ends the reading", async () => {
  const { playback, happened } = await stage({ perSegment: 1 });
  const gone = new AbortController();
  const frames = await playback.frames(
    owner,
    facts.sessionId,
    { fromUs: 0 },
    { ...never, signal: gone.signal },
  );
  let seen = 0;
  for await (const _ of frames) if (++seen === 2) gone.abort();
  assert.equal(seen, 2);
  assert.ok(happened.filter((name) => name.endsWith(".seg")).length <= 3);
});

test("each form holds what it promises", async () => {
  const { playback, sample, audited } = await stage();
  const form = async (format: ExportFormat) => {
    const { fileName, contentType, chunks } = await playback.export(auditor, facts.sessionId, format, never);
    return { fileName, contentType, bytes: concatBytes(await all(chunks)) };
  };
  const lines = (bytes: Uint8Array) =>
    fromUtf8(bytes)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  const cast = await form("asciicast");
  assert.equal(cast.fileName, `${facts.sessionId}.cast`);
  const [header, ...events] = lines(cast.bytes);
  assert.equal(header.version, 2);
  assert.deepEqual(events, [
    [0.5, "o", "$ sudo id\r\npassword: "],
    [2, "r", "100x30"],
    [2.5, "o", "\r\nuid=0(\u001b[1mroot\u001b[0m)\r\n"],
  ]);
  const [header3, ...events3] = lines((await form("asciicast-v3")).bytes);
  assert.deepEqual([header3.version, events3.at(-1)], [3, [0.5, "x", "0"]]);

  const text = await form("text");
  assert.equal(fromUtf8(text.bytes), "$ sudo id\npassword: \nuid=0(root)\n");

  const json = lines((await form("json")).bytes);
  assert.deepEqual(json.at(-1), { end: true, live: false });
  assert.deepEqual(
    json.slice(0, -1),
    sample.frames.map(({ seq, timeUs, kind, stream, data }) => ({
      seq,
      timeUs,
      kind,
      stream,
      data: toBase64(data),
    })),
  );

  const bundle = await form("bundle");
  assert.deepEqual([bundle.fileName, bundle.contentType], [`${facts.sessionId}.tar`, "application/x-tar"]);
  const opened = await openBundle(bytesReader(bundle.bytes));
  const verified = await verifyRecording(opened, { trustedKeys: [sample.signer.publicKey] });
  assert.deepEqual(verified.findings, []);
  assert.equal(
    fromUtf8(await opened.read("audit-events.jsonl", 10_000)),
    [
      { event: "session.start", kind: "shell", session_id: facts.sessionId },
      { event: "session.end", head_sha256: sample.manifest.headSha256, session_id: facts.sessionId },
    ]
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(""),
  );
  assert.deepEqual(
    audited.map(({ fields }) => [fields?.["action"], fields?.["format"]]),
    [
      ["export", "asciicast"],
      ["export", "asciicast-v3"],
      ["export", "text"],
      ["export", "json"],
      ["download", "bundle"],
    ],
  );
});

test("a gateway without a key hands out the bundle, says so of everything else, and checks what it can", async () => {
  const { playback } = await stage({ keys: "none" });
  await assert.rejects(playback.frames(owner, facts.sessionId, { fromUs: 0 }, never), code("denied"));
  await assert.rejects(playback.export(owner, facts.sessionId, "text", never), code("denied"));
  const bundle = await playback.export(owner, facts.sessionId, "bundle", never);
  assert.ok((await all(bundle.chunks)).length > 0);
  const verification = await playback.verify(owner, facts.sessionId);
  assert.equal(verification.ok, true);
  assert.deepEqual(
    verification.checks.map(({ name, status }) => [name, status]),
    [
      ["segments", "ok"],
      ["chain", "ok"],
      ["signature", "ok"],
      ["audit", "ok"],
      ["frames", "absent"],
    ],
  );
});

test("what was altered is named, and audited as corruption", async () => {
  const { playback, sample, audited } = await stage();
  assert.equal((await playback.verify(owner, facts.sessionId)).ok, true);
  const altered = Uint8Array.from(sample.objects.get(segmentName(1)) as Uint8Array);
  altered[altered.length - 20] = (altered[altered.length - 20] as number) ^ 1;
  sample.objects.set(segmentName(1), altered);
  const verification = await playback.verify(owner, facts.sessionId);
  assert.equal(verification.ok, false);
  assert.match(verification.firstFault ?? "", /^segment 1: /);
  assert.equal(verification.checks.find(({ name }) => name === "segments")?.status, "failed");
  const event = audited.at(-1);
  assert.equal(event?.event, "session.recording.corrupted");
  eventDescriptor("session.recording.corrupted")?.fields.parse(event?.fields);
  await assert.rejects(
    playback.frames(owner, facts.sessionId, { fromUs: 0 }, never).then(all),
    code("corrupt"),
  );
});

test("the facts of a recording come from its manifest and open nothing", async () => {
  const { playback, sample, audited, happened } = await stage();
  const words = await playback.get(owner, facts.sessionId);
  assert.deepEqual([words.frames, words.segments, words.durationMs], [7, 4, 3100]);
  assert.equal(words.headSha256, sample.manifest.headSha256);
  assert.equal(words.signedBy, sample.manifest.signer.keyId);
  assert.deepEqual(
    [words.retainUntil, words.lockedUntil],
    ["2027-02-10T00:00:00.000Z", "2027-02-11T00:00:00.000Z"],
  );
  assert.match(words.recipients.join(), /^age1\w+ \(output and input\),age1\w+ \(output\)$/);
  assert.deepEqual([audited, happened], [[], [manifestName]]);
});

test("text is found in what was shown and typed, for who may see it, and the terms are in the log before", async () => {
  const { playback, audited, happened } = await stage();
  const found = await playback.search(owner, facts.sessionId, { text: "UID=0" }, never);
  assert.deepEqual(
    found.hits.map(({ source, text, at, length }) => [source, text, at, length]),
    [["screen", "uid=0(root)", 0, 5]],
  );
  assert.deepEqual([found.next, found.isWhole, happened[0]], [null, true, "session.recording.access"]);
  assert.deepEqual(
    ["action", "query", "mode", "rule"].map((name) => audited[0]?.fields?.[name]),
    ["search", "UID=0", "any-case", "own-recordings"],
  );
  eventDescriptor("session.recording.access")?.fields.parse(audited[0]?.fields);

  const typed = await playback.search(owner, facts.sessionId, { text: "hunter[0-9]", mode: "regex" }, never);
  assert.deepEqual(typed.hits, [{ timeUs: 1_500_000, source: "input", text: "hunter2", at: 0, length: 7 }]);
  const exact = await playback.search(owner, facts.sessionId, { text: "UID", mode: "exact" }, never);
  assert.deepEqual(exact.hits, []);

  const lead: Viewer = { ...viewer("lead", "team-lead"), subject: leadSubject };
  const hidden = await playback.search(lead, facts.sessionId, { text: "hunter" }, never);
  assert.deepEqual(hidden.hits, [], "a lead does not find what was typed");
  await assert.rejects(
    playback.search(lead, facts.sessionId, { text: "hunter", sources: ["input"] }, never),
    code("denied"),
  );
  const before = audited.length;
  await assert.rejects(playback.search(stranger, facts.sessionId, { text: "secret" }, never), {
    code: "not_found",
  });
  assert.deepEqual(
    audited.slice(before).map(({ success, fields }) => [success, fields?.["action"], fields?.["query"]]),
    [[false, "search", "secret"]],
  );
});

test("finds come a page at a time, and a pattern that is none is refused", async () => {
  const { playback } = await stage();
  const search = { text: "[a-z]+", mode: "regex" as const, limit: 1 };
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await playback.search(
      owner,
      facts.sessionId,
      cursor === undefined ? search : { ...search, cursor },
      never,
    );
    seen.push(...page.hits.map(({ text }) => text));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(seen, ["$ sudo id", "password: ", "uid=0(root)", "hunter2"]);
  for (const text of ["(", "(?=x)", "(a)\\1"])
    await assert.rejects(playback.search(owner, facts.sessionId, { text, mode: "regex" }, never), {
      code: "invalid",
    });
});
