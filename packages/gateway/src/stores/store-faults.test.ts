/**
 * Stores that fail as networks and services do. Every fault ends in a typed error, or in an object that is not released
 * here; when it is over, the same call succeeds. Ceph, Azurite and our own server for Google's API are behind a proxy.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { BlobServiceClient } from "@azure/storage-blob";
import { isGatehouseError, systemClock, systemRandom, TestClock, toHex, utf8 } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import {
  azureStoreSchema,
  gcsStoreSchema,
  openAzureStore,
  openGcsStore,
  openS3Store,
  s3StoreSchema,
} from "./mod.ts";
import { newFacts, readBack, testPipeline } from "../../../recording/src/pipeline/testing/kit.ts";
import { type Azurite, startAzurite } from "../../../../test/parts/azurite.ts";
import { type Ceph, cephMissing, startCeph } from "../../../../test/parts/ceph.ts";
import { type FaultProxy, type ProxyFault, startFaultProxy } from "../../../../test/parts/fault-proxy.ts";
import { type GcsContract, startGcsContract } from "../../../../test/parts/gcs-contract.ts";

const bucket = "recordings";
const missing = cephMissing();
const onCeph = missing === undefined ? {} : { skip: missing };
const options = { clock: systemClock, random: systemRandom };
let ceph: Ceph | undefined;
let azurite: Azurite;
let gcs: GcsContract;
const proxies: FaultProxy[] = [];

before(async () => {
  const azure = startAzurite();
  if (missing === undefined) {
    ceph = await startCeph();
    process.env["AWS_ACCESS_KEY_ID"] = ceph.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = ceph.secretAccessKey;
    const client = new S3Client({ endpoint: ceph.endpoint, region: "us-east-1", forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  }
  azurite = await azure;
  const account = BlobServiceClient.fromConnectionString(azurite.connectionString());
  await account.getContainerClient(bucket).create();
  gcs = await startGcsContract({ bucket, retention: true, versioning: true });
});
after(async () => {
  for (const part of [...proxies, ceph, azurite, gcs]) await part?.close();
});

type Behind = { store: ObjectStore; proxy: FaultProxy };

async function behindProxy(
  upstream: string,
  open: (endpoint: string) => Promise<{ store: ObjectStore }>,
): Promise<Behind> {
  const proxy = await startFaultProxy(upstream);
  proxies.push(proxy);
  return { proxy, store: (await open(proxy.endpoint)).store };
}
const prefix = () => `${toHex(systemRandom.bytes(6))}/`;
const s3 = () =>
  behindProxy(ceph?.endpoint ?? "", (endpoint) =>
    openS3Store(
      s3StoreSchema.parse({ type: "s3", bucket, prefix: prefix(), endpoint, force_path_style: true }),
      options,
    ),
  );
const azure = () =>
  behindProxy(azurite.accountUrl, (endpoint) => {
    const account_url = endpoint + new URL(azurite.accountUrl).pathname;
    const env = { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString(account_url) };
    return openAzureStore(
      azureStoreSchema.parse({ type: "azure", container: bucket, prefix: prefix(), account_url }),
      { ...options, env },
    );
  });
const google = () =>
  behindProxy(gcs.endpoint, (endpoint) =>
    openGcsStore(gcsStoreSchema.parse({ type: "gcs", bucket, prefix: prefix(), endpoint }), options),
  );

const xml = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
const s3Answer = (status: number, code: string): ProxyFault => ({
  kind: "answer",
  status,
  headers: { "content-type": "application/xml" },
  body: xml(code),
});

/** What may be said of each fault while it lasts. `silent`: only who compares hashes can notice. */
const faults: Record<string, { fault: ProxyFault; codes: readonly string[]; silent?: boolean }> = {
  "connection refused": { fault: { kind: "refused" }, codes: ["unavailable"] },
  "reset in the middle of an upload": { fault: { kind: "reset upload" }, codes: ["unavailable"] },
  "reset in the middle of a download": { fault: { kind: "reset download" }, codes: ["unavailable"] },
  "500": { fault: s3Answer(500, "InternalError"), codes: ["unavailable"] },
  "503 slow down": { fault: s3Answer(503, "SlowDown"), codes: ["unavailable"] },
  "403": { fault: s3Answer(403, "AccessDenied"), codes: ["denied"] },
  "a read that is cut short": { fault: { kind: "half download" }, codes: ["unavailable"] },
  "a bit flipped in an upload": { fault: { kind: "flip upload" }, codes: ["unavailable"] },
  "a bit flipped in a download": { fault: { kind: "flip download" }, codes: ["unavailable"], silent: true },
};

const bytes = Buffer.alloc(20_000, "recorded ");
const sha256 = createHash("sha256").update(bytes).digest("hex");

function storeFaults(name: string, open: () => Promise<Behind>, more: { skip?: string } = {}): void {
  for (const [what, { fault, codes, silent = false }] of Object.entries(faults))
    void test(`${name}: ${what} is a typed error, and the same call succeeds afterwards`, more, async () => {
      const { store, proxy } = await open();
      const retain = { retainUntilMs: Date.now() + 60_000 };
      await store.create("before", bytes, retain);
      await proxy.set(fault);
      const about = /upload/.test(what)
        ? [store.create("k", bytes, retain)]
        : /download|read/.test(what)
          ? [store.read("before"), store.stat("before")]
          : [store.create("k", bytes, retain), store.read("before"), store.stat("before"), store.probe()];
      for (const result of await Promise.allSettled(about)) {
        if (result.status === "rejected") {
          const { reason } = result as { reason: unknown };
          assert.ok(isGatehouseError(reason), String(reason));
          assert.ok([...codes, "unavailable"].includes(reason.code), `${reason.code}: ${reason.message}`);
          assert.doesNotMatch(reason.message, /TESTSECRET|Signature|AccountKey/);
        } else {
          assert.ok(silent, "a fault passed for success");
          // It is seen by whoever knows what was written: the pipeline and every reader compare.
          const said = result.value as Uint8Array | { sha256: string };
          const found = "sha256" in said ? said.sha256 : createHash("sha256").update(said).digest("hex");
          assert.notEqual(found, sha256);
        }
      }
      if (fault.kind !== "refused") assert.ok(proxy.met > 0, "the fault was met");
      await proxy.set(undefined);
      await store.create("k", bytes, retain).catch((error: unknown) => {
        if (!isGatehouseError(error, "conflict")) throw error;
      });
      assert.deepEqual(await store.stat("k"), { bytes: bytes.length, sha256 });
      assert.deepEqual(Buffer.from(await store.read("before")), bytes);
    });
}
storeFaults("s3 on Ceph", s3, onCeph);
storeFaults("azure on Azurite", azure);
storeFaults("gcs against the documented JSON API (our own server)", google);

const pipelineFaults: Record<string, ProxyFault> = {
  ...Object.fromEntries(Object.entries(faults).map(([what, { fault }]) => [what, fault])),
  "credentials that have expired": s3Answer(400, "ExpiredToken"),
  "success answered but not stored": {
    kind: "lie",
    status: 200,
    headers: { etag: '"0123"', "x-amz-version-id": "never-written" },
    body: "",
  },
};
/** A pipeline on this store. Its clock is Ceph's, the machine's, but its waits between attempts need not be real. */
function pipelineOn(store: ObjectStore) {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-store-fault-"));
  const clock = new TestClock(Date.now());
  const ticking = setInterval(() => clock.advance(10), 10);
  const made = testPipeline({
    directory,
    store,
    clock,
    limits: { retentionMs: 60_000, retryMinMs: 20, retryMaxMs: 50 },
  });
  return {
    ...made,
    spooled: () => readdirSync(join(directory, "spool"), { recursive: true }).map(String),
    async failedToShip() {
      while (!made.lines.some((line) => /could not be shipped/.test(line.message)))
        await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async close() {
      await made.pipeline.stop({ deadlineMs: 1_000 });
      clearInterval(ticking);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

for (const [what, fault] of Object.entries(pipelineFaults))
  test(
    `s3 on Ceph: with ${what} a recording stays here, and is stored when that is over`,
    onCeph,
    async () => {
      const { store, proxy } = await s3();
      const { pipeline, state, changes, spooled, failedToShip, close } = pipelineOn(store);
      try {
        await pipeline.recover();
        const facts = newFacts();
        const writer = await pipeline.open(facts);
        for (let i = 0; i < 20; i++) await writer.append("output", 0, utf8(`line ${i}\r\n`));
        await proxy.set(fault);
        const closed = await writer.close({ reason: "closed" });
        await failedToShip();
        assert.ok(changes.every((change) => change.state !== "stored"));
        assert.ok(
          spooled().some((name) => name.includes(facts.sessionId)),
          spooled().join(", "),
        );
        assert.notEqual(pipeline.status().shipping.lastError, undefined);

        await proxy.set(undefined);
        const stored = await state(facts.sessionId, "stored");
        assert.equal(stored.headSha256, closed.headSha256);
        const { frames, verification } = await readBack(store, facts);
        assert.deepEqual([frames.length, verification.ok, verification.state], [22, true, "complete"]);
      } finally {
        await close();
      }
    },
  );

test("s3 on Ceph: while the server is down no session is admitted and none is lost", onCeph, async () => {
  const { store } = await s3();
  const { pipeline, state, changes, failedToShip, close } = pipelineOn(store);
  try {
    await pipeline.recover();
    const facts = newFacts();
    const writer = await pipeline.open(facts);
    await writer.append("output", 0, utf8("before "));
    await ceph?.stopGateway();
    await writer.append("output", 0, utf8("and while it is down"));
    await writer.close({ reason: "closed" });
    await failedToShip();
    await assert.rejects(pipeline.open(newFacts()), (error) =>
      isGatehouseError(error, "recording_unavailable"),
    );
    assert.ok(changes.every((change) => change.state !== "stored"));

    await ceph?.startGateway();
    await state(facts.sessionId, "stored");
    const { verification } = await readBack(store, facts);
    assert.deepEqual([verification.ok, verification.state], [true, "complete"]);
    await pipeline.admissible();
  } finally {
    await close();
  }
});
