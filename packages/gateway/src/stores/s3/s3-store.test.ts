import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { isGatehouseError, systemClock, systemRandom, toHex } from "@gatehouse/kernel";
import { type Ceph, cephMissing, startCeph } from "../../../../../test/parts/ceph.ts";
import { storeConformance } from "../conformance.ts";
import { openS3Store, s3StoreSchema } from "./mod.ts";

const missing = cephMissing();
const skip = missing === undefined ? {} : { skip: missing };
const locked = "locked";
const plain = "plain";
let ceph: Ceph;
let client: S3Client;

before(async () => {
  if (missing !== undefined) return;
  ceph = await startCeph();
  // The SDK's default chain looks here first.
  process.env["AWS_ACCESS_KEY_ID"] = ceph.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = ceph.secretAccessKey;
  client = new S3Client({
    endpoint: ceph.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await client.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }));
  await client.send(new CreateBucketCommand({ Bucket: plain }));
});
after(async () => {
  if (missing === undefined) await ceph.close();
});

async function make(bucket: string, more: Record<string, unknown> = {}) {
  const prefix = `${toHex(systemRandom.bytes(6))}/`;
  const config = s3StoreSchema.parse({
    type: "s3",
    bucket,
    prefix,
    endpoint: ceph.endpoint,
    force_path_style: true,
    object_lock: bucket === locked,
    ...more,
  });
  const open = () => openS3Store(config, { clock: systemClock, random: systemRandom });
  const { store } = await open();
  return {
    store,
    prefix,
    another: async () => (await open()).store,
    nowMs: () => Date.now(),
    cleanup: () => Promise.resolve(),
  };
}

storeConformance({
  name: "s3 on Ceph with Object Lock (it ignores If-None-Match and does not verify SHA-256)",
  holds: "backend",
  make: () => make(locked),
  enforces: { overwrite: true, deletion: true },
  ...skip,
});
storeConformance({
  name: "s3 on Ceph without versions or lock (nothing is enforced but by Gatehouse)",
  holds: "gatehouse",
  make: () => make(plain),
  ...skip,
});

const soon = () => ({ retainUntilMs: Date.now() + 60_000 });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const coded = (code: string) => (error: unknown) => isGatehouseError(error) && error.code === code;

test(
  "s3: what somebody else writes over an object or marks as removed is noticed, and the first is read",
  skip,
  async () => {
    const { store, prefix } = await make(locked);
    await store.create("a/key", Buffer.from("first"), soon());
    await store.create("b", Buffer.from("other"), soon());
    await client.send(new PutObjectCommand({ Bucket: locked, Key: `${prefix}a/key`, Body: "second" }));
    await client.send(new DeleteObjectCommand({ Bucket: locked, Key: `${prefix}b` }));

    assert.equal(text(await store.read("a/key")), "first");
    assert.equal((await store.stat("a/key")).bytes, 5);
    assert.equal(text(await store.read("b")), "other");
    assert.deepEqual(await store.list(""), ["a/key", "b"]);
    await assert.rejects(store.create("a/key", Buffer.from("third"), soon()), coded("conflict"));
    await assert.rejects(store.create("b", Buffer.from("third"), soon()), coded("conflict"));
    const problems = (await store.probe()).findings.filter((finding) => finding.level === "problem");
    assert.deepEqual(
      problems.map((finding) => finding.message),
      [
        "a/key was written again once by somebody else; what was written first is kept and read",
        "b was marked as removed by somebody else; what was written first is kept and read",
      ],
    );
  },
);

test(
  "s3: of two gateways that create one key at once, one succeeds, and both read its bytes",
  skip,
  async () => {
    const { store, another } = await make(locked);
    const other = await another();
    for (let round = 0; round < 5; round++) {
      const key = `race/${round}`;
      const results = await Promise.allSettled([
        store.create(key, Buffer.from("one"), soon()),
        other.create(key, Buffer.from("two"), soon()),
      ]);
      const winners = ["one", "two"].filter((_, i) => results[i]?.status === "fulfilled");
      assert.equal(winners.length, 1);
      for (const result of results)
        if (result.status === "rejected") assert.ok(coded("conflict")(result.reason), String(result.reason));
      assert.equal(text(await store.read(key)), winners[0]);
      assert.equal(text(await other.read(key)), winners[0]);
    }
  },
);

test("s3: an object can be removed by nobody before its retention ends, and wholly after", skip, async () => {
  const { store, prefix } = await make(locked);
  const retainUntilMs = Date.now() + 3_000;
  await store.create("short", Buffer.from("x"), { retainUntilMs });
  const versions = async () => {
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: locked, Prefix: `${prefix}short` }),
    );
    return [...Versions, ...DeleteMarkers];
  };
  const [version] = await versions();
  await assert.rejects(
    client.send(
      new DeleteObjectCommand({
        Bucket: locked,
        Key: `${prefix}short`,
        VersionId: version?.VersionId,
        BypassGovernanceRetention: true,
      }),
    ),
    { name: "AccessDenied" },
  );
  await assert.rejects(store.remove("short"), coded("denied"));
  await new Promise((resolve) => setTimeout(resolve, retainUntilMs + 1_100 - Date.now()));
  await store.remove("short");
  assert.deepEqual(await versions(), []);
  await assert.rejects(store.read("short"), coded("not_found"));
});

test("s3: what is held can be removed by nobody, with or without Gatehouse", skip, async () => {
  const { store, prefix } = await make(locked);
  await store.create("held", Buffer.from("x"), { retainUntilMs: Date.now() - 1000 });
  assert.equal(await store.hold("held", true), "backend");
  const { Versions: [version] = [] } = await client.send(
    new ListObjectVersionsCommand({ Bucket: locked, Prefix: `${prefix}held` }),
  );
  const removal = new DeleteObjectCommand({
    Bucket: locked,
    Key: `${prefix}held`,
    VersionId: version?.VersionId,
    BypassGovernanceRetention: true,
  });
  await assert.rejects(client.send(removal), { name: "AccessDenied" });
  await store.hold("held", false);
  await client.send(removal);
  await assert.rejects(store.read("held"), coded("not_found"));
});

test("s3: a probe says what Ceph does and does not do", skip, async () => {
  const messages = async (bucket: string, more = {}) => {
    const { store } = await make(bucket, more);
    const { findings, ...kept } = await store.probe();
    return { ...kept, text: findings.map((finding) => `${finding.level}: ${finding.message}`).join("\n") };
  };
  const withLock = await messages(locked);
  assert.deepEqual([withLock.overwrite, withLock.deletion], ["backend", "backend"]);
  assert.match(withLock.text, /ok: an overwrite becomes a newer version.*does not listen to the condition/);
  assert.match(withLock.text, /ok: the service refuses to remove an object before its retention ends/);
  assert.match(withLock.text, /ok: the server does not verify SHA-256/);
  assert.match(withLock.text, /ok: the bucket has Object Lock/);
  assert.match(withLock.text, /ok: the service's clock and this machine's agree/);
  const versionsAlone = await messages(locked, { object_lock: false });
  assert.deepEqual([versionsAlone.overwrite, versionsAlone.deletion], ["backend", "gatehouse"]);
  assert.match(
    versionsAlone.text,
    /warning: the bucket has Object Lock, and the configuration does not use it/,
  );
  const without = await messages(plain);
  assert.deepEqual([without.overwrite, without.deletion], ["gatehouse", "gatehouse"]);
  assert.match(without.text, /warning: the bucket does not keep versions \(never switched on\)/);
  assert.match(without.text, /warning: the bucket has no Object Lock/);
});

test(
  "s3: a missing bucket, a missing lock and wrong credentials are named, with what to do",
  skip,
  async () => {
    const none = await make("no-such-bucket");
    await assert.rejects(
      none.store.probe(),
      (error) =>
        isGatehouseError(error, "unavailable") &&
        /NoSuchBucket/.test(error.message) &&
        /Create the bucket/.test(error.hint ?? ""),
    );
    const noLock = await make(plain, { object_lock: true });
    await assert.rejects(
      noLock.store.probe(),
      (error) => isGatehouseError(error, "unavailable") && /Object Lock/.test(error.hint ?? ""),
    );
    process.env["AWS_SECRET_ACCESS_KEY"] = "not the secret";
    try {
      const wrong = await make(locked);
      await assert.rejects(wrong.store.create("k", Buffer.from("x"), soon()), (error) => {
        assert.ok(isGatehouseError(error, "denied"));
        assert.doesNotMatch(
          JSON.stringify(error, Object.getOwnPropertyNames(error)),
          /not the secret|TESTKEY/,
        );
        return true;
      });
    } finally {
      process.env["AWS_SECRET_ACCESS_KEY"] = ceph.secretAccessKey;
    }
  },
);

test("s3: without versions an object is removed after its retention, and its key is free", skip, async () => {
  const { store } = await make(plain);
  await store.create("k", Buffer.from("one"), { retainUntilMs: Date.now() - 1 });
  await store.remove("k");
  await assert.rejects(store.read("k"), coded("not_found"));
  await store.create("k", Buffer.from("two"), soon());
  assert.equal(text(await store.read("k")), "two");
});
