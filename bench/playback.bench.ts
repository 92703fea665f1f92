/**
 * What a seek costs, however long the recording: `node bench/playback.bench.ts`. Recordings of a minute, an hour and eight hours at the
 * same pace (25 MB an hour of `ls -lR` in colour, 4 KiB at a time), sealed and in memory, so that what is measured is the format and not a
 * store. A seek reads a keyframe and the frames after it and shows them on a terminal. Then an hour of somebody who types (2 MB, 100
 * bytes at a time), a flood of a minute, and 10 MB of `yes`. Making the index is set against the terminal alone, queued writes of the same
 * bytes, in the same run, and counted in CPU time of the process: with the filter for searches and compression on the same thread, as the
 * gateway makes it, the least of BENCH_ROUNDS. BENCH_ONLY chooses by the beginning of a name.
 */
import { execFileSync } from "node:child_process";
import { constants, zstdCompressSync } from "node:zlib";
import { type Frame, openRecording, memorySource } from "@gatehouse/recording";
import { openIndex } from "@gatehouse/recording/index";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { TrigramFilterMaking } from "@gatehouse/recording/passages";
import { createScreen } from "../packages/cli/src/player/screen.ts";
import { blankTerminal } from "../packages/recording/src/testing/blank-terminal.ts";
import { sampleRecording } from "../packages/recording/src/testing/sample-recording.ts";

const only = process.env["BENCH_ONLY"] ?? "";
const seeks = Number(process.env["BENCH_SEEKS"] ?? 200);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 1);
const root = new URL("..", import.meta.url).pathname;
const listing = execFileSync("ls", ["-lR", "--color=always", "node_modules", "packages"], {
  cwd: root,
  maxBuffer: 1 << 30,
});
const passed = Buffer.from(listing.toString("latin1").replaceAll("\n", "\r\n"), "latin1");

const yes = Buffer.from("y\r\n".repeat(10 * 1024));

function framesOf(hours: number, megabytes: number, frameBytes: number, said: Uint8Array): Frame[] {
  const count = Math.ceil((megabytes * 1024 * 1024) / frameBytes);
  const everyUs = Math.floor((hours * 3_600_000_000) / count);
  return Array.from({ length: count }, (_, seq) => {
    const at = (seq * frameBytes) % (said.length - frameBytes);
    return {
      seq,
      timeUs: seq * everyUs,
      kind: "output",
      stream: 0,
      data: said.subarray(at, at + frameBytes),
    };
  });
}

const atShare = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

/** The CPU time that a terminal takes to show these by itself. */
async function terminalMs(frames: readonly Frame[]): Promise<number> {
  const terminal = blankTerminal();
  const cpu = cpuMs();
  for (let i = 0; i < frames.length; i += 64)
    await Promise.all(
      frames
        .slice(i, i + 64)
        .map(({ data }) => new Promise<void>((resolve) => terminal.write(data, resolve))),
    );
  const ms = cpuMs() - cpu;
  terminal.dispose();
  return ms;
}

for (const [name, hours, megabytes, frameBytes, said] of [
  ["1 minute", 1 / 60, 25 / 60, 4096, passed],
  ["1 hour", 1, 25, 4096, passed],
  ["8 hours", 8, 200, 4096, passed],
  ["typing", 1, 2, 100, passed],
  ["a flood", 1 / 60, 64, 4096, passed],
  ["yes", 1 / 60, 10, 4096, yes],
] as const) {
  if (!name.startsWith(only)) continue;
  const frames = framesOf(hours, megabytes, frameBytes, said);
  const sample = await sampleRecording({ seed: 1, frames, perSegment: 256 });
  const source = memorySource(sample.objects);
  const { facts, keys, manifest, opener } = sample;
  const build = () =>
    buildIndex({
      facts,
      frames: (async function* () {
        yield* frames;
      })(),
      laneKey: keys.main,
      headSha256: manifest.headSha256,
      filter: new TrigramFilterMaking(),
      crypto: {
        ...nodeSealCrypto,
        compress: (plain) =>
          zstdCompressSync(plain, {
            params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_contentSizeFlag]: 1 },
            pledgedSrcSize: plain.length,
          }),
      },
    });
  let bytes: Uint8Array = new Uint8Array(0);
  let alone = Infinity;
  let buildMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    alone = Math.min(alone, await terminalMs(frames));
    const cpu = cpuMs();
    bytes = await build();
    buildMs = Math.min(buildMs, cpuMs() - cpu);
  }
  const shownMb = (frames.length * frameBytes) / 1e6;

  let read = 0;
  const openingStart = performance.now();
  const openingCpu = cpuMs();
  const recording = await openRecording({ source, openers: [opener], zstd: nodeZstd });
  const index = await openIndex({
    read: async (start, end) => {
      read += Math.min(end, bytes.length) - start;
      return bytes.subarray(start, end);
    },
    recordingId: facts.sessionId,
    deriveKey: recording.deriveKey,
    zstd: nodeZstd,
  });
  const openingMs = performance.now() - openingStart;
  const openingCpuMs = cpuMs() - openingCpu;
  const { arrayBuffers: before } = process.memoryUsage();
  let most = before;

  const took: number[] = [];
  read = 0;
  const { durationUs } = index.directory;
  for (let i = 0; i < seeks; i++) {
    const momentUs = Math.floor(Math.random() * durationUs);
    const start = performance.now();
    const keyframe = await index.keyframeAt(momentUs);
    const screen = createScreen(keyframe ?? { cols: 80, rows: 24 });
    if (keyframe) screen.restore(keyframe.state);
    for await (const frame of recording.frames({ fromTimeUs: keyframe?.timeUs ?? 0, toTimeUs: momentUs }))
      if (frame.seq >= (keyframe?.seq ?? 0)) screen.apply(frame);
    await screen.settled();
    took.push(performance.now() - start);
    most = Math.max(most, process.memoryUsage().arrayBuffers);
    screen.dispose();
  }
  took.sort((a, b) => a - b);
  process.stdout.write(
    `${name.padEnd(9)} ${shownMb.toFixed(1)} MB: open ${openingMs.toFixed(1)} ms (${openingCpuMs.toFixed(1)} of CPU); ` +
      `seek p50 ${atShare(took, 0.5).toFixed(1)} ms, p99 ${atShare(took, 0.99).toFixed(1)} ms, ` +
      `${(read / seeks / 1024).toFixed(1)} KiB of the index each, ${((most - before) / 1e6).toFixed(0)} MB of buffers more at most; ` +
      `index ${(bytes.length / 1e6).toFixed(2)} MB, ${index.directory.keyframes.timeUs.length} keyframes, ` +
      `made at ${((shownMb / buildMs) * 1000).toFixed(1)} MB a second of CPU (the terminal alone ${((shownMb / alone) * 1000).toFixed(1)}: ${(alone / buildMs).toFixed(2)}), ` +
      `${(buildMs / hours / 1000).toFixed(1)} s for an hour\n`,
  );
}
process.stdout.write(
  `memory at the end: ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB, the recordings themselves included\n`,
);
