/**
 * The recording pipeline on this machine's disk: latency of a durable append, throughput, and what recording costs. Every
 * figure stands beside a bare write + fdatasync loop of the same run, because the disk is shared and drifts.
 *
 *     node bench/journal.bench.ts [--seconds 3]
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { newId, systemClock, systemRandom } from "@gatehouse/kernel";
import { ageWrapper, type SessionFacts } from "@gatehouse/recording";
import { nodeSigner } from "@gatehouse/recording/node";
import {
  createPipeline,
  type ObjectStore,
  type RecordingPipeline,
  type RecordingWriter,
} from "@gatehouse/recording/pipeline";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "3" }, only: { type: "string" } },
});
const seconds = Number(values.seconds);
const chosen = (name: string) => values.only === undefined || name.includes(values.only);

const recipient = await identityToRecipient(await generateX25519Identity());
const signer = nodeSigner(generateKeyPairSync("ed25519").privateKey);

/** Takes everything and keeps only the sizes, so that what is measured is the pipeline and not a second disk. */
function sinkStore(): ObjectStore {
  const kept = new Map<string, { bytes: number; sha256: string }>();
  return {
    create(key, bytes) {
      kept.set(key, { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      return Promise.resolve();
    },
    read: () => Promise.reject(new Error("not kept")),
    stat: (key) => Promise.resolve(kept.get(key) ?? { bytes: 0, sha256: "" }),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
    retention: () => Promise.resolve({ untilMs: 0, held: false }),
    hold: () => Promise.resolve("gatehouse"),
    clockAheadMs: () => undefined,
    probe: () => Promise.resolve({ overwrite: "none", deletion: "none", findings: [] }),
  };
}

async function withPipeline(work: (pipeline: RecordingPipeline) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
  const quiet = () => {};
  const pipeline = createPipeline({
    directory: join(directory, "pipeline"),
    store: sinkStore(),
    clock: systemClock,
    random: systemRandom,
    signer,
    recipients: { main: [ageWrapper([recipient])], input: [ageWrapper([recipient])] },
    log: { info: quiet, warn: console.error, error: console.error },
  });
  try {
    await pipeline.recover();
    // The whole journal has its place on the disk before anything is measured.
    while (pipeline.status().journal.capacityBytes < 500 * 1024 * 1024) await pause(50);
    await work(pipeline);
  } finally {
    await pipeline.stop({ deadlineMs: 30_000 });
    rmSync(directory, { recursive: true, force: true });
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function someFacts(): SessionFacts {
  return {
    sessionId: newId(Date.now(), systemRandom),
    startedAt: new Date().toISOString(),
    protocol: "ssh",
    kind: "shell",
    track: "terminal",
    user: { id: "u1", name: "ada" },
    login: "root",
    target: { id: "t1", name: "web-01", address: "10.0.0.5:22" },
    remoteAddress: "192.0.2.7:50022",
    connectionId: "c1",
    gatewayId: "g1",
  };
}

const openMany = (pipeline: RecordingPipeline, count: number): Promise<RecordingWriter[]> =>
  Promise.all(Array.from({ length: count }, () => pipeline.open(someFacts())));

/** A line of a terminal, compressible as such things are. */
const line = Buffer.from(
  "-rw-r--r-- 1 root root  4096 Feb 10 14:30 packages/recording/src/pipeline/journal.ts\r\n",
);

function text(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  for (let at = 0, n = 0; at < bytes; n++)
    at += out.write(`${String(n * 7919).padStart(8)} ${line.toString()}`, at, "latin1") || bytes;
  return out;
}

class Latencies {
  readonly #us: number[] = [];
  add(startMs: number): void {
    this.#us.push((performance.now() - startMs) * 1000);
  }
  get count(): number {
    return this.#us.length;
  }
  at(quantile: number): number {
    this.#us.sort((a, b) => a - b);
    return this.#us[Math.min(this.#us.length - 1, Math.floor(this.#us.length * quantile))] ?? Number.NaN;
  }
  toString(): string {
    const ms = (q: number) => (this.at(q) / 1000).toFixed(3);
    return `p50 ${ms(0.5)} ms  p99 ${ms(0.99)} ms`;
  }
}

/** CPU of this process, in per cent of one core, and of that what the thread took on which JavaScript runs. */
async function cpuOf(
  work: () => Promise<void>,
): Promise<{ percent: number; seconds: number; mainUs: number }> {
  const before = process.cpuUsage();
  const beforeMain = process.threadCpuUsage();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  const main = process.threadCpuUsage(beforeMain);
  return { percent: (user + system) / 10 / ms, seconds: ms / 1000, mainUs: main.user + main.system };
}

const report = (name: string, figures: string) => console.log(`${name.padEnd(46)} ${figures}`);

/** The floor: what the disk itself takes, written to blocks that exist, as the journal's are. */
async function bare(bytes: number): Promise<Latencies> {
  const path = join(mkdtempSync(join(tmpdir(), "gatehouse-bare-")), "file");
  const size = 64 * 1024 * 1024;
  const filled = openSync(path, "w");
  for (let at = 0; at < size; at += 1024 * 1024)
    writeSync(filled, Buffer.alloc(1024 * 1024), 0, 1024 * 1024, at);
  fsyncSync(filled);
  closeSync(filled);
  const fd = openSync(path, constants.O_RDWR);
  const latencies = new Latencies();
  const buffer = Buffer.alloc(bytes, 1);
  const until = performance.now() + Math.min(seconds, 0.7) * 1000;
  for (let at = 0; performance.now() < until; at = (at + bytes) % (size - bytes)) {
    const started = performance.now();
    await new Promise<void>((resolve, reject) =>
      write(fd, buffer, 0, bytes, at, (failed) =>
        failed ? reject(failed) : fdatasync(fd, (error) => (error ? reject(error) : resolve())),
      ),
    );
    latencies.add(started);
  }
  closeSync(fd);
  rmSync(join(path, ".."), { recursive: true });
  return latencies;
}

/** Beside each figure, the floor just before it. */
async function ratio(): Promise<(latencies: Latencies) => string> {
  const floor = await bare(4096);
  return (latencies) =>
    `${latencies}  (bare ${floor}: ${(latencies.at(0.5) / floor.at(0.5)).toFixed(2)} at p50)`;
}

for (const writers of [1, 10, 200])
  if (chosen("writers"))
    await withPipeline(async (pipeline) => {
      const open = await openMany(pipeline, writers);
      const latencies = new Latencies();
      const beside = await ratio();
      const until = performance.now() + seconds * 1000;
      const cpu = await cpuOf(async () => {
        await Promise.all(
          open.map(async (writer) => {
            while (performance.now() < until) {
              const started = performance.now();
              await writer.append("output", 0, line);
              latencies.add(started);
            }
          }),
        );
      });
      report(
        `${writers} writers, one append at a time each`,
        `${beside(latencies)}  ${Math.round(latencies.count / cpu.seconds)} appends/s  ${cpu.percent.toFixed(0)} % CPU, ${((cpu.percent * 1e4 * cpu.seconds) / latencies.count).toFixed(0)} µs each, ${(cpu.mainUs / latencies.count).toFixed(0)} on the main thread`,
      );
    });

for (const writers of [1, 10, 200])
  if (chosen("bulk"))
    await withPipeline(async (pipeline) => {
      const open = await openMany(pipeline, writers);
      const chunk = text(32 * 1024);
      let bytes = 0;
      const until = performance.now() + seconds * 1000;
      const cpu = await cpuOf(async () => {
        await Promise.all(
          open.map(async (writer) => {
            while (performance.now() < until) {
              if (writer.pendingBytes > 1024 * 1024) await writer.ready();
              bytes += chunk.length;
              void writer.append("output", 0, chunk);
              if (writer.pendingBytes > 256 * 1024) await writer.append("output", 0, line);
            }
          }),
        );
      });
      report(
        `${writers} writers, bulk text`,
        `${(bytes / 1e6 / cpu.seconds).toFixed(0)} MB/s journaled  ${cpu.percent.toFixed(0)} % CPU, ${((cpu.percent * cpu.seconds * 10) / (bytes / 1e6)).toFixed(2)} s of CPU per GB, ${(cpu.mainUs / 1e3 / (bytes / 1e6)).toFixed(2)} on the main thread`,
      );
    });

if (chosen("events"))
  await withPipeline(async (pipeline) => {
    const writers = await openMany(pipeline, 200);
    const latencies = new Latencies();
    const perSecond = 5_000;
    const waiting: Promise<void>[] = [];
    const beside = await ratio();
    const cpu = await cpuOf(async () => {
      const began = performance.now();
      for (let sent = 0; ;) {
        const now = performance.now() - began;
        if (now > seconds * 1000) break;
        for (; sent < (now / 1000) * perSecond; sent++) {
          const started = performance.now();
          const writer = writers[sent % writers.length] as RecordingWriter;
          waiting.push(writer.append("output", 0, line).then(() => latencies.add(started)));
        }
        await pause(1);
      }
      await Promise.all(waiting);
    });
    report(
      "5,000 events/s over 200 sessions",
      `${beside(latencies)}  ${cpu.percent.toFixed(0)} % CPU, ${((cpu.percent * 1e4 * cpu.seconds) / latencies.count).toFixed(0)} µs each, ${(cpu.mainUs / latencies.count).toFixed(0)} on the main thread`,
    );
  });

for (const [name, chunk] of [
  ["text", text(32 * 1024)],
  ["incompressible", Buffer.from(systemRandom.bytes(32 * 1024))],
] as const)
  if (chosen("100"))
    await withPipeline(async (pipeline) => {
      const [writer] = (await openMany(pipeline, 1)) as [RecordingWriter];
      const latencies = new Latencies();
      let sent = 0;
      const cpu = await cpuOf(async () => {
        const began = performance.now();
        for (;;) {
          const now = performance.now() - began;
          if (now > seconds * 1000) break;
          for (; sent < (now / 1000) * 100e6; sent += chunk.length) {
            const started = performance.now();
            void writer.append("output", 0, chunk).then(() => latencies.add(started));
            if (writer.pendingBytes > 1024 * 1024) await writer.ready();
          }
          await pause(1);
        }
        await writer.append("output", 0, line);
      });
      report(
        `recording 100 MB/s, ${name}`,
        `${(sent / 1e6 / cpu.seconds).toFixed(0)} MB/s  ${latencies}  ${cpu.percent.toFixed(0)} % CPU, ${((cpu.percent * cpu.seconds * 10) / (sent / 1e6)).toFixed(2)} s of CPU per GB, ${(cpu.mainUs / 1e3 / (sent / 1e6)).toFixed(2)} on the main thread`,
      );
    });
