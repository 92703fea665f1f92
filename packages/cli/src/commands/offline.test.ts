import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { concatBytes, toBase64, utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  encodeExit,
  encodeResize,
  encodeSessionEnd,
  encodeSessionStart,
  memorySource,
  publicKeyPem,
  segmentName,
  writeBundle,
} from "@gatehouse/recording";
import { parseAllDocuments } from "yaml";
import { facts } from "../../../recording/src/testing/facts.ts";
import { type Sample, sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import { createWorkshop } from "../testing/run-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
let sample: Sample;
let bundle: Uint8Array;

before(async () => {
  sample = await sampleRecording({ seed: 3, frames: sessionFrames(), perSegment: 2 });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBundle({ source: memorySource(sample.objects) })) chunks.push(chunk);
  bundle = concatBytes(chunks);
  writeFileSync(join(folder, "session.tar"), bundle);
  mkdirSync(join(folder, "session"));
  for (const [name, bytes] of sample.objects) writeFileSync(join(folder, "session", name), bytes);
  writeFileSync(join(folder, "identity.txt"), `# made for a test\n${sample.identity}\n`);
  writeFileSync(join(folder, "gateway.pem"), publicKeyPem(sample.signer.publicKey));
});
after(() => workshop.close());

function sessionFrames(): Frame[] {
  const frames: Frame[] = [];
  const add = (kind: Frame["kind"], data: Uint8Array, timeUs: number) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts), 0);
  add("output", utf8("$ whoami\r\n"), 100_000);
  add("input", utf8("secret\r"), 150_000);
  add("resize", encodeResize({ cols: 60, rows: 10 }), 200_000);
  add("output", utf8("\u001b[31mroot\u001b[0m\r\n"), 300_000);
  add("exit", encodeExit({ status: 7 }), 400_000);
  add("session.end", encodeSessionEnd({ reason: "closed" }), 400_000);
  return frames;
}

test("verify takes a bundle and a directory alike, and says who signed", async () => {
  for (const what of ["session.tar", "session"]) {
    const { code, stdout, stderr } = await run(["verify", what, "--trusted-key", "gateway.pem"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^result\s+verified$/m);
    assert.match(stdout, new RegExp(`^session\\s+${facts.sessionId}$`, "m"));
    assert.match(stdout, new RegExp(`^head\\s+${sample.manifest.headSha256}$`, "m"));
    assert.match(stdout, /^signed by\s+[0-9a-f]{16} \(.*\), which you trust$/m);
    assert.equal(stderr, "");
  }
});

test("without a trusted key the signer is shown, and said to be nobody's yet", async () => {
  const { code, stdout, stderr } = await run(["verify", "session.tar"]);
  assert.equal(code, 0);
  assert.ok(stdout.includes(toBase64(sample.signer.publicKey)));
  assert.match(stderr, /^note: no trusted key was given\./);
});

test("with an identity every frame is decrypted and checked", async () => {
  const { code, stdout } = await run(["verify", "session", "-i", "identity.txt", "--json"]);
  assert.equal(code, 0);
  const said = JSON.parse(stdout);
  assert.deepEqual([said.ok, said.decrypted.frames, said.decrypted.withheld], [true, 7, []]);
});

test("another gateway's signature, another head and an altered byte are each named, exit 1", async () => {
  const other = toBase64(Uint8Array.from({ length: 32 }, (_, i) => i));
  const wrong = await run(["verify", "session.tar", "--key", other]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /^result\s+NOT VERIFIED$/m);
  assert.match(wrong.stdout, /^- wrong_signer: /m);

  const replayed = await run(["verify", "session.tar", "--head", "0".repeat(64)]);
  assert.equal(replayed.code, 1);
  assert.match(replayed.stdout, /^- manifest_replayed: /m);

  const altered = Uint8Array.from(bundle);
  const segment = sample.objects.get(segmentName(1)) as Uint8Array;
  const at = Buffer.from(altered).indexOf(Buffer.from(segment)) + segment.length - 40;
  altered[at] = (altered[at] as number) ^ 0x10;
  writeFileSync(join(folder, "altered.tar"), altered);
  const { code, stdout } = await run(["verify", "altered.tar"]);
  assert.equal(code, 1);
  assert.match(stdout, /^- segment_altered: segment 1: /m);

  writeFileSync(join(folder, "cut.tar"), bundle.subarray(0, bundle.length - 2000));
  const cut = await run(["verify", "cut.tar"]);
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /^error: /);
});

test("what cannot be asked is exit 2, what is not there exit 4", async () => {
  for (const words of [
    ["verify"],
    ["verify", "session.tar", "--head", "zz"],
    ["verify", "session.tar", "--key", "nonsense"],
    ["verify", "session.tar", "--no-such-option"],
    ["play", "session.tar", "--speed", "3x"],
  ]) {
    const { code, stdout, stderr } = await run(words);
    assert.equal(code, 2, words.join(" "));
    assert.match(stderr, /^error: /);
    assert.equal(stdout, "");
  }
  assert.equal((await run(["verify", "nothing.tar"])).code, 4);
});

test("an identity file that is none is refused without being quoted", async () => {
  writeFileSync(join(folder, "wrong.txt"), "AGE-SECRET-KEY-1NOTREALLYONE\n");
  const { code, stderr } = await run(["play", "session", "-i", "wrong.txt", "--format", "text"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: wrong.txt is not a file of age identities\nhint: /);
  assert.ok(!stderr.includes("NOTREALLY"));
});

test("play prints what was shown, and every frame for machines", async () => {
  const play = (format: string) => run(["play", "session.tar", "-i", "identity.txt", "--format", format]);
  assert.equal((await play("text")).stdout, "$ whoami\nroot\n");

  const frames = sessionFrames().map(({ seq, timeUs, kind, stream, data }) => ({
    seq,
    timeUs,
    kind,
    stream,
    data: toBase64(data),
    text: Buffer.from(data).toString(),
  }));
  const json = (await play("json")).stdout.trimEnd().split("\n");
  assert.deepEqual(
    json.map((line) => JSON.parse(line)),
    frames,
  );
  const yaml = parseAllDocuments((await play("yaml")).stdout);
  assert.deepEqual(
    yaml.map((document) => document.toJS()),
    [frames],
  );
});

test("play to something that is no terminal writes the bytes that were shown, at their pace", async () => {
  const fromMs = performance.now();
  const { code, stdout } = await run(["play", "session", "-i", "identity.txt", "--speed", "2x"]);
  const tookMs = performance.now() - fromMs;
  assert.equal(code, 0);
  assert.equal(stdout, "$ whoami\r\n\u001b[31mroot\u001b[0m\r\n");
  assert.ok(tookMs >= 195, `0.4 s at double speed took ${tookMs} ms`);
});

test("an encrypted recording without a key says what to give", async () => {
  const { code, stderr } = await run(["play", "session.tar"]);
  assert.equal(code, 3);
  assert.match(stderr, /^error: session.tar is encrypted.*\nhint: .*--identity/);
});

test("casts of both versions play; what is none is told with its line", async () => {
  writeFileSync(
    join(folder, "two.cast"),
    '{"version":2,"width":20,"height":5}\n[0.1,"o","a\\r\\n"]\n[0.2,"r","30x6"]\n[0.3,"m","mark"]\n[0.4,"o","b"]\n',
  );
  writeFileSync(
    join(folder, "three.cast"),
    '{"version":3,"term":{"cols":20,"rows":5}}\n# a comment\n[0.1,"o","a\\r\\n"]\n[0.1,"i","x"]\n[0.2,"o","b\\r\\n"]\n[0,"x","3"]\n',
  );
  writeFileSync(join(folder, "bad.cast"), '{"version":2,"width":20,"height":5}\n[0.1,"o"]\n');
  assert.equal((await run(["play", "two.cast", "--format", "text"])).stdout, "a\nb\n");
  assert.equal((await run(["play", "three.cast", "--format", "text"])).stdout, "a\nb\n");
  const times = (await run(["play", "three.cast", "--format", "json"])).stdout.trimEnd().split("\n");
  assert.deepEqual(
    times.map((line) => JSON.parse(line).timeUs),
    [100_000, 200_000, 400_000, 400_000],
  );
  const bad = await run(["play", "bad.cast", "--format", "text"]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /^error: .*bad\.cast, line 2: not an event/);
  assert.equal((await run(["verify", "two.cast"])).code, 2);
});

const golden = (name: string) => fileURLToPath(new URL(`../../../../testdata/v1/${name}`, import.meta.url));

test("recordings of format version 1 stay playable and verify", async () => {
  const identity = ["-i", golden("identity-everything.txt")];
  const trusted = ["-k", golden("signer.pem")];
  for (const [what, expected] of [
    ["terminal", "terminal"],
    ["terminal.tar", "terminal"],
    ["exec", "exec"],
    ["interrupted", "interrupted"],
  ] as const) {
    const verified = await run(["verify", golden(what), ...identity, ...trusted, "--json"]);
    assert.equal(verified.code, 0, verified.stdout);
    const played = await run(["play", golden(what), ...identity, "--format", "json"]);
    const frames = played.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const frame of frames) delete frame.text;
    assert.deepEqual(frames, JSON.parse(readFileSync(golden(`${expected}.expected.json`), "utf8")));
  }
  const text = await run([
    "play",
    golden("terminal"),
    "-i",
    golden("identity-output-only.txt"),
    "--format",
    "text",
  ]);
  assert.match(text.stdout, /^This session is recorded\.\nroot@web-01:~# ls -l\ndrwxr-xr-x /);
});
