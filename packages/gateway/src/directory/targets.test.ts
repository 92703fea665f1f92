import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import type { NewTarget } from "./door.ts";
import { temporaryDirectory } from "./testing/temporary.ts";

const web01: NewTarget = {
  name: "web-01",
  protocol: "ssh",
  host: "10.0.0.1",
  port: 22,
  labels: { env: "prod", "a=b": 'c"d' },
  allowed: { roles: ["platform-admin"], users: ["jane"] },
  logins: [
    { login: "root", kind: "user_ca" },
    { login: "deploy", kind: "key", credentialId: "c1" },
  ],
  access: { mfaWithinMinutes: 15 },
  policy: { forwarding: { local: true }, env: ["LANG"] },
  hostTrust: { keys: ["ssh-ed25519 AAAA"] },
};

test("a target is found as it was created, and updated in parts", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { targets, sealedCredentials } = directory;
  await sealedCredentials.insert({
    id: "c1",
    name: "deploy key",
    kind: "key",
    envelope: Uint8Array.of(1, 2),
    createdAtMs: 1,
    updatedAtMs: 1,
  });
  const created = await targets.create(web01);
  const createdAtMs = clock.nowMs();
  const expected = { ...web01, id: created.id, demo: false, createdAtMs, updatedAtMs: createdAtMs };
  assert.deepEqual(created, expected);
  assert.deepEqual(await targets.byName("web-01"), expected);
  assert.deepEqual(await targets.byId(created.id), expected);
  await assert.rejects(targets.create(web01), (error) => isGatehouseError(error, "conflict"));
  await assert.rejects(sealedCredentials.remove("c1"), (error) => isGatehouseError(error, "conflict"));

  clock.advance(1000);
  const change = {
    logins: [{ login: "root", kind: "user_ca" as const }],
    labels: {},
    port: 2222,
    demo: true,
  };
  assert.deepEqual(await targets.update(created.id, change), {
    ...expected,
    ...change,
    updatedAtMs: createdAtMs + 1000,
  });
  assert.equal(await sealedCredentials.remove("c1"), true);
  await assert.rejects(targets.update("none", {}), (error) => isGatehouseError(error, "not_found"));
  assert.equal(await targets.remove(created.id), true);
  assert.equal(await targets.remove(created.id), false);
});

test("a login that names no credential leaves no target behind", async (context) => {
  const { directory } = await temporaryDirectory(context);
  await assert.rejects(directory.targets.create(web01), (error) => isGatehouseError(error, "not_found"));
  assert.equal(await directory.targets.byName("web-01"), undefined);
});

test("lists go by name and are narrowed by protocol, label and text", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { targets } = directory;
  for (const [name, protocol, host, labels] of [
    ["web-01", "ssh", "10.0.0.1", { env: "prod" }],
    ["web-02", "ssh", "10.0.0.2", { env: "test" }],
    ["db_01", "postgres", "WEB.internal", { env: "prod" }],
  ] as const)
    await targets.create({ ...web01, name, protocol, host, labels, logins: [] });
  const names = async (filter: Parameters<typeof targets.list>[0]) =>
    (await targets.list(filter)).items.map(({ name }) => name);
  assert.deepEqual(await names({}), ["db_01", "web-01", "web-02"]);
  assert.deepEqual(await names({ protocol: "ssh" }), ["web-01", "web-02"]);
  assert.deepEqual(await names({ label: "env=prod" }), ["db_01", "web-01"]);
  assert.deepEqual(await names({ text: "WeB" }), ["db_01", "web-01", "web-02"]);
  assert.deepEqual(await names({ text: "_" }), ["db_01"], "a sign of `like` means itself");
  assert.deepEqual(await names({ text: "%" }), []);
  await assert.rejects(names({ label: "prod" }), (error) => isGatehouseError(error, "invalid"));
  const first = await targets.list({}, { limit: 1 });
  assert.deepEqual(
    (await targets.list({}, { after: first.next as string })).items.map(({ name }) => name),
    ["web-01", "web-02"],
  );
});
