import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { describe, test } from "node:test";
import { keyExchangeMethod, keyExchangeNames } from "./key-exchange-methods.ts";
import { SshReader } from "./wire.ts";

const zeros = (length: number) => Buffer.alloc(length);
/** The prime of RFC 3526's group 14, whose top and bottom 8 bytes are ones. */
function modulusLess(name: string, by: number): Buffer {
  const bytes = name.includes("16") ? 512 : 256;
  // 2^n - 1 is above the prime, so out of range as any; the exact edges are 0 and 1.
  return Buffer.from((2n ** BigInt(bytes * 8) - BigInt(by)).toString(16), "hex");
}
const compressed = createECDH("prime256v1").generateKeys(undefined, "compressed");

describe("a key exchange", () => {
  for (const name of keyExchangeNames) {
    const method = keyExchangeMethod(name);
    test(`${name} gives both the same new secret`, () => {
      const secrets = [1, 2].map(() => {
        const client = method.initiate();
        const { publicValue, secret } = method.respond(client.publicValue);
        assert.deepEqual(client.finish(publicValue), secret);
        const reader = new SshReader(secret);
        assert.ok((method.values === "string" ? reader.string() : reader.mpint()).length >= 31);
        reader.end("secret");
        return Buffer.from(secret).toString("hex");
      });
      assert.notEqual(secrets[0], secrets[1]);
    });

    test(`${name} refuses what is no value of it`, () => {
      const good = method.initiate().publicValue;
      const bad: Uint8Array[] = [
        zeros(0),
        zeros(1),
        Buffer.of(1),
        zeros(good.length),
        good.subarray(1),
        Buffer.concat([good, zeros(method.values === "mpint" ? 600 : 1)]),
        Buffer.alloc(good.length, 0xff),
        compressed,
      ];
      if (method.values === "mpint") bad.splice(4, 1, modulusLess(name, 1), modulusLess(name, 2));
      if (method.values === "mpint") bad.splice(-1);
      for (const value of bad) {
        // A random 32 bytes are a fine X25519 value; ones are too.
        if (name.startsWith("curve25519") && value.length === 32 && value[0] === 0xff) continue;
        assert.throws(() => method.respond(value), { code: "protocol", details: { reason: 3 } });
        assert.throws(() => method.initiate().finish(value), { code: "protocol", details: { reason: 3 } });
      }
    });
  }

  test("of the hybrid refuses either half", () => {
    const method = keyExchangeMethod("mlkem768x25519-sha256");
    const good = Buffer.from(method.initiate().publicValue);
    const weak = Buffer.from(good);
    weak.fill(0, 1184);
    assert.throws(() => method.respond(weak), { message: /X25519/ });
    const unreduced = Buffer.from(good);
    // FIPS 203 §7.2: coefficients are below 3329; twelve ones are not.
    unreduced.fill(0xff, 0, 1152);
    assert.throws(() => method.respond(unreduced), { message: "an unusable ML-KEM key" });
  });
});
