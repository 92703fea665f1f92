/**
 * What it costs to bring recordings to a store: `node bench/store.bench.ts`. Shipping (create, read back, compare, release) against
 * the SDK's plain upload of the same objects, four at a time, in one run, interleaved; on Ceph where it is installed,
 * else in the file system, against plain writes with fsync. Then the CPU of sealing a gigabyte, and how long it takes until a stored
 * eight-hour recording is open and its first frame of the last minute is there.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, systemClock, systemRandom } from "@gatehouse/kernel";
import {
  type SessionFacts,
  ageOpener,
  ageWrapper,
  openRecording,
  storeSource,
  verifyRecording,
} from "@gatehouse/recording";
import { nodeSignerFromSeed, nodeZstd } from "@gatehouse/recording/node";
import { type ObjectStore, createPipeline, objectPrefix } from "@gatehouse/recording/pipeline";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { openFilesystemStore, openS3Store, s3StoreSchema } from "../packages/gateway/src/stores/mod.ts";
import { plainS3 } from "../packages/gateway/src/stores/testing/plain-s3.ts";
import { facts as anyFacts } from "../packages/recording/src/testing/facts.ts";
import { cephMissing, startCeph } from "../test/parts/ceph.ts";

const objectBytes = 1024 * 1024;
const objects = Number(process.env["BENCH_OBJECTS"] ?? 96);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const atOnce = 4;
const folder = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
const bucket = "recordings";
const options = { clock: systemClock, random: systemRandom, dataDir: folder };

type Place = {
  name: string;
  store: ObjectStore;
  plain(key: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
};

async function onCeph(): Promise<Place> {
  const ceph = await startCeph();
  process.env["AWS_ACCESS_KEY_ID"] = ceph.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = ceph.secretAccessKey;
  const plain = await plainS3(ceph.endpoint, bucket);
  const config = s3StoreSchema.parse({ type: "s3", bucket, endpoint: ceph.endpoint, force_path_style: true });
  const { store } = await openS3Store(config, options);
  return {
    name: "Ceph",
    store,
    plain,
    close: () => ceph.close(),
  };
}

async function onFiles(): Promise<Place> {
  const { store } = await openFilesystemStore(
    { type: "filesystem", path: "store", immutable: false, accept_unenforced_immutability: true },
    options,
  );
  mkdirSync(join(folder, "plain"), { recursive: true });
  return {
    name: "file system",
    store,
    plain: async (key, bytes) => {
      await using file = await openFile(join(folder, "plain", key.replaceAll("/", "-")), "wx");
      await file.writeFile(bytes);
      await file.sync();
    },
    close: async () => {},
  };
}

const seconds = async (work: () => Promise<void>) => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
};
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const rate = (s: number) => (objects * objectBytes) / 1e6 / s;

const identity = await generateX25519Identity();
const wrapper = ageWrapper([await identityToRecipient(identity)]);
const openers = [ageOpener([identity])];

function pipelineOn(store: ObjectStore, name: string) {
  const limits = {
    journalCapacityBytes: 256 * 1024 * 1024,
    segmentBytes: objectBytes,
    shipConcurrency: Number(process.env["BENCH_AT_ONCE"] ?? 8),
  };
  return createPipeline({
    directory: join(folder, name),
    store,
    clock: systemClock,
    random: systemRandom,
    signer: nodeSignerFromSeed(systemRandom.bytes(32)),
    recipients: { main: [wrapper], input: [wrapper] },
    limits,
    log: {
      info() {},
      warn: (message, fields) => console.error(message, fields),
      error: (message, fields) => console.error(message, fields),
    },
  });
}
const newFacts = (): SessionFacts => ({ ...anyFacts, sessionId: newId(Date.now(), systemRandom) });

/** Noise, so that nothing is won by compressing. Sealed while the store takes nothing; timed is what remains. */
async function ship(place: Place, round: number): Promise<number> {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const { store } = place;
  const gated: ObjectStore = {
    create: async (...call) => {
      await held;
      return store.create(...call);
    },
    read: (...call) => store.read(...call),
    stat: (...call) => store.stat(...call),
    list: (...call) => store.list(...call),
    remove: (...call) => store.remove(...call),
    retention: (...call) => store.retention(...call),
    hold: (...call) => store.hold(...call),
    clockAheadMs: () => store.clockAheadMs(),
    probe: () => store.probe(),
  };
  const pipeline = pipelineOn(gated, `ship-${round}`);
  await pipeline.recover();
  await pipeline.admissible();
  const writer = await pipeline.open(newFacts());
  const stored = new Promise<void>((resolve) =>
    pipeline.onState(({ state }) => state === "stored" && resolve()),
  );
  const chunk = systemRandom.bytes(256 * 1024);
  for (let sent = 0; sent < objects * objectBytes; sent += chunk.length) {
    await writer.ready();
    await writer.append("output", 0, chunk);
  }
  await writer.close({ reason: "closed" });
  const took = await seconds(async () => {
    release();
    await stored;
  });
  await pipeline.stop({ deadlineMs: 1_000 });
  return took;
}

async function plain(place: Place, round: number): Promise<number> {
  const bytes = systemRandom.bytes(objectBytes);
  let next = 0;
  return seconds(async () => {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (next < objects) await place.plain(`plain/${round}/${next++}`, bytes);
      }),
    );
  });
}

async function sealing(): Promise<{ cpu: number; ratio: number }> {
  const nowhere = (await onFiles()).store;
  const pipeline = pipelineOn(nowhere, "seal");
  await pipeline.recover();
  await pipeline.admissible();
  const writer = await pipeline.open(newFacts());
  const text = Buffer.from(
    Array.from(
      { length: 1_400 },
      (_, n) => `drwxr-xr-x ${(n * 7919) % 97} root root ${(n * 104_729) % 65_536} file-${n}\r\n`,
    ).join(""),
  );
  const before = process.cpuUsage();
  let bytes = 0;
  while (bytes < 128 * 1024 * 1024) {
    await writer.ready();
    await writer.append("output", 0, text.subarray(0, 64 * 1024));
    bytes += Math.min(text.length, 64 * 1024);
  }
  const { bytes: packed } = await writer.close({ reason: "closed" });
  const { user, system } = process.cpuUsage(before);
  await pipeline.stop({ deadlineMs: 30_000 });
  return { cpu: (user + system) / 1e6 / (bytes / 1e9), ratio: bytes / packed };
}

/** One segment each 15 seconds, as a session that says a little all the time has. */
async function eightHours(
  place: Place,
): Promise<{ openMs: number; seekMs: number; verifyS: number; segments: number }> {
  let us = 0;
  const clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs(),
    after: systemClock.after.bind(systemClock),
    monotonicUs: () => us,
  };
  const pipeline = createPipeline({
    directory: join(folder, `long-${place.name.replaceAll(" ", "-")}`),
    store: place.store,
    clock,
    random: systemRandom,
    signer: nodeSignerFromSeed(systemRandom.bytes(32)),
    recipients: { main: [wrapper], input: [wrapper] },
    limits: { segmentFramesMax: 30, shipConcurrency: 8 },
    log: { info() {}, warn() {}, error: (message, fields) => console.error(message, fields) },
  });
  await pipeline.recover();
  await pipeline.admissible();
  const facts = newFacts();
  const writer = await pipeline.open(facts);
  const stored = new Promise<void>((resolve) =>
    pipeline.onState(({ state }) => state === "stored" && resolve()),
  );
  for (let half = 0; half < 8 * 3600 * 2; half++) {
    us = half * 500_000;
    const kept = writer.append("output", 0, Buffer.from(`half second ${half}\r\n`));
    if (half % 30 === 29) await kept;
  }
  await writer.close({ reason: "closed" });
  await stored;
  await pipeline.stop({ deadlineMs: 1_000 });
  const source = storeSource(place.store, `${objectPrefix(facts)}/`);
  const began = performance.now();
  const recording = await openRecording({ source, openers, zstd: nodeZstd });
  const openMs = performance.now() - began;
  for await (const _ of recording.frames({ fromTimeUs: us - 60_000_000 })) break;
  const seekMs = performance.now() - began;
  const verifyS = await seconds(async () => {
    const { ok } = await verifyRecording(source, { openers, zstd: nodeZstd });
    if (!ok) throw new Error("it does not verify");
  });
  return { openMs, seekMs, verifyS, segments: recording.manifest?.segments.length ?? 0 };
}

try {
  const place = cephMissing() === undefined ? await onCeph() : await onFiles();
  try {
    const plainly: number[] = [];
    const shipped: number[] = [];
    for (let round = 0; round < rounds; round++) {
      plainly.push(await plain(place, round));
      shipped.push(await ship(place, round));
    }
    const [p, s] = [median(plainly), median(shipped)];
    console.log(`${place.name}, ${objects} objects of 1 MiB, median of ${rounds}`);
    console.log(
      `plain upload ${rate(p).toFixed(1)} MB/s, shipping ${rate(s).toFixed(1)} MB/s: ${(p / s).toFixed(2)} of plain`,
    );
    const long = await eightHours(await onFiles());
    console.log(
      `eight hours in the file system, ${long.segments} segments: open ${long.openMs.toFixed(0)} ms, last minute ${long.seekMs.toFixed(0)} ms, verified in ${long.verifyS.toFixed(1)} s`,
    );
  } finally {
    await place.close();
  }
  const { cpu, ratio } = await sealing();
  console.log(
    `sealing text: ${cpu.toFixed(2)} CPU s/GB with journal and store, ${ratio.toFixed(1)} times smaller`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
