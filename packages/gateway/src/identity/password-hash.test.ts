import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, seededRandom } from "@gatehouse/kernel";
import { createPasswordHashes } from "./password-hash.ts";
import { requireGoodPassword } from "./password-rules.ts";

const hashes = createPasswordHashes({ random: seededRandom(1) });

test("a password opens what was made of it, and nothing else does", async () => {
  const stored = await hashes.hash("the gate stands at the river");
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.deepEqual(await hashes.verify(stored, "the gate stands at the river"), { ok: true });
  assert.deepEqual(await hashes.verify(stored, "the gate stands at the River"), { ok: false });
  assert.deepEqual(await hashes.verify(undefined, "the gate stands at the river"), { ok: false });
  assert.notEqual(await hashes.hash("the gate stands at the river"), stored, "salted");
});

test("one letter written in two ways is one letter", async () => {
  const stored = await hashes.hash("caf\u00e9 by the river");
  assert.deepEqual(await hashes.verify(stored, "cafe\u0301 by the river"), { ok: true });
});

test("what other programs wrote opens, and is made anew as it is made here", async () => {
  // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 -e
  const foreign = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  const { ok, renewed } = await hashes.verify(foreign, "password");
  assert.ok(ok);
  assert.match(renewed ?? "", /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(await hashes.verify(renewed, "password"), { ok: true });
});

test("what cannot be read, or asks for too much, is no password", async () => {
  const salt = "c29tZXNhbHQ";
  const tag = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  for (const stored of [
    "plain",
    "",
    `$argon2i$v=19$m=65536,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=99999999,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=65536,t=999,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=65536,t=2,p=1$${salt}$short`,
  ])
    await assert.rejects(hashes.verify(stored, "password"), (error) => isGatehouseError(error, "corrupt"));
});

test("a flood of guesses is turned away, and those who came first are answered", async () => {
  const all = await Promise.allSettled(Array.from({ length: 80 }, async () => hashes.verify(undefined, "x")));
  const refused = all.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 16);
  assert.ok(refused.every((one) => isGatehouseError(one.reason, "unavailable")));
});

test("a password that would be guessed first is refused with what is wrong with it", () => {
  const refusals: [string, RegExp][] = [
    ["short", /at least 12 characters; this one has 5/],
    ["ababababababab", /5 different/],
    ["x".repeat(300), /at most 256/],
    ["my name is jane.doe!", /must not contain the name/],
    ["123456789012", /row of keys/],
    ["qwertyuiopasdf", /row of keys/],
  ];
  for (const [password, message] of refusals)
    assert.throws(
      () => requireGoodPassword(password, "jane.doe"),
      (error) =>
        isGatehouseError(error, "invalid") && message.test(error.message) && error.hint !== undefined,
      password,
    );
  requireGoodPassword("correct horse battery", "jane.doe");
});
