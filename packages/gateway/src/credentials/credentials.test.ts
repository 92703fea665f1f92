import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { isGatehouseError, seededRandom } from "@gatehouse/kernel";
import fc from "fast-check";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { credentialsIn } from "./credentials.ts";
import { type SealingKeys, open, seal, sealingKey } from "./envelope.ts";
import { Secret } from "./secret.ts";

const random = seededRandom(7);
const keys: SealingKeys = [sealingKey(random.bytes(32))];

async function make(context: TestContext, sealedUnder = keys) {
  const { directory, clock, path } = await temporaryDirectory(context);
  const sealed = directory.sealedCredentials;
  return {
    credentials: credentialsIn({ sealed, keys: sealedUnder, clock, random }),
    sealed,
    clock,
    path,
    directory,
  };
}

test("a secret is stored sealed, used, replaced and removed", async (context) => {
  const { credentials, clock, path, directory } = await make(context);
  const id = await credentials.create({
    name: "root",
    kind: "password",
    secret: Secret.ofText("correct horse"),
  });
  const atMs = clock.nowMs();
  assert.equal(
    await credentials.withSecret(id, (secret, { kind }) => `${kind}: ${secret.text()}`),
    "password: correct horse",
  );
  clock.advance(1000);
  await credentials.replace(id, { kind: "key", secret: Secret.ofText("battery staple") });
  assert.equal(
    await credentials.withSecret(id, (secret, { kind }) => `${kind}: ${secret.text()}`),
    "key: battery staple",
  );
  assert.deepEqual(await credentials.list(), [
    { id, name: "root", kind: "key", createdAtMs: atMs, updatedAtMs: atMs + 1000 },
  ]);
  await directory.close();
  for (const file of [path, `${path}-wal`]) {
    let stored = Buffer.alloc(0);
    try {
      stored = readFileSync(file);
    } catch {
      continue; // A closed database has no log.
    }
    for (const text of ["correct horse", "battery staple"])
      for (const form of [text, Buffer.from(text).toString("base64")])
        assert.ok(!stored.includes(form), `${file} holds the secret`);
  }
});

test("a used secret is wiped, also when its use throws", async (context) => {
  const { credentials } = await make(context);
  const id = await credentials.create({ name: "a", kind: "password", secret: Secret.ofText("x") });
  let kept: Secret | undefined;
  await assert.rejects(
    credentials.withSecret(id, (secret) => {
      kept = secret;
      throw new Error("on purpose");
    }),
    /on purpose/,
  );
  assert.throws(
    () => kept?.bytes(),
    (error) => isGatehouseError(error, "conflict"),
  );
});

test("what is not there, taken or too long is refused", async (context) => {
  const { credentials } = await make(context);
  const secret = Secret.ofText("x");
  const id = await credentials.create({ name: "a", kind: "password", secret });
  await assert.rejects(credentials.create({ name: "a", kind: "key", secret }), (error) =>
    isGatehouseError(error, "conflict"),
  );
  await assert.rejects(
    credentials.withSecret("none", () => 0),
    (error) => isGatehouseError(error, "not_found"),
  );
  await assert.rejects(credentials.replace("none", { kind: "key", secret }), (error) =>
    isGatehouseError(error, "not_found"),
  );
  await assert.rejects(
    credentials.create({ name: "b", kind: "key", secret: new Secret(new Uint8Array(65_537)) }),
    (error) => isGatehouseError(error, "too_large"),
  );
  assert.equal(await credentials.remove(id), true);
  assert.equal(await credentials.remove(id), false);
});

test("the envelope of one row does not open in another, nor under another kind", async (context) => {
  const { credentials, sealed } = await make(context);
  const low = await credentials.create({ name: "low", kind: "password", secret: Secret.ofText("low") });
  const high = await credentials.create({ name: "high", kind: "password", secret: Secret.ofText("high") });
  const { envelope } = (await sealed.byId(high)) ?? assert.fail();
  await sealed.replace(low, { envelope, kind: "password", updatedAtMs: 1 });
  await assert.rejects(
    credentials.withSecret(low, () => 0),
    (error) => isGatehouseError(error, "corrupt"),
  );
  await sealed.replace(high, { envelope, kind: "key", updatedAtMs: 1 });
  await assert.rejects(
    credentials.withSecret(high, () => 0),
    (error) => isGatehouseError(error, "corrupt"),
  );
});

test("after a rotation old secrets open and new ones are under the new key", async (context) => {
  const { credentials, sealed, clock } = await make(context);
  const old = await credentials.create({ name: "old", kind: "key", secret: Secret.ofText("old") });
  const rotated = credentialsIn({ sealed, clock, random, keys: [sealingKey(random.bytes(32)), ...keys] });
  assert.equal(await rotated.withSecret(old, (secret) => secret.text()), "old");
  const fresh = await rotated.create({ name: "fresh", kind: "key", secret: Secret.ofText("fresh") });
  await assert.rejects(
    credentials.withSecret(fresh, () => 0),
    (error) => isGatehouseError(error, "unavailable"),
  );
  await rotated.replace(old, { kind: "key", secret: Secret.ofText("again") });
  await assert.rejects(
    credentials.withSecret(old, () => 0),
    (error) => isGatehouseError(error, "unavailable"),
  );
});

test("any change of an envelope is found, and any secret comes back", () => {
  const place = { credentialId: "id", kind: "key" };
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (secret, at, change) => {
        const envelope = seal(secret, place, { keys, random });
        assert.deepEqual([...open(envelope, place, keys)], [...secret]);
        const altered = envelope.slice();
        const where = at % altered.length;
        altered[where] = (altered[where] as number) ^ change;
        assert.throws(
          () => open(altered, place, keys),
          (error) => isGatehouseError(error),
        );
        assert.throws(
          () => open(envelope.subarray(0, at % envelope.length), place, keys),
          (error) => isGatehouseError(error),
        );
      },
    ),
  );
});
