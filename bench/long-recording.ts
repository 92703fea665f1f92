/**
 * A recording of eight hours and 200 MB through everything that plays, searches or exports it, each with a bound on memory that does not
 * depend on its length: `node bench/long-recording.ts`. The gateway is the whole program on its file system; what it holds is
 * read from /proc after each part, as the most that it ever was in it. `PROOF_HOURS` and `PROOF_MIB` make it shorter, `PROOF_PAGE=no` leaves out
 * the browser. Ends with 1 where a bound is passed or an answer is wrong.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemRandom, utf8 } from "@gatehouse/kernel";
import {
  type Frame,
  type SegmentEntry,
  ageWrapper,
  encodeSessionEnd,
  encodeSessionStart,
  manifestName,
  sealSegment,
  signManifest,
  wrapKeys,
} from "@gatehouse/recording";
import { nodeSealCrypto } from "@gatehouse/recording/node";
import { objectPrefix } from "@gatehouse/recording/pipeline";
import { openKeyring } from "../packages/gateway/src/credentials/mod.ts";
import { facts as anyFacts } from "../packages/recording/src/testing/facts.ts";
import { sealersOf } from "../packages/recording/src/testing/sample-recording.ts";
import { addPerson, startGateway } from "../test/parts/gateway.ts";
import { buildWeb } from "../tools/web.ts";
import { openBrowser } from "../test/parts/web.ts";

const hours = Number(process.env["PROOF_HOURS"] ?? 8);
const mebibytes = Number(process.env["PROOF_MIB"] ?? 200);
const withPage = process.env["PROOF_PAGE"] !== "no";
/** Bounds on what is held beyond what the program holds when it is idle, in MB. */
const bounds = { window: 150, index: 400, film: 250, cli: 300, page: 60 } as const;

const root = fileURLToPath(new URL("..", import.meta.url));
const cliMain = join(root, "packages/cli/src/main.ts");
const frameBytes = 4096;
const framesPerSegment = 27;
const mib = 1024 * 1024;

const listing = execFileSync("ls", ["-lR", "--color=always", "node_modules", "packages"], {
  cwd: root,
  maxBuffer: 1 << 30,
})
  .toString("latin1")
  .replaceAll("\n", "\r\n");
const said = Buffer.from(listing, "latin1");
const count = Math.ceil((mebibytes * mib) / frameBytes);
const everyUs = Math.floor((hours * 3_600_000_000) / (count + 2));
const facts = { ...anyFacts, startedAt: new Date(Date.now() - (hours + 1) * 3_600_000).toISOString() };
/** Stands on the screen once, near the end. */
const needle = "found-in-the-last-hour";
const needleSeq = Math.floor(count * 0.95);

function frameOf(seq: number): Frame {
  const base = { seq, timeUs: seq * everyUs, stream: 0 };
  if (seq === 0) return { ...base, kind: "session.start", data: encodeSessionStart(facts) };
  if (seq === count + 1)
    return { ...base, kind: "session.end", data: encodeSessionEnd({ reason: "client" }) };
  if (seq === needleSeq) return { ...base, kind: "output", data: utf8(`\r\n${needle}\r\n`) };
  const at = (seq * frameBytes) % (said.length - frameBytes);
  return { ...base, kind: "output", data: said.subarray(at, at + frameBytes) };
}

if (withPage) await buildWeb();

const dataDir = mkdtempSync(join(tmpdir(), "gatehouse-long-"));

/** Sealed as the gateway itself would have, segment by segment, into its store. */
async function record(): Promise<number> {
  const keyring = await openKeyring({ folder: join(dataDir, "keys"), random: systemRandom });
  const recordingId = facts.sessionId;
  const keys = { main: systemRandom.bytes(32), input: systemRandom.bytes(32) };
  const wrappers = [ageWrapper([keyring.recordingRecipient])];
  const wrapped = await wrapKeys(recordingId, keys, { main: wrappers, input: wrappers });
  const signer = {
    publicKey: keyring.manifestSigner.publicKey,
    sign: async (bytes: Uint8Array) => keyring.manifestSigner.sign(bytes),
  };
  const sealers = sealersOf(recordingId, keys, nodeSealCrypto);
  const folder = join(dataDir, "recordings", objectPrefix(facts));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const segments: SegmentEntry[] = [];
  let previousSha256: Uint8Array | undefined;
  for (let first = 0; first <= count + 1; first += framesPerSegment) {
    const n = segments.length;
    const { entry, bytes, sha256 } = await sealSegment({
      place:
        previousSha256 === undefined
          ? { recordingId, n: 0, opening: { facts, keys: wrapped } }
          : { recordingId, n, previousSha256 },
      frames: Array.from({ length: Math.min(framesPerSegment, count + 2 - first) }, (_, i) =>
        frameOf(first + i),
      ),
      sealers,
      signer,
      crypto: nodeSealCrypto,
    });
    writeFileSync(join(folder, entry.name), bytes);
    segments.push(entry);
    previousSha256 = sha256;
  }
  const { bytes } = await signManifest(
    {
      facts,
      state: "complete",
      end: { reason: "client", at: new Date().toISOString(), lastTimeUs: (count + 1) * everyUs },
      keys: wrapped,
      segments,
    },
    signer,
  );
  writeFileSync(join(folder, manifestName), bytes);
  return segments.length;
}

const statusOf = (pid: number, field: "VmRSS" | "VmHWM") =>
  Number(new RegExp(`${field}:\\s*(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) /
  1024;
let failed = false;

const gateway = await (async () => {
  const first = await startGateway({ dataDir });
  await first.kill("SIGTERM");
  const segments = await record();
  process.stdout.write(`${hours} hours, ${mebibytes} MiB in ${segments} segments\n`);
  execFileSync(process.execPath, [cliMain, "recover", "--config", join(dataDir, "gatehouse.yaml")], {
    stdio: "inherit",
  });
  return await startGateway({ dataDir });
})();

/** One part: how long it took, and the most that the gateway held in it beyond what it held idle. */
async function part<T>(name: string, boundMb: number, what: () => Promise<T>): Promise<T> {
  // proc(5): the most that it held is counted from here.
  writeFileSync(`/proc/${gateway.pid}/clear_refs`, "5");
  const started = performance.now();
  const result = await what();
  report(name, performance.now() - started, statusOf(gateway.pid, "VmHWM") - idleMb, boundMb);
  return result;
}

function report(name: string, ms: number, mb: number, boundMb: number): void {
  const isOver = mb > boundMb;
  failed ||= isOver;
  process.stdout.write(
    `${name.padEnd(44)} ${ms.toFixed(0).padStart(7)} ms, ${mb.toFixed(0).padStart(4)} MB more${isOver ? `: OVER ${boundMb}` : ""}\n`,
  );
}

let idleMb = statusOf(gateway.pid, "VmRSS");
const { recordings } = gateway.admin;
const id = facts.sessionId;
const endUs = (count + 1) * everyUs;
const bytesOf = async (chunks: AsyncIterable<Uint8Array>) => {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
};

/** The command line, with what it held at most. */
async function cli(...args: string[]): Promise<{ output: string; mb: number; ms: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [cliMain, ...args, "--data-dir", dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let [output, mb] = ["", 0];
  const look = setInterval(() => {
    if (child.pid !== undefined && child.exitCode === null) mb = Math.max(mb, statusOf(child.pid, "VmHWM"));
  }, 20);
  child.stdout.on("data", (chunk: Buffer) => (output = (output + chunk.toString("latin1")).slice(-mib)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(look);
  assert.equal(code, 0, args.join(" "));
  return { output, mb, ms: performance.now() - started };
}

try {
  await part("the index is made", bounds.index, async () => {
    await recordings.makeIndex(id);
  });
  idleMb = statusOf(gateway.pid, "VmRSS");
  await part("open: facts and the index at a glance", bounds.window, async () => {
    await recordings.get(id);
    const { index } = await recordings.overview(id);
    assert.equal(index?.durationUs, endUs);
  });
  await part("100 screens at random moments, and their frames", bounds.window, async () => {
    for (let i = 0; i < 100; i++) {
      const atUs = Math.floor(Math.random() * endUs);
      const { keyframe } = await recordings.screen(id, { atUs });
      assert.ok(!keyframe || keyframe.timeUs <= atUs);
      for await (const _ of recordings.frames(id, { fromUs: keyframe?.timeUs ?? 0, toUs: atUs + 1 }));
    }
  });
  await part("the last ten minutes, frame by frame", bounds.window, async () => {
    let frames = 0;
    for await (const _ of recordings.frames(id, { fromUs: endUs - 600_000_000 })) frames++;
    assert.ok(frames >= Math.min(count, Math.floor(600_000_000 / everyUs) - 1));
  });
  await part("text found in the last hour", bounds.window, async () => {
    const { hits } = await recordings.search(id, { text: needle });
    assert.equal(hits.length, 1);
    assert.ok(Math.abs((hits[0]?.timeUs ?? 0) - needleSeq * everyUs) < 10_000_000);
  });
  let [textBytes, tag] = [0, ""];
  await part("export as text, whole", bounds.window, async () => {
    const taken = await recordings.export(id, "text");
    tag = taken.tag ?? "";
    textBytes = await bytesOf(taken.chunks);
    assert.ok(textBytes > mebibytes * mib * 0.5);
  });
  await part("its last 1,000 bytes", bounds.window, async () => {
    const rest = await recordings.export(id, "text", { part: { from: textBytes - 1000, tag } });
    assert.deepEqual([rest.isPart, await bytesOf(rest.chunks)], [true, 1000]);
  });
  await part("export as bundle", bounds.window, async () => {
    assert.ok((await bytesOf((await recordings.export(id, "bundle")).chunks)) > mib);
  });
  await part("film of a minute in the last hour", bounds.film, async () => {
    const fromUs = Math.floor(0.95 * endUs);
    const film = { fromUs, toUs: fromUs + 60_000_000 };
    assert.ok((await bytesOf((await recordings.export(id, "gif", { film })).chunks)) > 10_000);
  });
  await part("film of the whole, 64 times as fast", bounds.film, async () => {
    const film = { speed: 64 };
    assert.ok((await bytesOf((await recordings.export(id, "gif", { film })).chunks)) > 100_000);
  });
  await part("verified", bounds.window, async () => {
    assert.equal((await recordings.verify(id)).ok, true);
  });
  const bare = await cli("sessions", "show", id);
  const fromS = Math.floor(endUs / 1e6) - 4;
  const played = await cli("play", id, "--from", `${fromS}s`);
  assert.ok(played.output.length > 1_000);
  report("gatehouse play --from the last seconds", played.ms, played.mb - bare.mb, bounds.cli);
  if (withPage) await onThePage();
} finally {
  await gateway.close();
  rmSync(dataDir, { recursive: true, force: true });
}
if (failed) process.exitCode = 1;

async function onThePage(): Promise<void> {
  const auditor = await addPerson(gateway, "auditor", ["auditor"]);
  const { url } = await gateway.admin.people.signInLink(auditor.id);
  const browser = await openBrowser();
  try {
    const { page } = await browser.open();
    await page.goto(`${gateway.web}/sign-in${new URL(url).hash}`);
    await page.waitForURL(/\/(sessions|audit|targets|people|health)/);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable");
    const heapMb = async () => {
      await devtools.send("HeapProfiler.collectGarbage");
      const { metrics } = await devtools.send("Performance.getMetrics");
      return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6;
    };
    const before = await heapMb();
    const rows = page.locator(".player-screen .xterm-rows");
    const slider = page.getByRole("slider", { name: "Position" });
    for (const share of [0.95, 0.2, 0.6]) {
      const started = performance.now();
      await page.goto(`${gateway.web}/sessions/${id}?t=${Math.floor((share * endUs) / 1e6)}s`);
      await rows.getByText(/\S/).first().waitFor();
      report(
        `the page at ${share * 100} %, painted`,
        performance.now() - started,
        (await heapMb()) - before,
        bounds.page,
      );
    }
    const started = performance.now();
    for (let i = 0; i < 60; i++) await slider.press(i % 3 === 2 ? "ArrowLeft" : "PageDown");
    await rows.getByText(/\S/).first().waitFor();
    report(
      "60 seeks on the page by keys",
      performance.now() - started,
      (await heapMb()) - before,
      bounds.page,
    );
  } finally {
    await browser.close();
  }
}
