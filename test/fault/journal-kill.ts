/**
 * One round of the journal's promise: a process that records is killed with SIGKILL at a random moment, recovery is killed
 * too now and then, and what was acknowledged is held against what is in the store.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { equalBytes, seededRandom, systemClock, systemRandom } from "@gatehouse/kernel";
import {
  ageOpener,
  ageWrapper,
  type FrameKind,
  openRecording,
  type SessionFacts,
  storeSource,
  verifyRecording,
} from "@gatehouse/recording";
import { nodeSignerFromSeed, nodeZstd } from "@gatehouse/recording/node";
import { createPipeline, type PipelineLimits } from "@gatehouse/recording/pipeline";
import { createFilesystemStore } from "../../packages/gateway/src/stores/filesystem/mod.ts";

export const signerSeed = seededRandom(7).bytes(32);

/** Small, so that a round goes through files, segments and shipping many times. */
export const killLimits: Partial<PipelineLimits> = {
  journalCapacityBytes: 4 * 1024 * 1024,
  journalFileBytes: 256 * 1024,
  groupBytesMax: 64 * 1024,
  sessionReserveBytes: 64 * 1024,
  segmentBytes: 24 * 1024,
  segmentAgeMs: 40,
};

/** What a session's frame number `i` holds: both sides know it without telling each other. */
export function frameData(sessionId: string, i: number): { kind: FrameKind; data: Uint8Array } {
  const digest = createHash("sha256").update(`${sessionId} ${i}`).digest();
  const length = (digest.readUInt16BE(0) % 8 === 0 ? 40 : 1) * (digest.readUInt16BE(2) % 200);
  const data = Buffer.alloc(length, digest);
  return { kind: (["output", "input", "stdout"] as const)[digest.readUInt8(4) % 3] as FrameKind, data };
}

type Told = { facts: Map<string, SessionFacts>; acknowledged: Map<string, number>; closed: Set<string> };

export type JournalRound = { directory: string; identity: string; recipient: string; seed: number };

export async function journalKillRound(
  round: JournalRound,
): Promise<{ sessions: number; acknowledged: number }> {
  const chance = chances(round.seed);
  const told = await killed(round, undefined, chance() * 200);
  while (chance() < 0.3) await killed(round, "recover", chance() * 60);
  await recoverAndCheck(round, told);
  return {
    sessions: told.facts.size,
    acknowledged: [...told.acknowledged.values()].reduce((sum, count) => sum + count, 0),
  };
}

/** Runs the child for so long after its first acknowledgement, or the beginning of its recovery, and reads what it said. */
async function killed(round: JournalRound, mode: "recover" | undefined, lifeMs: number): Promise<Told> {
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL("journal-kill-child.ts", import.meta.url)),
      round.directory,
      round.recipient,
      String(round.seed),
      ...(mode ? [mode] : []),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const gone = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (_code, signal) => resolve(signal)),
  );
  const kill = () => setTimeout(() => child.kill("SIGKILL"), lifeMs);
  const from = mode ? /^recovering$/m : /^ack /m;
  let started = false;
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (started || !from.test(said)) return;
    started = true;
    kill();
  });
  const signal = await gone;
  // A recovery may be done before it is killed.
  if (!mode) assert.equal(signal, "SIGKILL", `the child ended by itself: ${complaints}`);
  const told: Told = { facts: new Map(), acknowledged: new Map(), closed: new Set() };
  // A line without its end was cut off by the kill.
  for (const line of said.split("\n").slice(0, -1)) {
    const [word, sessionId = "", rest = ""] = /^(\S+) ?(\S*) ?(.*)$/.exec(line)?.slice(1) ?? [];
    if (word === "open") told.facts.set(sessionId, JSON.parse(rest) as SessionFacts);
    if (word === "ack") told.acknowledged.set(sessionId, Number(rest));
    if (word === "closed") told.closed.add(sessionId);
  }
  return told;
}

async function recoverAndCheck(round: JournalRound, told: Told): Promise<void> {
  const troubles: string[] = [];
  const trouble = (message: string, fields: object) =>
    void troubles.push(`${message} ${JSON.stringify(fields)}`);
  const signer = nodeSignerFromSeed(signerSeed);
  const store = createFilesystemStore({
    directory: join(round.directory, "store"),
    clock: systemClock,
    random: systemRandom,
  });
  const wrapper = ageWrapper([round.recipient]);
  const pipeline = createPipeline({
    directory: join(round.directory, "pipeline"),
    store,
    clock: systemClock,
    random: systemRandom,
    signer,
    recipients: { main: [wrapper], input: [wrapper] },
    limits: killLimits,
    log: { info() {}, warn() {}, error: trouble },
  });
  const recovered = new Map((await pipeline.recover()).map((one) => [one.facts.sessionId, one]));
  await pipeline.stop({ deadlineMs: 30_000 });
  assert.deepEqual(troubles, []);
  for (const [sessionId, facts] of told.facts) {
    const source = storeSource(
      store,
      `recordings/${facts.startedAt.slice(0, 10).replaceAll("-", "/")}/${sessionId}/`,
    );
    const openers = [ageOpener([round.identity])];
    const verification = await verifyRecording(source, {
      openers,
      trustedKeys: [signer.publicKey],
      zstd: nodeZstd,
    });
    assert.deepEqual(verification.findings, [], `session ${sessionId}`);
    const complete = verification.state === "complete";
    if (told.closed.has(sessionId)) assert.ok(complete, "what was closed is complete");
    assert.equal(recovered.has(sessionId), !complete, "what was interrupted is reported");
    const recording = await openRecording({ source, openers, zstd: nodeZstd });
    let i = -1;
    for await (const frame of recording.frames()) {
      if (i >= 0 && frame.kind !== "session.end") {
        const was = frameData(sessionId, i);
        assert.equal(frame.kind, was.kind);
        assert.ok(equalBytes(frame.data, was.data), `frame ${frame.seq} of ${sessionId} has other bytes`);
      }
      if (frame.kind !== "session.end") i++;
    }
    const acknowledged = told.acknowledged.get(sessionId) ?? 0;
    assert.ok(i >= acknowledged, `${i} frames of ${sessionId}, and ${acknowledged} were acknowledged`);
  }
  for (const sessionId of recovered.keys()) await pipeline.confirmRecovered(sessionId);
}

/** Numbers in [0, 1) that a seed gives again. */
function chances(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32;
}
