import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "@gatehouse/kernel";
import fc from "fast-check";
import { type KeySource, cipherNames, isAead, macNames, openerFor, sealerFor } from "./cipher-suites.ts";
import type { Outbox } from "./outbox.ts";
import { Padding } from "./packet-cipher.ts";

const suites = cipherNames.flatMap((cipher) =>
  isAead(cipher) ? [{ cipher, mac: "implicit" }] : macNames.map((mac) => ({ cipher, mac })),
);

function keys(seed: number): KeySource {
  return (what, bytes) => seededRandom(seed + what.length).bytes(bytes);
}

function seal(
  sealer: ReturnType<typeof sealerFor>,
  sequence: number,
  head: Uint8Array,
  body: Uint8Array,
): Buffer {
  const pieces: Buffer[] = [];
  const out = { append: (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)) };
  sealer.seal(sequence, head, body, out as unknown as Outbox);
  return Buffer.concat(pieces);
}

describe("what is sealed opens to the same", () => {
  for (const suite of suites)
    test(`${suite.cipher} ${suite.mac}`, () => {
      fc.assert(
        fc.property(
          fc.nat(),
          fc.array(
            fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.uint8Array({ maxLength: 5000 })),
            {
              minLength: 1,
              maxLength: 5,
            },
          ),
          fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 32 - 3),
          (seed, payloads, firstSequence) => {
            const sealer = sealerFor(suite, keys(seed), new Padding(seededRandom(seed)));
            const opener = openerFor(suite, keys(seed));
            for (const [i, [head, body]] of payloads.entries()) {
              const sequence = (firstSequence + i) >>> 0;
              const packet = seal(sealer, sequence, head, body);
              const length = opener.packetLength(sequence, packet, 0);
              assert.equal(4 + length + opener.tagBytes, packet.length);
              assert.equal((length + opener.lengthSkew) % opener.blockBytes, 0);
              const plain = opener.open(sequence, packet);
              assert.ok((plain[0] as number) >= 4);
              assert.deepEqual(
                plain.subarray(1, plain.length - (plain[0] as number)),
                Buffer.concat([head, body]),
              );
            }
          },
        ),
        { numRuns: 30 },
      );
    });
});

describe("what was changed, or belongs elsewhere, does not open", () => {
  for (const suite of suites)
    test(`${suite.cipher} ${suite.mac}`, () => {
      const [head, body] = [Buffer.of(94), Buffer.alloc(50, 7)];
      const sealed = () => seal(sealerFor(suite, keys(1), new Padding(seededRandom(1))), 5, head, body);
      const packet = sealed();
      for (let at = 0; at < packet.length; at++) {
        const changed = Buffer.from(packet);
        changed[at] = (changed[at] as number) ^ (1 << (at % 8));
        const opener = openerFor(suite, keys(1));
        const length = opener.packetLength(5, changed, 0);
        // A changed length is caught by its check or never completes; here, with the right bytes, by the tag.
        if (4 + length + opener.tagBytes !== packet.length) continue;
        assert.throws(() => opener.open(5, changed), { message: "a packet failed authentication" });
      }
      const other = openerFor(suite, keys(2));
      other.packetLength(5, packet, 0);
      assert.throws(() => other.open(5, packet), { message: "a packet failed authentication" });
      // AES-GCM counts for itself; for all others the sequence number is under the check.
      if (suite.cipher.includes("gcm")) return;
      const late = openerFor(suite, keys(1));
      late.packetLength(6, packet, 0);
      assert.throws(() => late.open(6, packet), { message: "a packet failed authentication" });
    });
});

test("chacha20-poly1305@openssh.com makes what its specification says", () => {
  // Computed from RFC 8439's block function by hand: zero key, sequence number 0, the payload 0x05.
  const suite = { cipher: "chacha20-poly1305@openssh.com", mac: "implicit" };
  const zeros: KeySource = (_what, bytes) => new Uint8Array(bytes);
  const padding = new Padding({ bytes: (length) => new Uint8Array(length) });
  const packet = seal(sealerFor(suite, zeros, padding), 0, Buffer.of(5), new Uint8Array(0));
  // RFC 8439 §A.1: block 0 of the zero key starts 76b8e0ad, block 1 starts 9f07e7be.
  assert.equal(packet.toString("hex", 0, 4), (0x76b8e0ad ^ 8).toString(16));
  assert.equal(packet.readUInt32BE(4), (0x9f07e7be ^ 0x06050000) >>> 0);
});
