import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient } from "@gatehouse/contracts/client";
import { type Session, watermarkHeader } from "@gatehouse/contracts/rest";
import { createProfiles } from "../../packages/cli/src/connection/mod.ts";
import { createWorkshop } from "../../packages/cli/src/testing/run-here.ts";
import { sshOptions } from "../parts/gateway.ts";
import { type GrpcAnswer, type GrpcClient, startGrpcClient } from "../parts/grpc-client.ts";
import { awaitEvents, awaitSession, eventually, recordedSession } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { playedTo, seenAt } from "../../packages/recording/src/testing/films.ts";
import { openTerminal } from "../parts/terminal.ts";
import { sessionOf } from "../parts/signed-in.ts";

const sessions = "gatehouse.v1.SessionService";
const recordings = "gatehouse.v1.RecordingService";
const audit = "gatehouse.v1.AuditService";

let stage: Stage;
let client: GrpcClient;
/** Of people with these roles, signed in. */
const tokens: Record<"ann" | "otto" | "bob", string> = { ann: "", otto: "", bob: "" };
let ended: Session;

before(async () => {
  stage = await startStage({ gateway: { config: { grpc: { listen: "127.0.0.1:0" } } } });
  const { gateway } = stage;
  const { grpc } = JSON.parse(readFileSync(join(gateway.dataDir, "addresses.json"), "utf8")) as {
    grpc: string;
  };
  client = await startGrpcClient({
    folder: gateway.dataDir,
    address: grpc,
    certificate: await gateway.admin.ca.grpc(),
  });
  const ids = {
    ann: stage.person.id,
    otto: (await gateway.admin.people.create({ name: "otto", roles: ["security-analyst"] })).id,
    bob: (await gateway.admin.people.create({ name: "bob", roles: ["user"] })).id,
  };
  for (const name of ["ann", "otto", "bob"] as const) {
    tokens[name] = await sessionOf(gateway, ids[name]);
  }
  const ran = await stage.ssh([stage.address, "printf 'over the gate'; cat"], { input: "and back" });
  assert.equal(ran.stdout.toString(), "over the gateand back");
  ({ session: ended } = await recordedSession(
    gateway,
    ({ command }) => command?.includes("printf") === true,
  ));
});
after(() => stage.close());
after(() => client.close());

const call = (
  service: string,
  method: string,
  request: Record<string, unknown>,
  who: keyof typeof tokens | undefined,
) => client.call(service, method, request, who && { token: tokens[who] }).ended;

/** The one message of an answer. */
function only({ messages }: GrpcAnswer): unknown {
  assert.equal(messages.length, 1);
  return messages[0];
}

type Frame = { sequence?: string; kind: string; data?: string };
const framesOf = (messages: readonly Record<string, unknown>[]) =>
  messages.flatMap((message) => (message["frames"] ?? []) as Frame[]);
const bytesOf = (frames: readonly Frame[], ...kinds: string[]) =>
  Buffer.concat(
    frames.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => Buffer.from(data ?? "", "base64")),
  );

test("sessions: those that one may see, the same as over REST", async () => {
  const listed = await call(sessions, "ListSessions", { user: "ann", state: "SESSION_STATE_ENDED" }, "otto");
  assert.equal(listed.status, "OK", listed.detail);
  const [found] = (only(listed) as { sessions: Record<string, unknown>[] }).sessions;
  assert.deepEqual(
    [found?.["id"], found?.["user"], found?.["command"], found?.["started_at"]],
    [ended.id, { id: stage.person.id, name: "ann" }, ended.command, ended.startedAt],
  );
  assert.deepEqual(found?.["recording"], {
    state: "stored",
    frames: String(ended.recording.frames),
    bytes: String(ended.recording.bytes),
    head_sha256: ended.recording.headSha256,
  });
  assert.deepEqual(found?.["end"], { reason: "closed", exit_status: 0 });
  const none = await call(sessions, "ListSessions", {}, "bob");
  assert.deepEqual(none.messages, [{}], "nobody else's");
  const [own, others] = await Promise.all([
    call(sessions, "GetSession", { session_id: ended.id }, "ann"),
    call(sessions, "GetSession", { session_id: ended.id }, "bob"),
  ]);
  assert.deepEqual([own.status, others.status], ["OK", "NOT_FOUND"]);
  const { session } = only(own) as { session: Record<string, unknown> };
  assert.deepEqual(session["admission"], { rule: "target-allows-person" });
});

test("events of a session with their moments: all of them for the auditor, for its person without who watched", async () => {
  const about = { session_id: ended.id, page_size: 200 };
  const eventsFor = async (who: "ann" | "otto") => {
    const answer = await call(sessions, "ListSessionEvents", about, who);
    assert.equal(answer.status, "OK", answer.detail);
    const { events = [] } = only(answer) as { events?: { event: { event: string }; at_us?: string }[] };
    return events.toReversed().map(({ event: { event }, at_us: atUs }) => [event, atUs] as const);
  };
  const own = await eventsFor("ann");
  assert.equal(own[0]?.[0], "session.start");
  assert.notEqual(own[0]?.[1], undefined);
  assert.ok(own.some(([event, atUs]) => event === "session.end" && Number(atUs) > 0));
  assert.ok(!own.some(([event]) => event.startsWith("session.recording.")));
  const all = await eventsFor("otto");
  for (const one of own) assert.ok(all.some(([event, atUs]) => event === one[0] && atUs === one[1]));
  assert.equal((await call(sessions, "ListSessionEvents", about, "bob")).status, "NOT_FOUND");
});

test("a recording: its frames, windows, exports and verification, audited before they leave", async () => {
  const { gateway } = stage;
  const rest = await recordedSession(gateway, ({ id }) => id === ended.id);
  const got = await call(recordings, "StreamFrames", { session_id: ended.id }, "otto");
  assert.equal(got.status, "OK", got.detail);
  assert.deepEqual(
    framesOf(got.messages).map(({ sequence = "0", kind, data = "" }) => [Number(sequence), kind, data]),
    rest.frames.map(({ seq, kind, data }) => [seq, kind, Buffer.from(data).toString("base64")]),
  );
  const middle = rest.frames[2]?.timeUs ?? 0;
  const window = { session_id: ended.id, from_us: String(middle), to_us: String(middle + 1) };
  const some = await call(recordings, "StreamFrames", window, "otto");
  assert.deepEqual(
    framesOf(some.messages).map(({ sequence = "0" }) => Number(sequence)),
    rest.frames.filter(({ timeUs }) => timeUs === middle).map(({ seq }) => seq),
  );
  const bundle = await call(recordings, "ExportRecording", { session_id: ended.id, format: "json" }, "otto");
  assert.equal(bundle.status, "OK", bundle.detail);
  assert.equal(bundle.messages[0]?.["content_type"], "application/x-ndjson");
  const text = Buffer.concat(
    bundle.messages.map((message) => Buffer.from((message["data"] ?? "") as string, "base64")),
  ).toString();
  const frames = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Frame);
  assert.equal(bytesOf(frames, "stdout").toString(), "over the gateand back");
  // What is said of a film arrives, also where there is none.
  const film = { format: "gif", from_us: "5", to_us: "6", speed: 2, idle_max: "0.05s" };
  const tooShort = await call(recordings, "ExportRecording", { session_id: ended.id, ...film }, "otto");
  assert.deepEqual([tooShort.status, tooShort.detail.includes("idleMaxMs")], ["INVALID_ARGUMENT", true]);
  const asText = { session_id: ended.id, ...film, format: "text", idle_max: "0.5s" };
  const part = await call(recordings, "ExportRecording", asText, "otto");
  assert.match(part.detail, /an export as text is of the whole recording, at its own speed/);
  const hold = await gateway.admin.recordings.hold(ended.id, { reason: "case 7", owner: "legal" });
  const known = await gateway.admin.recordings.get(ended.id);
  const held = await call(recordings, "GetRecording", { session_id: ended.id }, "otto");
  const {
    state,
    retain_until,
    hold: heldAs,
  } = (held.messages[0]?.["recording"] ?? {}) as Record<string, unknown>;
  assert.deepEqual(
    { state, retain_until, heldAs },
    {
      state: "held",
      retain_until: known.retainUntil,
      heldAs: {
        reason: "case 7",
        owner: "legal",
        by: "local-administrator",
        since: hold.since,
        kept_by: "gatehouse",
      },
    },
  );
  const verified = await call(recordings, "VerifyRecording", { session_id: ended.id }, "otto");
  assert.deepEqual(
    [verified.messages[0]?.["ok"], verified.messages[0]?.["head_sha256"]],
    [true, ended.recording.headSha256],
  );
  const looked = { session_id: ended.id, text: "OVER THE" };
  const found = await call(recordings, "SearchRecording", looked, "otto");
  const hits = found.messages[0]?.["hits"] as { source: string; text: string; length: number }[];
  assert.deepEqual(
    hits.map(({ source, text, length }) => [source, text, length]),
    [
      ["command", "printf 'over the gate'; cat", 8],
      ["screen", "over the gateand back", 8],
    ],
  );
  for (const [who, labels, expected] of [
    ["otto", {}, [[ended.id, "ann", ["over the gateand back"]]]],
    ["otto", { labels: { env: { values: ["none"] } } }, []],
    ["bob", {}, []],
  ] as const) {
    const everywhere = await call(
      recordings,
      "SearchRecordings",
      { text: "the gateand", sources: ["screen"], ...labels },
      who,
    );
    assert.equal(everywhere.status, "OK", everywhere.detail);
    type Found = { session_id: string; user: string; hits: { text: string }[] };
    const all = everywhere.messages.flatMap(({ found: some }) => (some ?? []) as Found[]);
    assert.deepEqual(
      all.map((one) => [one.session_id, one.user, one.hits.map(({ text: line }) => line)]),
      expected,
    );
    assert.equal(everywhere.messages.at(-1)?.["next"], undefined);
  }
  const { hits: typed } = await gateway.admin.recordings.search(ended.id, {
    text: "^and b.ck$",
    mode: "regex",
    sources: ["input"],
  });
  assert.deepEqual(
    typed.map(({ source, text }) => [source, text]),
    [["input", "and back"]],
  );
  const events = await awaitEvents(gateway, { event: "session.recording.access", session: ended.id });
  const terms = events.flatMap(({ user, fields }) =>
    fields["action"] === "search" ? [[user, fields["query"]]] : [],
  );
  assert.deepEqual(terms.toSorted(), [
    ["local-administrator", "^and b.ck$"],
    ["otto", "OVER THE"],
  ]);
  const asked = events.filter(({ user }) => user === "otto").map(({ fields }) => fields["action"]);
  assert.deepEqual(asked.toSorted(), ["export", "export", "play", "search", "verify"].toSorted());
});

test("where the policy demands a watermark, every answer that shows something carries it, and so does the command line", async () => {
  const { gateway } = stage;
  await gateway.admin.targets.update(ended.target.id, { access: { watermark: true } });
  const workshop = createWorkshop();
  try {
    const about = { session_id: ended.id };
    const words = /^otto · \d{4}-\d\d-\d\d \d\d:\d\d UTC$/;
    for (const [method, request] of [
      ["StreamFrames", about],
      ["ExportRecording", { ...about, format: "json" }],
      ["SearchRecording", { ...about, text: "over" }],
      ["SearchRecordings", { text: "over the gateand" }],
    ] as const) {
      const { messages, status, detail } = await call(recordings, method, request, "otto");
      assert.equal(status, "OK", detail);
      assert.match(String(messages[0]?.["watermark"]), words, method);
    }
    const { recording } = only(await call(recordings, "GetRecording", about, "otto")) as {
      recording: { watermark: string };
    };
    assert.match(recording.watermark, words);

    for (const path of ["frames", "index", "screen?atUs=0", "pictures", "export?format=text"]) {
      const response = await fetch(`${gateway.web}/api/v1/recordings/${ended.id}/${path}`, {
        headers: { authorization: `Bearer ${tokens.otto}` },
      });
      await response.arrayBuffer();
      assert.equal(response.status, 200, path);
      assert.match(decodeURIComponent(response.headers.get(watermarkHeader) ?? ""), words, path);
    }

    const env = { XDG_CONFIG_HOME: join(workshop.folder, "otto") };
    await createProfiles(env).keep({ url: gateway.web, token: tokens.otto, name: "otto", expiresAt: null });
    for (const [command, first] of [
      [["play", ended.id], /^otto · .* UTC\r\n/],
      [["play", ended.id, "--format", "text"], /^# otto · .* UTC\n/],
      [["play", ended.id, "--format", "json"], /^\{"watermark":"otto · .* UTC"\}\n/],
      [["play", ended.id, "--format", "yaml"], /^- watermark: otto · .* UTC\n/],
      [["recordings", "search", ended.id, "over"], /^otto · .* UTC\n/],
      [["search", "over the gateand"], /^otto · .* UTC\n/],
      [["recordings", "export", ended.id, "-f", "text", "-o", "-"], /^# exported by otto · /],
    ] as const) {
      const ran = await workshop.run([...command, "--gateway", gateway.web], { env });
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(ran.stdout, first, command.join(" "));
      assert.match(ran.stdout, /over the gate/);
    }
    const access = await gateway.admin.audit.list({
      event: "session.recording.access",
      session: ended.id,
      user: "otto",
      limit: 200,
    });
    const due = access.items.filter(({ fields }) => fields["watermark"] === true);
    assert.deepEqual(
      [...new Set(due.map(({ fields }) => fields["from"]))].toSorted(),
      ["cli", "grpc"],
      "a sign-in that travels as a bearer token is the command line's",
    );
    const [across] = (await gateway.admin.audit.list({ event: "session.recording.search", user: "otto" }))
      .items;
    assert.deepEqual([across?.fields["watermark"], across?.fields["from"]], [true, "cli"]);
  } finally {
    workshop.close();
    await gateway.admin.targets.update(ended.target.id, { access: {} });
  }
});

test("who may not is refused in the words of the code: nobody, a stranger, a user", async () => {
  const about = { session_id: ended.id };
  const nobody = await call(sessions, "ListSessions", {}, undefined);
  assert.deepEqual([nobody.status, nobody.problem.code], ["UNAUTHENTICATED", "unauthenticated"]);
  const wrong = await client.call(sessions, "ListSessions", {}, { token: "made-up" }).ended;
  assert.equal(wrong.status, "UNAUTHENTICATED");
  for (const [service, method] of [
    [recordings, "GetRecording"],
    [recordings, "StreamFrames"],
    [recordings, "VerifyRecording"],
  ] as const) {
    const refused = await call(service, method, about, "bob");
    assert.deepEqual([refused.status, refused.messages], ["NOT_FOUND", []], method);
  }
  const log = await call(audit, "ListAuditEvents", {}, "bob");
  assert.deepEqual([log.status, log.problem.code], ["PERMISSION_DENIED", "denied"]);
  assert.notEqual(log.problem.hint, undefined);
  const bad = await call(sessions, "GetSession", { session_id: "../../etc" }, "ann");
  assert.deepEqual([bad.status, bad.problem.code], ["INVALID_ARGUMENT", "invalid"]);
  const long = await call(sessions, "ListSessions", { text: "x".repeat(300_000) }, "ann");
  assert.equal(long.status, "RESOURCE_EXHAUSTED");
});

test("a token for a program does what its scopes say, as its person, until it is revoked", async () => {
  const { gateway } = stage;
  const otto = createClient({ baseUrl: gateway.web, token: tokens.otto });
  const { id } = await otto.auth.me();
  const made = await otto.tokens.create(id, { name: "exporter", scopes: ["session.*"] });
  assert.match(made.token, /^gatehouse_[\w-]{43}$/);
  const ask = (service: string, method: string) =>
    client.call(service, method, {}, { token: made.token }).ended;
  assert.equal((await ask(sessions, "ListSessions")).status, "OK");
  const log = await ask(audit, "ListAuditEvents");
  assert.deepEqual(
    [log.status, log.detail],
    ["PERMISSION_DENIED", "the token that you use is not for audit.read"],
  );
  const program = createClient({ baseUrl: gateway.web, token: made.token });
  assert.equal((await program.sessions.list()).items.length, 1);
  await assert.rejects(program.tokens.create(id, { name: "more", scopes: ["audit.read"] }), {
    code: "denied",
  });
  const { gateway: whole } = stage;
  const { id: zoe } = await whole.admin.people.create({ name: "zoe", roles: ["platform-admin"] });
  const wide = await whole.admin.tokens.create(zoe, { name: "hr", scopes: ["person.*", "self.*"] });
  const hr = createClient({ baseUrl: whole.web, token: wide.token });
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  // Whatever outlives or outgrows a token cannot be made with one.
  await assert.rejects(hr.people.signInLink(zoe), { code: "denied" });
  await assert.rejects(hr.people.addSshKey(zoe, { publicKey: key }), { code: "denied" });
  await assert.rejects(hr.people.create({ name: "eve", roles: ["platform-admin"] }), { code: "denied" });
  await assert.rejects(hr.people.update(id, { roles: ["platform-admin"] }), { code: "denied" });
  await hr.people.update(zoe, { displayName: "Zoe" });
  await whole.admin.people.update(zoe, { disabled: true });
  await whole.admin.people.update(zoe, { disabled: false });
  await assert.rejects(hr.people.get(zoe), { code: "unauthenticated" });
  const cookie = await fetch(`${gateway.web}/api/v1/sessions`, {
    headers: { cookie: `gatehouse=${made.token}` },
  });
  assert.equal(cookie.status, 401);
  const { items } = await otto.tokens.list(id);
  assert.deepEqual(
    items.map(({ name, scopes, lastUsedAt }) => [name, scopes, lastUsedAt !== null]),
    [["exporter", ["session.*"], true]],
  );
  assert.ok(!JSON.stringify(items).includes(made.token), "it is shown once");
  await otto.tokens.remove(id, made.id);
  assert.equal((await ask(sessions, "ListSessions")).status, "UNAUTHENTICATED");
  for (const event of ["api_token.create", "api_token.delete"]) {
    const [found] = await awaitEvents(gateway, { event });
    assert.deepEqual([found?.user, found?.fields["token_id"]], ["otto", made.id]);
  }
});

test("the audit log, by filters and pages, and its chain", async () => {
  const of = { session_id: ended.id, event: "session." };
  const first = await call(audit, "ListAuditEvents", { ...of, page_size: 1 }, "otto");
  assert.equal(first.status, "OK", first.detail);
  const token = first.messages[0]?.["next_page_token"];
  assert.equal(typeof token, "string");
  const rest = await call(audit, "ListAuditEvents", { ...of, page_token: token }, "otto");
  const events = [...first.messages, ...rest.messages].flatMap(
    (message) => message["events"] as { event: string; fields?: Record<string, unknown> }[],
  );
  const start = events.find(({ event }) => event === "session.start");
  assert.equal(start?.fields?.["login"], stage.sshd.user);
  const verdict = await call(audit, "VerifyAuditLog", {}, "otto");
  assert.equal(verdict.messages[0]?.["ok"], true);
});

test("a live session: looked on, paused, resumed and ended", async () => {
  const { gateway } = stage;
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "grpc-resize"),
  );
  try {
    await terminal.shows(/ready>/);
    const { id } = await awaitSession(
      gateway,
      ({ state, track }) => state === "live" && track === "terminal",
    );
    const about = { session_id: id };
    const refused = await call(sessions, "WatchSession", about, "ann");
    assert.deepEqual([refused.status, refused.messages], ["PERMISSION_DENIED", []]);
    const watching = client.call(sessions, "WatchSession", about, { token: tokens.otto });
    const seen: Frame[] = [];
    watching.onMessage((message) => seen.push(...framesOf([message])));
    await awaitEvents(gateway, { event: "session.join", session: id });
    terminal.type("echo so$((40+2))far\r");
    await eventually("the output at the observer", () =>
      bytesOf(seen, "output").includes("so42far") ? true : undefined,
    );
    assert.ok(bytesOf(seen, "output").includes("ready>"), "what was shown before is there too");

    const paused = await call(sessions, "PauseSession", { ...about, reason: "look at this" }, "otto");
    const { live } = (only(paused) as { session: { live: Record<string, Record<string, unknown>> } }).session;
    assert.equal(live["pause"]?.["reason"], "look at this");
    const again = await call(sessions, "PauseSession", { ...about, reason: "again" }, "otto");
    assert.deepEqual([again.status, again.problem.code], ["FAILED_PRECONDITION", "conflict"]);
    const resumed = await call(sessions, "ResumeSession", about, "otto");
    assert.equal(resumed.status, "OK", resumed.detail);
    const over = await call(sessions, "TerminateSession", { ...about, reason: "enough of it" }, "otto");
    assert.equal(over.status, "OK", over.detail);
    await terminal.shows(/enough of it/);
    const whole = await watching.ended;
    assert.equal(whole.status, "OK", whole.detail);
    const { frames } = await recordedSession(gateway, (session) => session.id === id);
    assert.deepEqual(
      framesOf(whole.messages).map(({ sequence = "0", kind }) => [Number(sequence), kind]),
      frames.map(({ seq, kind }) => [seq, kind]),
      "the observer got the whole recording, to its end",
    );

    const film = await call(recordings, "ExportRecording", { ...about, format: "gif", speed: 4 }, "otto");
    assert.deepEqual([film.status, film.messages[0]?.["content_type"]], ["OK", "image/gif"]);
    const gif = Buffer.concat(film.messages.map(({ data = "" }) => Buffer.from(data as string, "base64")));
    const atEnd = [Number.MAX_SAFE_INTEGER];
    const [last = new Uint8Array(0)] = seenAt(gif, atEnd);
    for await (const played of playedTo(frames, atEnd, { cols: 100, rows: 30 }))
      assert.ok(Buffer.from(played).equals(last), "its last picture is the last screen");
  } finally {
    terminal.kill();
  }
});

test("an observer that goes away has left", async () => {
  const { gateway } = stage;
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "grpc-leave"),
  );
  try {
    await terminal.shows(/ready>/);
    const { id } = await awaitSession(
      gateway,
      ({ state, track }) => state === "live" && track === "terminal",
    );
    const watching = client.call(sessions, "WatchSession", { session_id: id }, { token: tokens.otto });
    await awaitEvents(gateway, { event: "session.join", session: id });
    watching.cancel();
    assert.equal((await watching.ended).status, "CANCELLED");
    await awaitEvents(gateway, { event: "session.leave", session: id });
  } finally {
    terminal.kill();
  }
});

test("health and reflection say what is there", async () => {
  const health = "grpc.health.v1.Health";
  const up = await call(health, "Check", { service: sessions }, undefined);
  assert.deepEqual(up.messages, [{ status: "SERVING" }]);
  assert.equal((await call(health, "Check", { service: "none" }, undefined)).status, "NOT_FOUND");
  const reflection = "grpc.reflection.v1.ServerReflection";
  const listed = await call(reflection, "ServerReflectionInfo", { list_services: "*" }, undefined);
  const answer = listed.messages[0] as { list_services_response: { service: { name: string }[] } };
  assert.deepEqual(answer.list_services_response.service.map(({ name }) => name).toSorted(), [
    audit,
    recordings,
    sessions,
    health,
    reflection,
  ]);
  const symbol = { file_containing_symbol: `${sessions}.WatchSession` };
  const described = await call(reflection, "ServerReflectionInfo", symbol, undefined);
  const files = described.messages[0] as {
    file_descriptor_response: { file_descriptor_proto: string[] };
  };
  const names = files.file_descriptor_response.file_descriptor_proto.map((file) =>
    Buffer.from(file, "base64").toString("latin1"),
  );
  for (const name of [
    "gatehouse/v1/session.proto",
    "gatehouse/v1/frame.proto",
    "google/protobuf/timestamp.proto",
  ])
    assert.ok(
      names.some((file) => file.includes(name)),
      name,
    );
});
