/** What a killed gateway left behind is damaged before the next start: each damage is found and named, nothing is hidden. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync, statSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Gateway, sshOptions, startGateway } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitSession, awaitStored, eventually } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

/** Prints through the gateway until it is killed. Returns the id of that session. */
async function killedSession(stage: Stage, gateway: Gateway): Promise<string> {
  const client = spawn(
    "ssh",
    [...sshOptions(gateway, stage.person), "-tt", stage.address, "while :; do echo damaged-or-not; done"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const closed = new Promise((resolve) => client.once("close", resolve));
  let bytes = 0;
  client.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await eventually("output", () => bytes > 200_000 || undefined);
  const session = await awaitSession(gateway, ({ state }) => state === "live");
  await gateway.kill("SIGKILL");
  await closed;
  return session.id;
}

/** The journal file that holds this, and where. */
function inJournal(dataDir: string, wanted: Uint8Array): { file: string; at: number } {
  const folder = join(dataDir, "recording", "journal");
  for (const name of readdirSync(folder)) {
    const at = readFileSync(join(folder, name)).indexOf(wanted);
    if (at >= 0) return { file: join(folder, name), at };
  }
  throw new Error("the journal does not hold it");
}
function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
}

test("a bit that flipped in the journal of a killed gateway is named at the next start", async () => {
  const stage = await startStage();
  const { dataDir } = stage.gateway;
  let gateway = stage.gateway;
  try {
    const id = await killedSession(stage, gateway);
    const idBytes = Buffer.from(id.replaceAll("-", ""), "hex");
    const { file, at } = inJournal(dataDir, idBytes);
    // Well behind the opening of the recording, in the middle of what follows.
    flip(file, at + 20_000);
    gateway = await startGateway({ dataDir });
    assert.match(gateway.output(), /"message":"journal: /);
    const { items } = await gateway.admin.sessions.list({ limit: 10 });
    const session = items.find((one) => one.id === id);
    assert.equal(session?.state, "interrupted");
    const settled = await eventually("a settled recording", async () => {
      const { recording } = await gateway.admin.sessions.get(id);
      return ["stored", "corrupt"].includes(recording.state) ? recording : undefined;
    });
    const verified = await gateway.admin.recordings.verify(id).catch((error: unknown) => String(error));
    assert.ok(
      settled.state === "corrupt" || typeof verified === "string" || !verified.ok,
      `the damage is not told: ${JSON.stringify([settled, verified])}`,
    );
  } finally {
    await gateway.close();
    await stage.sshd.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("a torn last write of the journal loses only what nobody had seen committed", async () => {
  const stage = await startStage();
  const { dataDir } = stage.gateway;
  let gateway = stage.gateway;
  try {
    const id = await killedSession(stage, gateway);
    const { file } = inJournal(dataDir, Buffer.from(id.replaceAll("-", ""), "hex"));
    const bytes = readFileSync(file);
    // The journal is preallocated with zeros: the last byte that is none belongs to the last group.
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    bytes.fill(0, end - 10, end);
    writeFileSync(file, bytes);
    gateway = await startGateway({ dataDir });
    assert.match(gateway.output(), /"message":"journal: /);
    const session = await awaitStored(gateway, (one) => one.id === id);
    assert.equal(session.state, "interrupted");
    assert.equal((await gateway.admin.recordings.verify(id)).ok, true);
  } finally {
    await gateway.close();
    await stage.sshd.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("a stored segment with a flipped bit, a cut or without its like: `gatehouse verify` names it", async () => {
  const stage = await startStage();
  const { gateway } = stage;
  try {
    const ran = await stage.ssh([stage.address, "head -c 3000000 /dev/urandom"]);
    assert.equal(ran.stdout.length, 3_000_000, ran.stderr);
    const session = await awaitStored(gateway);
    const [year, month, day] = session.startedAt.slice(0, 10).split("-");
    const folder = join(gateway.dataDir, "recordings", "recordings", `${year}/${month}/${day}`, session.id);
    const key = join(gateway.dataDir, "signer.pem");
    writeFileSync(key, await gateway.admin.ca.recordings());
    const verify = () => run(cli, ["verify", folder, "--trusted-key", key]);
    const whole = await verify();
    assert.equal(whole.code, 0, whole.stdout.toString() + whole.stderr);
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".seg"))
      .sort();
    const last = names.at(-1);
    assert.ok(names.length > 1 && last !== undefined);
    const file = join(folder, last);
    const kept = readFileSync(file);
    const damages: [string, () => void][] = [
      ["a flipped bit", () => flip(file, Math.floor(kept.length / 2))],
      ["a torn end", () => writeFileSync(file, kept.subarray(0, kept.length - 100))],
      ["a missing segment", () => rmSync(file)],
    ];
    chmodSync(file, 0o600);
    for (const [what, damage] of damages) {
      damage();
      const found = await verify();
      assert.equal(found.code, 1, `${what}: ${found.stdout.toString()}`);
      // By its number, counted from 0 as in the object's name.
      const number = Number(/(\d+)\.seg$/.exec(last)?.[1]);
      const said = found.stdout.toString() + found.stderr;
      assert.match(said, new RegExp(`\\b0*${number}(\\.seg)?\\b`), `${what} is not named`);
      assert.match(said, /segment/);
      const asked = await gateway.admin.recordings.verify(session.id);
      assert.equal(asked.ok, false, what);
      writeFileSync(file, kept);
    }
    assert.equal(statSync(file).size, kept.length);
    assert.equal((await verify()).code, 0);
  } finally {
    await stage.close();
  }
});
