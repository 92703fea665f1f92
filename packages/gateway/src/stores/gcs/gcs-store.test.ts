import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isGatehouseError, systemClock, systemRandom, toHex } from "@gatehouse/kernel";
import { type FakeGcs, fakeGcsMissing, startFakeGcs } from "../../../../../test/parts/fake-gcs.ts";
import { type GcsContract, startGcsContract } from "../../../../../test/parts/gcs-contract.ts";
import { storeConformance } from "../conformance.ts";
import { gcsStoreSchema, openGcsStore } from "./mod.ts";

const bucket = "recordings";
const fakeMissing = fakeGcsMissing();
let locking: GcsContract;
let versioning: GcsContract;
let plain: GcsContract;
let fake: FakeGcs | undefined;

before(async () => {
  locking = await startGcsContract({ bucket, retention: true, versioning: false });
  versioning = await startGcsContract({ bucket, retention: true, versioning: true });
  plain = await startGcsContract({ bucket, retention: false, versioning: false });
  if (fakeMissing === undefined) fake = await startFakeGcs(bucket);
});
after(async () => {
  for (const server of [locking, versioning, plain, fake]) await server?.close();
});

async function make(endpoint: string, more: Record<string, unknown> = {}) {
  const prefix = `${toHex(systemRandom.bytes(6))}/`;
  const config = gcsStoreSchema.parse({ type: "gcs", bucket, prefix, endpoint, ...more });
  const { store } = await openGcsStore(config, { clock: systemClock, random: systemRandom });
  return { store, prefix, nowMs: () => Date.now(), cleanup: () => Promise.resolve() };
}

storeConformance({
  name: "gcs against the documented JSON API with object retention (our own server: proves nothing about Google's)",
  holds: "backend",
  make: () => make(locking.endpoint),
  enforces: { overwrite: true, deletion: true },
});
storeConformance({
  name: "gcs against the documented JSON API with generations (our own server: proves nothing about Google's)",
  holds: "backend",
  make: () => make(versioning.endpoint),
  enforces: { overwrite: true, deletion: true },
});
storeConformance({
  name: "gcs on fake-gcs-server (it keeps no retention)",
  holds: "gatehouse",
  make: () => make(fake?.endpoint ?? "", { retention: "none" }),
  ...(fakeMissing !== undefined && { skip: fakeMissing }),
});

const soon = () => ({ retainUntilMs: Date.now() + 60_000 });

test("gcs: what somebody else writes over an object is noticed, and the first generation is read", async () => {
  const { store, prefix } = await make(versioning.endpoint);
  await store.create("k", Buffer.from("first"), soon());
  versioning.overwrite(`${prefix}k`, Buffer.from("second"));
  assert.equal(Buffer.from(await store.read("k")).toString(), "first");
  assert.deepEqual(await store.list(""), ["k"]);
  const problems = (await store.probe()).findings.filter((finding) => finding.level === "problem");
  assert.deepEqual(
    problems.map((finding) => finding.message),
    ["k was written again once by somebody else; what was written first is kept and read"],
  );
});

test("gcs: an object is removed when its retention has ended, by generation", async () => {
  const { store } = await make(versioning.endpoint);
  const retainUntilMs = Date.now() + 300;
  await store.create("k", Buffer.from("x"), { retainUntilMs });
  await assert.rejects(store.remove("k"), (error) => isGatehouseError(error, "denied"));
  await new Promise((resolve) => setTimeout(resolve, retainUntilMs + 20 - Date.now()));
  await store.remove("k");
  assert.deepEqual(await store.list(""), []);
});

test("gcs: a probe says what the bucket keeps", async () => {
  const text = async (endpoint: string, more = {}) => {
    const { store } = await make(endpoint, more);
    const probe = await store.probe();
    const lines = probe.findings.map((finding) => `${finding.level}: ${finding.message}`);
    return [`${probe.overwrite} ${probe.deletion}`, ...lines].join("\n");
  };
  const kept = await text(locking.endpoint);
  assert.match(kept, /^backend backend\n/);
  assert.match(kept, /ok: the service refuses to overwrite an object/);
  assert.match(kept, /ok: the service verifies CRC32C/);
  assert.match(kept, /ok: the bucket has object retention/);
  assert.match(kept, /ok: the service's clock and this machine's agree/);
  const unkept = await text(plain.endpoint, { retention: "bucket" });
  assert.match(unkept, /^gatehouse gatehouse\n/);
  assert.match(unkept, /warning: the bucket has no retention policy/);
});

test("gcs: a missing bucket, and a bucket that takes no retention, are named", async () => {
  const none = await make(plain.endpoint, { bucket: "no-such-bucket" });
  await assert.rejects(
    none.store.probe(),
    (error) => isGatehouseError(error, "unavailable") && /Create the bucket/.test(error.hint ?? ""),
  );
  const { store } = await make(plain.endpoint);
  await assert.rejects(
    store.create("k", Buffer.from("x"), soon()),
    (error) => isGatehouseError(error, "unavailable") && /retention is not enabled/.test(error.message),
  );
});
