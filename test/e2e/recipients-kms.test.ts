/** Recording keys wrapped by a key service, through the whole gateway. The service is a server of our own that answers as Vault's documentation has it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isGatehouseError } from "@gatehouse/kernel";
import { type KeyServiceContract, startKeyServiceContract } from "../parts/key-service-contract.ts";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { awaitSession, awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
let vault: KeyServiceContract;
const gateways: Gateway[] = [];
const stages: Stage[] = [];
before(async () => {
  vault = await startKeyServiceContract();
});
after(async () => {
  for (const gateway of gateways) await gateway.close();
  for (const stage of stages) await stage.close();
  await vault.close();
});

async function stageFor(recipients: string[]): Promise<Stage> {
  const stage = await startStage({
    gateway: {
      config: {
        recording: { journal: { capacity: "16 MiB" }, recipients },
        kms: { vault: { key: "recordings", address: vault.endpoint } },
      },
      env: { VAULT_TOKEN: "vault-token" },
    },
  });
  stages.push(stage);
  return stage;
}
const down = () => vault.refuse(1_000, 403, { errors: ["permission denied"] });
const up = () => vault.refuse(0, 0, {});

test("with a key service alone: nobody is admitted while it wraps no key, and then it opens what was recorded", async () => {
  const stage = await stageFor([]);
  const { gateway } = stage;
  down();
  const refused = await stage.ssh([stage.address, "echo must not run"]);
  assert.notEqual(refused.code, 0);
  assert.equal(refused.stdout.toString(), "");
  assert.match(refused.stderr, /record/);
  const refusing = await gateway.admin.health();
  assert.equal(refusing.status, "refusing");
  assert.match(
    refusing.findings[0]?.message ?? "",
    /no key service wraps the keys of recordings: vault key recordings: permission denied/,
  );
  assert.deepEqual(
    refusing.keyServices.map(({ service, key, wraps, reachable }) => [service, key, wraps, reachable]),
    [["vault", "recordings", "all", false]],
  );
  const { items } = await gateway.admin.sessions.list({ limit: 10 });
  assert.deepEqual(
    items.map(({ recording }) => [recording.detail, recording.frames]),
    [["not admitted", null]],
  );

  up();
  const go = join(gateway.dataDir, "go");
  const running = stage.ssh([
    stage.address,
    `echo admitted; until test -e ${go}; do sleep 0.05; done; echo still here`,
  ]);
  await awaitSession(gateway, ({ state }) => state === "live");
  // The keys are wrapped when a session begins: who is connected stays, and is recorded to the end.
  // A look that began while it was down may end after one that did not.
  await eventually("the key service to be known as back", async () => {
    const { status, keyServices } = await gateway.admin.health();
    return (status !== "refusing" && keyServices[0]?.reachable) || undefined;
  });
  down();
  writeFileSync(go, "");
  const ran = await running;
  up();
  assert.equal(ran.stdout.toString(), "admitted\nstill here\n");
  const session = await awaitStored(gateway);
  const words = await gateway.admin.recordings.get(session.id);
  assert.deepEqual(words.recipients, ["vault: transit/recordings (output and input)"]);
  assert.deepEqual(words.withheld, []);
  const { bytes } = await recorded(gateway, session);
  assert.equal(bytes("stdout").toString(), "admitted\nstill here\n");
  assert.equal((await gateway.admin.recordings.verify(session.id)).ok, true);
  assert.ok(!gateway.output().includes("vault-token"));
});

test("with an age recipient beside it: sessions go on while it is down, the log says who is missing, and nothing else opens", async () => {
  const stage = await stageFor(["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]);
  const { gateway } = stage;
  down();
  try {
    const ran = await stage.ssh([stage.address, "echo admitted"]);
    assert.equal(ran.stdout.toString(), "admitted\n");
    const session = await awaitStored(gateway);
    const words = await gateway.admin.recordings.get(session.id);
    assert.deepEqual(words.recipients, [
      "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p (output and input)",
    ]);
    assert.match(gateway.output(), /could not be wrapped for one of its recipients/);
    await assert.rejects(recorded(gateway, session), (error) => isGatehouseError(error, "denied"));
  } finally {
    up();
  }
});

function gatehouse(
  cwd: string,
  env: Record<string, string>,
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(
      cli,
      words,
      { cwd, env: { ...process.env, ...env }, encoding: "utf8" },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    ),
  );
}

test("recipients change: the gateway is killed while it wraps what is stored again, and goes on: one object beside each, which opens for the new ones", async () => {
  const [stage] = stages as [Stage];
  for (const word of ["two", "three"]) await stage.ssh([stage.address, `echo ${word}`]);
  const stored = await eventually("three recordings in the store", async () => {
    const { items } = await stage.gateway.admin.sessions.list({ limit: 10, recording: "stored" });
    return items.length === 3 ? items : undefined;
  });
  await stage.gateway.kill("SIGKILL");

  const identity = await generateX25519Identity();
  const auditor = await identityToRecipient(identity);
  const { dataDir } = stage.gateway;
  const start = async () => {
    const gateway = await startGateway({
      dataDir,
      config: {
        recording: { journal: { capacity: "16 MiB" }, recipients: [auditor] },
        kms: { vault: { key: "recordings-2", address: vault.endpoint } },
      },
      env: { VAULT_TOKEN: "vault-token" },
    });
    gateways.push(gateway);
    return gateway;
  };
  const keysOf = (id: string) =>
    readdirSync(dataDir, { recursive: true, encoding: "utf8" })
      .filter((name) => name.includes(`${id}/keys-`))
      .map((name) => name.slice(-14));
  let gateway = await start();
  // Two to begin with, and two for each recording: the last of them is never answered.
  const reached = vault.stall("/encrypt/recordings-2", 7);
  const begun = await gateway.admin.recordings.rewrap({});
  assert.equal(begun.state, "running");
  assert.deepEqual(begun.recipients, [
    `${auditor} (output and input)`,
    "vault: transit/recordings-2 (output and input)",
  ]);
  await reached;
  await eventually("two of three", async () =>
    (await gateway.admin.recordings.rewrapping()).wrapped === 2 ? true : undefined,
  );
  await gateway.kill("SIGKILL");
  assert.equal(stored.flatMap(({ id }) => keysOf(id)).length, 2);

  void vault.stall("/nothing", 0);
  gateway = await start();
  const done = await eventually("the rest", async () => {
    const words = await gateway.admin.recordings.rewrapping();
    return words.state === "done" ? words : undefined;
  });
  assert.deepEqual([done.seen, done.same, done.wrapped, done.failed], [3, 2, 1, 0]);
  for (const { id } of stored) {
    assert.deepEqual(keysOf(id), ["keys-0001.json"]);
    assert.deepEqual((await gateway.admin.recordings.get(id)).recipients, begun.recipients);
    assert.equal((await gateway.admin.recordings.verify(id)).ok, true);
  }
  const told = await gateway.admin.audit.list({ event: "session.recording.rewrap" });
  assert.deepEqual(
    new Set(told.items.map(({ sessionId }) => sessionId)),
    new Set(stored.map(({ id }) => id)),
  );

  const again = await gatehouse(dataDir, {}, "recordings", "rewrap", "--data-dir", ".");
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /right already +3/);

  const [last] = stored as [(typeof stored)[number]];
  const out = ["recordings", "export", last.id, "-o", "s.tar", "--data-dir", "."];
  assert.equal((await gatehouse(dataDir, {}, ...out)).code, 0);
  writeFileSync(join(dataDir, "auditor.txt"), identity, { mode: 0o600 });
  // Away from any gateway: by the auditor's identity, and by the right to decrypt.
  const service = { VAULT_ADDR: vault.endpoint, VAULT_TOKEN: "vault-token" };
  const by = ["-i", "auditor.txt", "--key-service", "vault=recordings-2"];
  const played = await gatehouse(dataDir, service, "play", "s.tar", ...by, "--format", "json");
  assert.equal(played.code, 0, played.stderr);
  assert.match(played.stdout, /"text":"three\\n"/);
});
