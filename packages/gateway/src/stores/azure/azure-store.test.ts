import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BlobServiceClient } from "@azure/storage-blob";
import { isGatehouseError, systemClock, systemRandom, toHex } from "@gatehouse/kernel";
import { type Azurite, startAzurite } from "../../../../../test/parts/azurite.ts";
import { storeConformance } from "../conformance.ts";
import { azureStoreSchema, openAzureStore } from "./mod.ts";

const container = "recordings";
let azurite: Azurite;

before(async () => {
  azurite = await startAzurite();
  await BlobServiceClient.fromConnectionString(azurite.connectionString())
    .getContainerClient(container)
    .create();
});
after(() => azurite.close());

async function make(more: Record<string, unknown> = {}) {
  const prefix = `${toHex(systemRandom.bytes(6))}/`;
  const config = azureStoreSchema.parse({
    type: "azure",
    account_url: azurite.accountUrl,
    container,
    prefix,
    ...more,
  });
  const { store } = await openAzureStore(config, {
    clock: systemClock,
    random: systemRandom,
    env: { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString() },
  });
  return { store, nowMs: () => Date.now(), cleanup: () => Promise.resolve() };
}

storeConformance({
  name: "azure on Azurite (it keeps no versions, and takes immutability policies without keeping them)",
  holds: "gatehouse",
  make: () => make(),
  problems: [/takes an object with a retention date, and removes it all the same/],
});

test("azure: a probe finds out that Azurite does not keep what it promises", async () => {
  const { store } = await make();
  const probe = await store.probe();
  assert.deepEqual([probe.overwrite, probe.deletion], ["gatehouse", "gatehouse"]);
  const text = probe.findings.map((finding) => `${finding.level}: ${finding.message}`).join("\n");
  assert.match(
    text,
    /problem: the service takes an object with a retention date, and removes it all the same/,
  );
  assert.match(text, /ok: the service verifies MD5/);
  assert.match(text, /warning: the container does not say that it supports version-level immutability/);
});

test("azure: after its retention an object is removed, and its key is free", async () => {
  const { store } = await make({ immutability: "none" });
  await store.create("k", Buffer.from("one"), { retainUntilMs: Date.now() - 1 });
  await store.remove("k");
  await assert.rejects(store.read("k"), (error) => isGatehouseError(error, "not_found"));
  await store.create("k", Buffer.from("two"), { retainUntilMs: Date.now() - 1 });
  assert.equal(Buffer.from(await store.read("k")).toString(), "two");
});

test("azure: a missing container and a wrong key are named, and no secret is", async () => {
  const none = await make({ container: "no-such-container" });
  await assert.rejects(
    none.store.probe(),
    (error) => isGatehouseError(error, "unavailable") && /ContainerNotFound/.test(error.message),
  );
  const wrong = Buffer.from("not the account's key").toString("base64");
  const { store } = await openAzureStore(
    azureStoreSchema.parse({ type: "azure", account_url: azurite.accountUrl, container }),
    {
      clock: systemClock,
      random: systemRandom,
      env: { AZURE_STORAGE_CONNECTION_STRING: `AccountName=devstoreaccount1;AccountKey=${wrong}` },
    },
  );
  await assert.rejects(store.create("k", Buffer.from("x"), { retainUntilMs: 0 }), (error) => {
    assert.ok(isGatehouseError(error, "denied"));
    assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /SharedKey|sig=/);
    return true;
  });
});
