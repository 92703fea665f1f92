/**
 * How fast segments are built and read: `node bench/recording-format.bench.ts`. One thread: compression runs on it,
 * not on the pool. Figures are MB a second of CPU time, everything counted. Text is a real terminal's (`ls -lR` in colour); noise does not compress.
 * The ratio is against what cannot be saved, zstd level 1 and AES-256-GCM alone on the same bytes in the same run,
 * because the machine's speed drifts.
 */
import { execFileSync } from "node:child_process";
import { createCipheriv, randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import {
  type Frame,
  importKeys,
  LaneSealer,
  openSegment,
  parseSegment,
  sealSegment,
  type SealCrypto,
  type Zstd,
  scriptZstd,
} from "@gatehouse/recording";
import { nodeSealCrypto, nodeSignerFromSeed, nodeZstd } from "@gatehouse/recording/node";

const totalBytes = 64 * 1024 * 1024;
const frameBytes = 4 * 1024;
const rounds = 5;
const recordingId = "0199c0de-0000-7000-8000-000000000001";

const oneThread: SealCrypto = {
  ...nodeSealCrypto,
  compress: (plain) =>
    zstdCompressSync(plain, {
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
      pledgedSrcSize: plain.length,
    }),
};

function terminalText(): Uint8Array {
  const root = new URL("..", import.meta.url).pathname;
  const listing = execFileSync("ls", ["-lR", "--color=always", "node_modules", "packages"], {
    cwd: root,
    maxBuffer: 1 << 30,
  });
  // A terminal turns line feeds into CR LF, and that is what passes.
  const passed = Buffer.from(listing.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
  const out = new Uint8Array(totalBytes);
  for (let at = 0; at < totalBytes; at += passed.length)
    out.set(passed.subarray(0, Math.min(passed.length, totalBytes - at)), at);
  return out;
}

function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += frameBytes)
    frames.push({
      seq: frames.length,
      timeUs: frames.length * 900,
      kind: "output",
      stream: 0,
      data: bytes.subarray(at, at + frameBytes),
    });
  return frames;
}

const keys = { main: randomBytes(32), input: randomBytes(32) };
const sealer = (lane: "main" | "input") =>
  new LaneSealer({ recordingId, lane, key: keys[lane], crypto: oneThread });
const sealers = { main: sealer("main"), input: sealer("input") };
const signer = nodeSignerFromSeed(randomBytes(32));

async function build(frames: readonly Frame[], blockBytes: number): Promise<Uint8Array[]> {
  const per = blockBytes / frameBytes;
  const segments: Uint8Array[] = [];
  let previousSha256: Uint8Array = new Uint8Array(32);
  for (let at = 0; at < frames.length; at += per) {
    const place = { recordingId, n: 1 + at / per, previousSha256 };
    const built = await sealSegment({
      place,
      frames: frames.slice(at, at + per),
      sealers,
      signer,
      crypto: oneThread,
    });
    segments.push(built.bytes);
    previousSha256 = built.sha256;
  }
  return segments;
}

async function read(segments: readonly Uint8Array[], zstd: Zstd): Promise<number> {
  const open = await importKeys(keys);
  let bytes = 0;
  for (const segment of segments)
    for (const frame of (await openSegment(parseSegment(segment), open, zstd)).frames())
      bytes += frame.data.length;
  return bytes;
}

/** The floor: compress 1 MiB at a time and encrypt the result; for noise, encrypt alone. */
async function floor(bytes: Uint8Array, compress: boolean): Promise<void> {
  const key = randomBytes(32);
  for (let at = 0; at < bytes.length; at += 1024 * 1024) {
    const plain = bytes.subarray(at, at + 1024 * 1024);
    const packed = compress ? await oneThread.compress(plain) : plain;
    const cipher = createCipheriv("aes-256-gcm", key, randomBytes(12));
    cipher.update(packed);
    cipher.final();
  }
}

/** Median over several rounds of MB per second of CPU, which others on the machine disturb least. */
async function speed(bytes: number, run: () => Promise<unknown> | unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1e3);
  }
  times.sort((a, b) => a - b);
  return bytes / 1e3 / (times[Math.floor(rounds / 2)] as number);
}

const print = (name: string, mbps: number, more: string) =>
  process.stdout.write(`${name.padEnd(34)} ${mbps.toFixed(0).padStart(6)} MB/cpu-s  ${more}\n`);

for (const [name, bytes] of [
  ["text", terminalText()],
  ["noise", randomBytes(totalBytes)],
] as const) {
  const frames = framesOf(bytes);
  const alone = await speed(bytes.length, () => floor(bytes, name === "text"));
  print(`${name}, ${name === "text" ? "zstd and AES" : "AES"} alone`, alone, "ratio 1.00");
  for (const blockBytes of [64 * 1024, 256 * 1024, 1024 * 1024]) {
    const segments = await build(frames, blockBytes);
    const stored = segments.reduce((sum, segment) => sum + segment.length, 0);
    const mbps = await speed(bytes.length, () => build(frames, blockBytes));
    const shrunk = `${(bytes.length / stored).toFixed(1)}x smaller`;
    print(
      `${name}, build ${blockBytes / 1024} KiB segments`,
      mbps,
      `ratio ${(mbps / alone).toFixed(2)}, ${shrunk}`,
    );
    if (blockBytes !== 1024 * 1024) continue;
    for (const [decoder, zstd] of [
      ["native", nodeZstd],
      ["script", scriptZstd],
    ] as const) {
      const back = await speed(bytes.length, () => read(segments, zstd));
      print(`${name}, read, ${decoder} decoder`, back, `ratio ${(back / alone).toFixed(2)}`);
    }
  }
}
