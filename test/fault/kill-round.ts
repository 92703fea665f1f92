/**
 * One round of the promise that what either side saw is in the recording: a person types and a target prints through a
 * real gateway between a real `ssh` and a real `sshd`, the gateway is killed with SIGKILL at a random moment, started
 * again on what it left, and its recording is held against what both ends saw.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Gateway, type TestPerson, sshOptions, startGateway } from "../parts/gateway.ts";
import type { Sshd } from "../parts/openssh.ts";
import { awaitStored, recorded as recordingOf } from "../parts/sessions.ts";

export type Round = { gateway: Gateway; sshd: Sshd; person: TestPerson; seed: number };

/** Milliseconds after the first output at which the gateway may die. */
const lifeMsMax = 400;

/** Kills `gateway` in the middle of a session and returns the one that was started on what it left. */
export async function killRound({ gateway, sshd, person, seed }: Round): Promise<Gateway> {
  const random = mulberry(seed);
  const typedFile = join(gateway.dataDir, `typed-${seed}`);
  writeFileSync(typedFile, "");
  // Raw, so that no terminal changes a byte on its way: what `cat` writes is what arrived, what we read is what was shown.
  const command = `stty raw -echo; printf 'ready\\n'; (n=0; while :; do n=$((n+1)); echo "out $n ${"#".repeat(random() % 200)}"; done) & exec cat >> ${typedFile}`;
  const client = spawn(
    "/usr/bin/ssh",
    [...sshOptions(gateway, person), "-tt", `${sshd.user}+web-01@127.0.0.1`, command],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const seen: Buffer[] = [];
  let complaints = "";
  client.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    client.stdout.on("data", (chunk: Buffer) => {
      seen.push(chunk);
      resolve();
    });
    void closed.then(() =>
      reject(new Error(`seed ${seed}: ssh ended before it printed: ${complaints}\n${gateway.output()}`)),
    );
  });
  const typing = type(client, random);
  await new Promise((resolve) => setTimeout(resolve, random() % lifeMsMax)); // the random moment itself
  await gateway.kill("SIGKILL");
  typing.stop();
  await closed;

  const shown = Buffer.concat(seen);
  const next = await startGateway({ dataDir: gateway.dataDir });
  try {
    await compare(next, shown, typedFile, seed);
  } catch (error) {
    await next.kill("SIGKILL");
    throw error;
  }
  rmSync(typedFile);
  return next;
}

async function compare(gateway: Gateway, shown: Buffer, typedFile: string, seed: number): Promise<void> {
  const session = await awaitStored(gateway);
  assert.equal(session.state, "interrupted", `seed ${seed}`);
  assert.equal(session.end?.reason, "interrupted", `seed ${seed}`);
  const recording = await recordingOf(gateway, session);
  const output = recording.bytes("output");
  const input = recording.bytes("input");
  // The target's `cat` was cut off by the kill; what it wrote by then is what it certainly saw.
  const typed = readFileSync(typedFile);
  assert.ok(shown.length > 0, `seed ${seed}: something was shown`);
  assertBeginsWith(output, shown, `seed ${seed}: what the person saw`);
  assertBeginsWith(input, typed, `seed ${seed}: what the target got`);

  const verification = await gateway.admin.recordings.verify(session.id);
  assert.equal(verification.ok, true, `seed ${seed}: ${verification.firstFault}`);
  const ends = await gateway.admin.audit.list({ session: session.id, event: "session.end" });
  assert.deepEqual(
    ends.items.map((event) => event.fields["reason"]),
    ["interrupted"],
    `seed ${seed}`,
  );
}

function assertBeginsWith(recorded: Buffer, seen: Buffer, what: string): void {
  assert.ok(
    recorded.length >= seen.length,
    `${what} (${seen.length} bytes) is more than was recorded (${recorded.length} bytes)`,
  );
  if (recorded.subarray(0, seen.length).equals(seen)) return;
  let at = 0;
  while (recorded[at] === seen[at]) at++;
  assert.fail(
    `${what} differs from the recording at byte ${at}: ${JSON.stringify(seen.subarray(at, at + 40).toString())}, ` +
      `recorded ${JSON.stringify(recorded.subarray(at, at + 40).toString())}`,
  );
}

/** Types like a person in a hurry, until stopped. */
function type(client: ChildProcess, random: () => number): { stop(): void } {
  let n = 0;
  let timer: NodeJS.Timeout;
  client.stdin?.on("error", () => undefined); // the client may be gone first
  const next = () => {
    client.stdin?.write(`typed ${n++} ${"k".repeat(random() % 40)}\r`);
    timer = setTimeout(next, random() % 10);
  };
  next();
  return { stop: () => clearTimeout(timer) };
}

function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}
