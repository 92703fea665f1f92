/** Recording keys wrapped by a key service, through the whole gateway. The service is a server of our own that answers as Vault's documentation has it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import { type KeyServiceContract, startKeyServiceContract } from "../parts/key-service-contract.ts";
import { awaitStored, recorded } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";

let vault: KeyServiceContract;
const stages: Stage[] = [];
before(async () => {
  vault = await startKeyServiceContract();
});
after(async () => {
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
  const { items } = await gateway.admin.sessions.list({ limit: 10 });
  assert.deepEqual(
    items.map(({ recording }) => [recording.detail, recording.frames]),
    [["not admitted", null]],
  );

  up();
  const ran = await stage.ssh([stage.address, "echo admitted"]);
  assert.equal(ran.stdout.toString(), "admitted\n");
  const session = await awaitStored(gateway);
  const words = await gateway.admin.recordings.get(session.id);
  assert.deepEqual(words.recipients, ["vault: transit/recordings (output and input)"]);
  assert.deepEqual(words.withheld, []);
  const { bytes } = await recorded(gateway, session);
  assert.equal(bytes("stdout").toString(), "admitted\n");
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
