/**
 * What is taken away as evidence, at one whole gateway: an audit log that verifies offline, a bundle whose download breaks off, what
 * happens to long streams when the right to them ends, and that nothing leaves while it cannot be audited.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type Socket, connect, createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { createClient } from "@gatehouse/contracts/client";
import type { Problem, Session } from "@gatehouse/contracts/rest";
import { createProfiles } from "../../packages/cli/src/connection/mod.ts";
import { createWorkshop } from "../../packages/cli/src/testing/run-here.ts";
import { type GrpcClient, startGrpcClient } from "../parts/grpc-client.ts";
import { awaitStored } from "../parts/sessions.ts";
import { sessionOf } from "../parts/signed-in.ts";
import { type Stage, startStage } from "../parts/stage.ts";

const recordings = "gatehouse.v1.RecordingService";
const workshop = createWorkshop();
let stage: Stage;
let grpc: GrpcClient;
/** So much that no buffer between takes it whole, though all that was shown is recorded; and it does not shrink when it is stored. */
const megabytes = 9;
let large: Session;
let outputBytes = 0;
let keyFile: string;

before(async () => {
  stage = await startStage({ gateway: { config: { grpc: { listen: "127.0.0.1:0" } } } });
  const { gateway } = stage;
  const { grpc: address } = JSON.parse(readFileSync(join(gateway.dataDir, "addresses.json"), "utf8")) as {
    grpc: string;
  };
  const certificate = await gateway.admin.ca.grpc();
  grpc = await startGrpcClient({ folder: gateway.dataDir, address, certificate });
  const ran = await stage.ssh([stage.address, `head -c ${megabytes}M /dev/urandom | base64`]);
  assert.equal(ran.code, 0, ran.stderr);
  outputBytes = ran.stdout.length;
  large = await awaitStored(gateway);
  keyFile = join(workshop.folder, "gate.pem");
  writeFileSync(keyFile, await gateway.admin.ca.recordings());
  // What reads recordings by itself has done so, or begins when these tests are long over.
  await gateway.admin.recordings.makeIndex(large.id, {});
});
after(() => stage.close());
after(() => grpc.close());
after(() => workshop.close());

async function person(name: string): Promise<{ id: string; token: string; env: Record<string, string> }> {
  const { gateway } = stage;
  const { id } = await gateway.admin.people.create({ name, roles: ["auditor"] });
  const token = await sessionOf(gateway, id);
  const env = { XDG_CONFIG_HOME: join(workshop.folder, name) };
  await createProfiles(env).keep({ url: gateway.web, token, name, expiresAt: null });
  return { id, token, env };
}

const asAdmin = (...words: string[]) => workshop.run([...words, "--data-dir", stage.gateway.dataDir]);
const offline = (...words: string[]) => workshop.run([...words, "--trusted-key", keyFile]);

test("an export of the audit log verifies with nothing but itself and the key, and says what was done to it", async () => {
  const exported = await asAdmin("audit", "export", "-o", "audit.jsonl");
  assert.equal(exported.code, 0, exported.stderr);
  const file = join(workshop.folder, "audit.jsonl");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const events = lines.slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    events.map(({ index }) => index),
    events.map((_, i) => i),
  );
  const last = events.at(-1);
  assert.deepEqual([last?.["event"], last?.["from"], last?.["filters"]], ["audit.export", "cli", "{}"]);

  const good = await offline("audit", "verify", "--file", "audit.jsonl", "--utc");
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /^result +verified\n/);
  assert.match(good.stdout, /^signed +at \d{4}-.*Z by [0-9a-f]{16}, which you trust$/m);
  const kept = `${String(last?.["index"])}:${String(last?.["hash"])}`;
  assert.equal((await offline("audit", "verify", "--file", "audit.jsonl", "--head", kept)).code, 0);
  const other = `${String(last?.["index"])}:${"0".repeat(64)}`;
  assert.equal((await offline("audit", "verify", "--file", "audit.jsonl", "--head", other)).code, 1);
  const unkeyed = await workshop.run(["audit", "verify", "--file", "audit.jsonl"]);
  assert.deepEqual(
    [unkeyed.code, /compare [0-9a-f]{16} with the gateway's own/.test(unkeyed.stderr)],
    [0, true],
  );

  const tampered: [string, string[], RegExp][] = [
    [
      "altered",
      lines.map((line, i) => (i === 3 ? line.replace('"success":true', '"success":false') : line)),
      /event 3 was altered/,
    ],
    ["left out", lines.filter((_, i) => i !== 4), /event 4 is missing/],
    ["cut off", lines.slice(0, 5), /nobody whom you trust signed where the log ends/],
    ["cut off, and its end kept", [...lines.slice(0, 5), lines.at(-1) ?? ""], /events 5 to \d+ are missing/],
    [
      "another's signature",
      [...lines.slice(0, -1), (lines.at(-1) ?? "").replace(/"at":"2/, '"at":"3')],
      /does not match its signature/,
    ],
  ];
  for (const [what, changed, says] of tampered) {
    writeFileSync(join(workshop.folder, "bad.jsonl"), `${changed.join("\n")}\n`);
    const { code, stdout } = await offline("audit", "verify", "--file", "bad.jsonl");
    assert.equal(code, 1, what);
    assert.match(stdout, /^result +NOT VERIFIED\n/);
    assert.match(stdout, says, what);
  }
  const some = await asAdmin("audit", "export", "--event", "session.start");
  assert.deepEqual(
    some.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event?: string }).event),
    ["session.start"],
    "a filter leaves no chain, and nothing signed",
  );
});

test("a download that breaks off goes on where it was, verifies, and its audit events are those of the log", async () => {
  const { gateway } = stage;
  const fred = await person("fred");
  let cuts = 2;
  let passed = 0;
  const proxy = createServer((socket: Socket) => {
    let given = 0;
    const there = connect(Number(new URL(gateway.web).port), "127.0.0.1");
    socket.pipe(there);
    there.on("data", (chunk: Buffer) => {
      given += chunk.length;
      passed += chunk.length;
      if (cuts > 0 && given > 1_500_000) {
        cuts--;
        socket.destroy();
        there.destroy();
      } else if (!socket.write(chunk)) there.pause();
    });
    socket.on("drain", () => there.resume());
    for (const one of [socket, there])
      one.on("error", () => undefined).on("close", () => (socket.destroy(), there.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
    await createProfiles(fred.env).keep({ url, token: fred.token, name: "fred", expiresAt: null });
    const words = [
      "recordings",
      "download",
      large.id,
      "--gateway",
      url,
      "--trusted-key",
      keyFile,
      "-o",
      "large.tar",
    ];
    const ran = await workshop.run(words, { env: fred.env });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^result +verified\n/);
    assert.equal(cuts, 0);
    const bytes = readFileSync(join(workshop.folder, "large.tar")).length;
    assert.ok(bytes > megabytes * 1024 * 1024, `${bytes} bytes`);
    assert.ok(passed < bytes + 2_000_000, `${passed} bytes came for ${bytes}: it went on`);
    assert.ok(!existsSync(join(workshop.folder, "large.tar.part")), "nothing is left beside it");
    const again = await workshop.run(words, { env: fred.env });
    assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true]);
    const { items } = await gateway.admin.audit.list({ event: "session.recording.access", user: "fred" });
    assert.equal(items.length, 3);
    assert.deepEqual(
      items.map(({ fields }) => [fields["action"], fields["format"], fields["from"]]),
      items.map(() => ["download", "bundle", "cli"]),
      "each part is an access",
    );
  } finally {
    proxy.close();
  }

  assert.equal((await asAdmin("audit", "export", "-o", "audit.jsonl", "--force")).code, 0);
  const good = await offline("verify", "large.tar", "--audit", "audit.jsonl");
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /^audit events +\d+, signed by [0-9a-f]{16}, and as the log has them$/m);
  const file = join(workshop.folder, "audit.jsonl");
  const log = readFileSync(file, "utf8");
  const start = log.split("\n").find((line) => line.includes('"event":"session.start"')) ?? "";
  writeFileSync(file, log.replace(`${start}\n`, ""));
  const bad = await offline("verify", "large.tar", "--audit", "audit.jsonl");
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^- audit log: event \d+ of the bundle is not in the log$/m);
});

test("gRPC: a reader that does not read holds the gateway's reading back, and gets all of it in the end", async () => {
  const gina = await person("gina");
  const bytesRead = () =>
    Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${stage.gateway.pid}/io`, "utf8"))?.[1]);
  const begun = bytesRead();
  const call = grpc.call(recordings, "StreamFrames", { session_id: large.id }, { token: gina.token });
  await new Promise<void>((resolve) => call.onMessage(() => resolve()));
  grpc.pause();
  try {
    let before = -1;
    // Until nothing moves any more.
    while (before !== bytesRead()) {
      before = bytesRead();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.ok(
      before - begun < (megabytes * 1024 * 1024 * 3) / 4,
      `${before - begun} bytes were read ahead of the reader`,
    );
  } finally {
    grpc.resume();
  }
  const { status, messages } = await call.ended;
  assert.equal(status, "OK");
  const shown = messages
    .flatMap((message) => message["frames"] as { kind: string; data?: string }[])
    .flatMap(({ kind, data }) => (kind === "stdout" ? Buffer.from(data ?? "", "base64").length : []));
  assert.equal(
    shown.reduce((sum, bytes) => sum + bytes, 0),
    outputBytes,
  );
});

test("a lock in the middle ends every long stream: frames, exports, bundles, searches, over REST and gRPC", async () => {
  const { gateway } = stage;
  const hans = await person("hans");
  const client = createClient({ baseUrl: gateway.web, token: hans.token });
  const frames = client.recordings.frames(large.id);
  await frames.next();
  const exports = await Promise.all(
    (["text", "json", "bundle"] as const).map(async (format) => {
      const { chunks } = await client.recordings.export(large.id, format);
      const taken = chunks[Symbol.asyncIterator]();
      await taken.next();
      return { format, taken };
    }),
  );
  const calls = (
    [
      ["StreamFrames", { session_id: large.id }],
      ["ExportRecording", { session_id: large.id, format: "json" }],
      ["ExportRecording", { session_id: large.id, format: "bundle" }],
      // Every line has one of these.
      ["SearchRecordings", { text: "[A-M]", mode: "regex", user: "ann" }],
    ] as const
  ).map(([method, request]) => ({
    method,
    call: grpc.call(recordings, method, request, { token: hans.token }),
  }));
  await Promise.all(calls.map(({ call }) => new Promise<void>((resolve) => call.onMessage(() => resolve()))));
  grpc.pause();
  const { lock } = await gateway.admin.locks.create({ on: "user", name: "hans", reason: "left" });
  try {
    await assert.rejects(Array.fromAsync(frames), { code: "denied" });
    for (const { format, taken } of exports)
      // The status has gone out: what can be done is to let nobody take it for whole.
      await assert.rejects(Array.fromAsync({ [Symbol.asyncIterator]: () => taken }), Error, format);
    await assert.rejects(client.recordings.export(large.id, "bundle"), {
      code: /^(denied|not_found)$/ as never,
    });
    grpc.resume();
    for (const { method, call } of calls) {
      const { status } = await call.ended;
      assert.equal(status, "PERMISSION_DENIED", method);
    }
    const ran = await workshop.run(
      ["recordings", "download", large.id, "--gateway", gateway.web, "-o", "no.tar"],
      {
        env: hans.env,
      },
    );
    assert.ok([3, 4].includes(ran.code), ran.stderr);
    assert.ok(!existsSync(join(workshop.folder, "no.tar.part")));
  } finally {
    grpc.resume();
    await gateway.admin.locks.remove(lock.id);
  }
});

test("while the audit log cannot be written nothing leaves: no frame, no picture, no find, no file, no log", async () => {
  const { gateway } = stage;
  const dora = await person("dora");
  const other = new DatabaseSync(join(gateway.dataDir, "gatehouse.db"), { timeout: 10_000 });
  const about = `/recordings/${large.id}`;
  const rest: [string, string, object?][] = [
    ["GET", `${about}/frames`],
    ["GET", `${about}/index`],
    ["GET", `${about}/screen?atUs=0`],
    ["GET", `${about}/text?block=0`],
    ["GET", `${about}/pictures`],
    ["POST", `${about}/index`, {}],
    ["POST", `${about}/search`, { text: "A" }],
    ["POST", `${about}/verify`],
    ...["text", "json", "bundle"].map((format): [string, string] => [
      "GET",
      `${about}/export?format=${format}`,
    ]),
    ["POST", "/search", { text: "A" }],
    ["GET", "/audit/export"],
  ];
  const methods = [
    ["StreamFrames", { session_id: large.id }],
    ["ExportRecording", { session_id: large.id, format: "text" }],
    ["SearchRecording", { session_id: large.id, text: "A" }],
    ["SearchRecordings", { text: "A" }],
    ["VerifyRecording", { session_id: large.id }],
  ] as const;
  const commands = [
    ["play", large.id],
    ["recordings", "export", large.id, "-o", "-"],
    ["recordings", "download", large.id, "-o", "no.tar"],
    ["recordings", "search", large.id, "A"],
    ["search", "A"],
    ["audit", "export"],
  ];
  try {
    other.exec("begin immediate");
    await Promise.all([
      ...rest.map(async ([method, path, body]) => {
        const response = await fetch(`${gateway.web}/api/v1${path}`, {
          method,
          headers: {
            authorization: `Bearer ${dora.token}`,
            ...(body && { "content-type": "application/json" }),
          },
          ...(body && { body: JSON.stringify(body) }),
        });
        const { code, detail } = (await response.json()) as Problem;
        assert.deepEqual([response.status, code], [503, "unavailable"], `${method} ${path}: ${detail}`);
        assert.match(detail, /audit log cannot be written/);
      }),
      ...methods.map(async ([method, request]) => {
        const { status, messages } = await grpc.call(recordings, method, request, { token: dora.token })
          .ended;
        assert.deepEqual([status, messages], ["UNAVAILABLE", []], method);
      }),
      ...commands.map(async (words) => {
        const ran = await workshop.run([...words, "--gateway", gateway.web], { env: dora.env });
        assert.deepEqual([ran.code, ran.stdout], [5, ""], words.join(" "));
        assert.match(ran.stderr, /audit log cannot be written/);
      }),
    ]);
    other.exec("rollback");
  } finally {
    other.close();
  }
  assert.ok(
    !existsSync(join(workshop.folder, "no.tar")) && !existsSync(join(workshop.folder, "no.tar.part")),
  );
  const { items } = await gateway.admin.audit.list({ user: "dora", event: "session.recording." });
  assert.deepEqual(items, []);
  const played = await workshop.run(
    ["recordings", "search", large.id, "no such words", "--gateway", gateway.web],
    {
      env: dora.env,
    },
  );
  assert.equal(played.code, 1, "it goes on by itself");
});
