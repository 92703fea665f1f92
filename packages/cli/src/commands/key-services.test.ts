/** A bundle that key services open, on a machine with no gateway. The services are a server of our own that answers as their documentation has it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadConfig } from "@gatehouse/gateway/config";
import { configSections, openKms } from "@gatehouse/gateway/registry";
import { concatBytes, systemClock } from "@gatehouse/kernel";
import {
  keysName,
  memorySource,
  openRecording,
  planRewrap,
  rewrapKeys,
  writeBundle,
} from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { sampleRecording } from "../../../recording/src/testing/sample-recording.ts";
import {
  type KeyServiceContract,
  startKeyServiceContract,
} from "../../../../test/parts/key-service-contract.ts";
import { createWorkshop } from "../testing/run-here.ts";

const workshop = createWorkshop();
const { folder, run } = workshop;
const arn = "arn:aws:kms:eu-central-1:1:key/rec";
let contract: KeyServiceContract;
let env: Record<string, string>;

before(async () => {
  contract = await startKeyServiceContract();
  // The vendor's own chain looks into the process.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "aws-secret" });
  env = {
    GATEHOUSE_KMS__AWS__ENDPOINT: contract.endpoint,
    VAULT_ADDR: contract.endpoint,
    VAULT_TOKEN: "vault-token",
  };
  const sample = await sampleRecording({ seed: 31 });
  const source = memorySource(sample.objects);
  const recording = await openRecording({ source, openers: [sample.opener], zstd: nodeZstd });
  const config = loadConfig({
    env: {
      GATEHOUSE_KMS__AWS__ENDPOINT: contract.endpoint,
      GATEHOUSE_KMS__AWS__KEY: arn,
      GATEHOUSE_KMS__VAULT__KEY: "recordings",
    },
    sections: configSections,
  });
  const { wrappers } = await openKms(config.kms, { clock: systemClock, env });
  // What was typed is for Vault alone.
  const to = { main: wrappers.main, input: wrappers.main.slice(1) };
  const { signer } = sample;
  const plan = planRewrap(recording, to);
  const at = new Date(0).toISOString();
  sample.objects.set(keysName(1), await rewrapKeys({ recording, plan, wrappers: to, n: 1, at, signer }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBundle({ source })) chunks.push(chunk);
  writeFileSync(join(folder, "session.tar"), concatBytes(chunks));
  writeFileSync(
    join(folder, "kms.yaml"),
    `kms:\n  vault:\n    key: recordings\n    address: ${contract.endpoint}\n`,
  );
});
after(async () => {
  await contract.close();
  workshop.close();
});

const play = (...words: string[]) => run(["play", "session.tar", "--format", "json", ...words], { env });

test("a bundle plays and verifies by the right to decrypt, named on the command line or in a file", async () => {
  for (const service of ["vault=recordings", "kms.yaml"]) {
    const { code, stdout, stderr } = await play("--key-service", service);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout.trim().split("\n").length, 22);
  }
  const shown = await play("--key-service", `aws=${arn}`);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stderr, /^note: what was typed is sealed for others/);
  assert.equal(shown.stdout.trim().split("\n").length, 12);
  const both = ["--key-service", `aws=${arn}`, "--key-service", "vault=recordings"];
  const said = JSON.parse((await run(["verify", "session.tar", ...both, "--json"], { env })).stdout);
  assert.deepEqual([said.ok, said.decrypted.frames, said.decrypted.withheld], [true, 22, []]);
  assert.deepEqual(said.recipients, [`aws: ${arn} (output)`, "vault: transit/recordings (output and input)"]);
});

test("who has nothing that opens it is told who has, and a service that fails is told by its own words", async () => {
  const names = `It opens for aws: ${arn} (output), vault: transit/recordings (output and input).`;
  const none = await play();
  assert.equal(none.code, 3);
  assert.ok(none.stderr.includes(names), none.stderr);
  // May not decrypt: like having no key.
  contract.refuse(10, 403, { errors: ["permission denied"] });
  const denied = await play("--key-service", "vault=recordings");
  assert.equal(denied.code, 3);
  assert.ok(denied.stderr.includes(names), denied.stderr);
  contract.refuse(10, 503, { errors: ["Vault is sealed"] });
  const down = await play("--key-service", "vault=recordings");
  assert.notEqual(down.code, 0);
  assert.match(down.stderr, /^error: vault key transit\/recordings: .*Vault is sealed/);
  contract.refuse(0, 0, {});
  assert.ok(![none, denied, down].some(({ stderr }) => stderr.includes("vault-token")));
  const wrong = await play("--key-service", "nothing.yaml");
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /nothing\.yaml/);
  const unnamed = await play("--key-service", "gcp=rec");
  assert.match(unnamed.stderr, /expected projects\//);
});
