import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { newId, seededRandom, TestClock, systemRandom } from "@gatehouse/kernel";
import type { Frame, SessionFacts } from "../../frame.ts";
import { nodeSignerFromSeed, nodeZstd } from "../../node/mod.ts";
import { openRecording } from "../../recording-reader.ts";
import { storeSource } from "../../source.ts";
import { facts } from "../../testing/facts.ts";
import { type Verification, verifyRecording } from "../../verify.ts";
import { ageOpener, ageWrapper } from "../../wrapped-keys.ts";
import type { ObjectStore, RecordingChange, RecordingPipeline } from "../door.ts";
import type { PipelineLimits } from "../limits.ts";
import { createPipeline, type PipelineOptions } from "../pipeline.ts";
import { objectPrefix } from "../shipper.ts";

const identity = await generateX25519Identity();
const wrapper = ageWrapper([await identityToRecipient(identity)]);
export const opener = ageOpener([identity]);
export const signer = nodeSignerFromSeed(seededRandom(7).bytes(32));

/** Small enough that every limit is met within a test. */
export const smallLimits: Partial<PipelineLimits> = {
  journalCapacityBytes: 512 * 1024,
  journalFileBytes: 64 * 1024,
  groupBytesMax: 8 * 1024,
  sessionReserveBytes: 16 * 1024,
  segmentBytes: 8 * 1024,
  segmentAgeMs: 1_000,
  spoolBytesMax: 4 * 1024 * 1024,
  retryMinMs: 1,
  retryMaxMs: 4,
};

export type Line = {
  level: "info" | "warn" | "error";
  message: string;
  fields: Record<string, string | number>;
};

export function testLog(lines: Line[]): PipelineOptions["log"] {
  const at = (level: Line["level"]) => (message: string, fields: Line["fields"]) =>
    void lines.push({ level, message, fields });
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

export type TestPipeline = {
  pipeline: RecordingPipeline;
  clock: TestClock;
  lines: Line[];
  changes: RecordingChange[];
  /** Resolves when a recording comes to this state. */
  state(sessionId: string, state: RecordingChange["state"]): Promise<RecordingChange>;
};

export function testPipeline(
  options: Partial<PipelineOptions> & { store: ObjectStore; clock?: TestClock },
): TestPipeline {
  const lines: Line[] = [];
  const clock = options.clock ?? new TestClock();
  const pipeline = createPipeline({
    directory: "/gate",
    random: systemRandom,
    signer,
    recipients: { main: [wrapper], input: [wrapper] },
    log: testLog(lines),
    ...(options.disk && { lock: () => ({ release() {} }) }),
    ...options,
    clock,
    limits: { ...smallLimits, ...options.limits },
  });
  const changes: RecordingChange[] = [];
  let waiting: { sessionId: string; state: string; resolve: (change: RecordingChange) => void }[] = [];
  pipeline.onState((change) => {
    changes.push(change);
    const matches = (one: { sessionId: string; state: string }) =>
      one.sessionId === change.sessionId && one.state === change.state;
    for (const one of waiting.filter(matches)) one.resolve(change);
    waiting = waiting.filter((one) => !matches(one));
  });
  return {
    pipeline,
    clock,
    lines,
    changes,
    state(sessionId, state) {
      const past = changes.find((change) => change.sessionId === sessionId && change.state === state);
      if (past) return Promise.resolve(past);
      return new Promise((resolve) => waiting.push({ sessionId, state, resolve }));
    },
  };
}

let count = 0;
export function newFacts(): SessionFacts {
  return { ...facts, sessionId: newId(Date.parse(facts.startedAt) + count++, systemRandom) };
}

/** What a store holds of one recording, opened and verified. */
export async function readBack(
  store: ObjectStore,
  of: SessionFacts,
): Promise<{ frames: Frame[]; verification: Verification }> {
  const source = storeSource(store, `${objectPrefix(of)}/`);
  const recording = await openRecording({ source, openers: [opener], zstd: nodeZstd });
  const frames: Frame[] = [];
  for await (const frame of recording.frames()) frames.push({ ...frame, data: frame.data.slice() });
  const verification = await verifyRecording(source, {
    openers: [opener],
    trustedKeys: [signer.publicKey],
    zstd: nodeZstd,
  });
  return { frames, verification };
}
