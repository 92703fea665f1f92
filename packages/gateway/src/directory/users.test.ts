import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import { temporaryDirectory } from "./testing/temporary.ts";

const blob = Uint8Array.of(0, 1, 2, 255);
const keyOf = (userId: string, fingerprint = "SHA256:abc") => ({
  userId,
  type: "ssh-ed25519",
  blob,
  fingerprint,
  comment: "jane@laptop",
});

test("a user is found as they were created, and their name is theirs alone", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { users } = directory;
  const jane = await users.create({ name: "jane", displayName: "Jane Doe", roles: ["auditor", "user"] });
  assert.deepEqual(jane, {
    id: jane.id,
    name: "jane",
    displayName: "Jane Doe",
    roles: ["auditor", "user"],
    disabled: false,
    createdAtMs: clock.nowMs(),
  });
  assert.deepEqual(await users.byId(jane.id), jane);
  assert.deepEqual(await users.byName("jane"), jane);
  assert.equal(await users.byName("Jane"), undefined);
  await assert.rejects(users.create({ name: "jane", roles: [] }), (error) =>
    isGatehouseError(error, "conflict"),
  );
  assert.equal(await users.count(), 1);
});

test("an update changes what it names and nothing else", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { users } = directory;
  const jane = await users.create({ name: "jane", roles: ["user"] });
  assert.deepEqual(await users.update(jane.id, { disabled: true }), { ...jane, disabled: true });
  assert.deepEqual(await users.update(jane.id, {}), { ...jane, disabled: true });
  assert.deepEqual(await users.update(jane.id, { disabled: false, roles: [], displayName: "J" }), {
    ...jane,
    roles: [],
    displayName: "J",
  });
  await assert.rejects(users.update("nobody", {}), (error) => isGatehouseError(error, "not_found"));
});

test("pages go by name, and rows that come in between move nothing", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { users } = directory;
  for (const name of ["b", "d", "f", "h"]) await users.create({ name, roles: [] });
  const first = await users.list({}, { limit: 2 });
  assert.deepEqual(
    first.items.map(({ name }) => name),
    ["b", "d"],
  );
  await users.create({ name: "a", roles: [] });
  await users.create({ name: "e", roles: [] });
  const second = await users.list({}, { limit: 3, after: first.next as string });
  assert.deepEqual(second, { items: second.items });
  assert.deepEqual(
    second.items.map(({ name }) => name),
    ["e", "f", "h"],
  );
  for (const after of ["", "x", Buffer.from("[1]").toString("base64url")])
    await assert.rejects(users.list({}, { after }), (error) => isGatehouseError(error, "invalid"));
  await assert.rejects(users.list({}, { limit: 0 }), (error) => isGatehouseError(error, "invalid"));
  await assert.rejects(users.list({}, { limit: 501 }), (error) => isGatehouseError(error, "too_large"));
});

test("a key tells whose it is, and is one person's only", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { users, userKeys } = directory;
  const jane = await users.create({ name: "jane", roles: [] });
  const john = await users.create({ name: "john", roles: [] });
  const key = await userKeys.add(keyOf(jane.id));
  assert.deepEqual(key, { ...keyOf(jane.id), id: key.id, addedAtMs: clock.nowMs() });
  assert.deepEqual(await userKeys.byFingerprint("SHA256:abc"), { key, user: jane });
  await assert.rejects(userKeys.add(keyOf(john.id)), (error) => isGatehouseError(error, "conflict"));
  await assert.rejects(userKeys.add(keyOf("nobody", "SHA256:x")), (error) =>
    isGatehouseError(error, "not_found"),
  );
  clock.advance(5000);
  await userKeys.used(key.id);
  assert.deepEqual(await userKeys.ofUser(jane.id), [{ ...key, lastUsedAtMs: clock.nowMs() }]);
  assert.equal(await userKeys.remove(john.id, key.id), false);
  assert.equal(await userKeys.remove(jane.id, key.id), true);
  assert.equal(await userKeys.byFingerprint("SHA256:abc"), undefined);
});
