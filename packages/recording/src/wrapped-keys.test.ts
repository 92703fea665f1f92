import assert from "node:assert/strict";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { fromBase64, GatehouseError, toBase64 } from "@gatehouse/kernel";
import { facts } from "./testing/facts.ts";
import {
  ageOpener,
  ageWrapper,
  type KeyOpener,
  type KeyWrapper,
  unwrapKeys,
  wrapKeys,
} from "./wrapped-keys.ts";

const id = facts.sessionId;
const otherId = "0199c0de-0000-7000-8000-00000000000f";
const keys = { main: new Uint8Array(32).fill(1), input: new Uint8Array(32).fill(2) };
const [anybody, strict, stranger] = await Promise.all([
  generateX25519Identity(),
  generateX25519Identity(),
  generateX25519Identity(),
]);
const toAnybody = ageWrapper([await identityToRecipient(anybody), await identityToRecipient(strict)]);
const toStrict = ageWrapper([await identityToRecipient(strict)]);
const wrapped = await wrapKeys(id, keys, { main: [toAnybody], input: [toStrict] });

const plain = (opened: { main?: Uint8Array; input?: Uint8Array }) =>
  Object.fromEntries(Object.entries(opened).map(([lane, key]) => [lane, [...key]]));
const open = async (...identities: string[]) =>
  plain(await unwrapKeys(id, [wrapped], [ageOpener(identities)]));

test("each identity opens the lanes that are wrapped for it, and no other", async () => {
  assert.deepEqual(await open(strict), plain(keys));
  assert.deepEqual(await open(anybody), { main: [...keys.main] });
  assert.deepEqual(await open(stranger), {});
  assert.deepEqual(await open(), {});
  assert.deepEqual(await open(stranger, strict), plain(keys));
});

test("a wrap that was moved to another lane or recording is refused", async () => {
  const opener = ageOpener([strict]);
  const moved = { main: wrapped.input, input: wrapped.input };
  await assert.rejects(unwrapKeys(id, [moved], [opener]), { code: "corrupt", message: /another lane/ });
  await assert.rejects(unwrapKeys(otherId, [wrapped], [opener]), {
    code: "corrupt",
    message: /another recording/,
  });
});

test("another provider's wrap stands beside age's, and readers without it pass it over", async () => {
  const mask = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
  const provider: Pick<KeyWrapper, "wrap"> & KeyOpener = {
    wrap: (secret) =>
      Promise.resolve({ type: "kms", provider: "mask", key: "k1", data: toBase64(mask(secret)) }),
    open: (wrap) =>
      Promise.resolve(
        wrap.type === "kms" && wrap.provider === "mask" ? mask(fromBase64(wrap.data)) : undefined,
      ),
  };
  const both = await wrapKeys(id, keys, { main: [provider, toStrict], input: [provider] });
  assert.deepEqual(plain(await unwrapKeys(id, [both], [provider])), plain(keys));
  assert.deepEqual(plain(await unwrapKeys(id, [both], [ageOpener([strict])])), { main: [...keys.main] });
});

test("a damaged wrap opens nothing", async () => {
  const [wrap] = wrapped.main;
  assert.ok(wrap);
  const data = fromBase64(wrap.data);
  data[data.length - 1] = (data.at(-1) as number) ^ 1;
  const damaged = { main: [{ ...wrap, data: toBase64(data) }], input: [] };
  assert.deepEqual(await unwrapKeys(id, [damaged], [ageOpener([strict])]), {});
});

test("a text that is no recipient or identity is refused at once and not repeated", () => {
  for (const make of [() => ageWrapper(["age1nonsense"]), () => ageOpener(["AGE-SECRET-KEY-1NONSENSE"])])
    assert.throws(make, (error: Error & { code?: string }) => {
      assert.equal(error.code, "invalid");
      assert.doesNotMatch(error.message, /nonsense/i);
      return true;
    });
});

test("an opener that fails keeps no other from opening, and is told of where none opens", async () => {
  const down: KeyOpener = {
    open: () =>
      Promise.reject(new GatehouseError({ code: "unavailable", op: "kms.open", message: "no answer" })),
  };
  assert.deepEqual(await unwrapKeys(id, [wrapped], [down, ageOpener([strict])]), keys);
  await assert.rejects(unwrapKeys(id, [wrapped], [down, ageOpener([])]), { message: "no answer" });
});
