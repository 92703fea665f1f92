/**
 * A gateway's recording pipeline as a process of its own, to be killed. Recovers what the last one left, then writes to
 * several sessions at once and says on standard output what was acknowledged, a line each, before it goes on:
 * `open <session> <facts>`, `ack <session> <frames>`, `closed <session>`; `recovering` and `recovered` around recovery.
 *
 *     node journal-kill-child.ts <directory> <recipient> <seed> [recover]
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { newId, seededRandom, systemClock, systemRandom } from "@gatehouse/kernel";
import { ageWrapper, type SessionFacts } from "@gatehouse/recording";
import { nodeSignerFromSeed } from "@gatehouse/recording/node";
import { createPipeline } from "@gatehouse/recording/pipeline";
import { createFilesystemStore } from "../../packages/gateway/src/stores/filesystem/mod.ts";
import { frameData, killLimits, signerSeed } from "./journal-kill.ts";

const [directory, recipient, seed, mode] = process.argv.slice(2) as [
  string,
  string,
  string,
  string | undefined,
];
/** Straight to the pipe: what the parent reads was said before whatever comes next. */
const say = (line: string) => writeSync(1, `${line}\n`);
const complain = (message: string, fields: object) => writeSync(2, `${message} ${JSON.stringify(fields)}\n`);

const wrapper = ageWrapper([recipient]);
const pipeline = createPipeline({
  directory: join(directory, "pipeline"),
  store: createFilesystemStore({
    directory: join(directory, "store"),
    clock: systemClock,
    random: systemRandom,
  }),
  clock: systemClock,
  random: systemRandom,
  signer: nodeSignerFromSeed(signerSeed),
  recipients: { main: [wrapper], input: [wrapper] },
  limits: killLimits,
  log: { info: complain, warn: complain, error: complain },
});
say("recovering");
await pipeline.recover();
say("recovered");

const random = seededRandom(Number(seed));
const some = (below: number) =>
  ((random.bytes(2)[0] as number) * 256 + (random.bytes(2)[1] as number)) % below;

async function session(): Promise<void> {
  const sessionId = newId(Date.now(), systemRandom);
  const facts: SessionFacts = {
    sessionId,
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
  const writer = await pipeline.open(facts);
  say(`open ${sessionId} ${JSON.stringify(facts)}`);
  const frames = 20 + some(400);
  let acknowledged = 0;
  const waiting: Promise<void>[] = [];
  for (let i = 0; i < frames; i++) {
    const { kind, data } = frameData(sessionId, i);
    const done = writer.append(kind, 0, data).then(() => {
      acknowledged = Math.max(acknowledged, i + 1);
      say(`ack ${sessionId} ${acknowledged}`);
    });
    waiting.push(done);
    if (some(3) > 0) await done;
  }
  await Promise.all(waiting);
  await writer.close({ reason: "closed" });
  say(`closed ${sessionId}`);
}

if (mode !== "recover")
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (;;) await session();
    }),
  );
else await pipeline.stop({ deadlineMs: 20_000 });
