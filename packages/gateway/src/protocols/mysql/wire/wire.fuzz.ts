import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import fc from "fast-check";
import { capability, extended } from "./capabilities.ts";
import { FieldReader } from "./fields.ts";
import { decodeAuthSwitch, decodeChangeUser, decodeGreeting, decodeHandshakeResponse } from "./handshake.ts";
import {
  decodeColumnCount,
  decodeEnd,
  decodeError,
  decodeFetch,
  decodeLongData,
  decodeNumber,
  decodeOk,
  decodePrepared,
} from "./messages.ts";
import { PacketSplitter, encodePacket } from "./packets.ts";
import { decodeBulk, decodeExecute, decodeQuery, inferredParameters } from "./parameters.ts";
import { readBinaryValue } from "./values.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const heldBytesMax = 64 * 1024;
const refused = (error: unknown) =>
  isGatehouseError(error, "protocol") || isGatehouseError(error, "too_large");

const packet = fc
  .tuple(fc.nat(255), fc.uint8Array({ maxLength: 300 }))
  .map(([sequence, payload]) => encodePacket(sequence, payload));
const damaged = fc
  .tuple(fc.array(packet, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
  .map(([packets, changes]) => {
    const bytes = Buffer.concat(packets);
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });

test("any bytes, split anywhere: what goes on are the bytes, or a typed refusal; little is held", () => {
  fc.assert(
    fc.property(
      fc.oneof(damaged, fc.uint8Array({ maxLength: 3000 })),
      fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }),
      (bytes, cuts) => {
        const given: Uint8Array[] = [];
        const splitter = new PacketSplitter({
          op: "mysql.fuzz",
          wholeBytesMax: heldBytesMax,
          sink: {
            begins: (first) => (["whole", "pass", "count"] as const)[Math.max(0, first) % 3] ?? "pass",
            whole: (_payload, raw) => given.push(Uint8Array.from(raw)),
            pass: (raw) => given.push(Uint8Array.from(raw)),
          },
        });
        let at = 0;
        try {
          for (const cut of [...cuts, bytes.length]) {
            const chunk = bytes.subarray(at, at + cut);
            at += chunk.length;
            splitter.feed(chunk);
            assert.ok(splitter.heldBytes <= heldBytesMax + 5);
          }
          const out = Buffer.concat(given);
          assert.equal(out.length + splitter.heldBytes, bytes.length);
        } catch (error) {
          if (!refused(error)) throw error;
        }
        const out = Buffer.concat(given);
        assert.deepEqual(out, Buffer.from(bytes.subarray(0, out.length)));
      },
    ),
    { numRuns },
  );
});

test("every decoder takes any body under any capabilities: a value or a typed refusal", () => {
  const flags = fc
    .subarray(Object.values(capability))
    .map((bits) => bits.reduce((all, bit) => all | bit, 0) >>> 0);
  const own = fc.subarray(Object.values(extended)).map((bits) => bits.reduce((all, bit) => all | bit, 0));
  const prepared = {
    parameters: 3,
    types: undefined,
    isLong: (i: number) => i === 1,
  };
  const decoders = [
    decodeGreeting,
    decodeAuthSwitch,
    decodeError,
    decodeLongData,
    decodeNumber,
    decodeFetch,
    decodeChangeUser,
    decodeOk,
    decodeEnd,
    decodeColumnCount,
    decodePrepared,
    decodeQuery,
    (bytes: Uint8Array, capabilities: { flags: number; extended: number }) =>
      decodeHandshakeResponse(bytes, () => capabilities),
    (bytes: Uint8Array, capabilities: { flags: number; extended: number }) =>
      decodeExecute(bytes, capabilities, prepared),
    (bytes: Uint8Array) => decodeBulk(bytes, prepared, 100),
    (bytes: Uint8Array, capabilities: { flags: number; extended: number }) =>
      inferredParameters(bytes, capabilities, undefined),
  ];
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // Lengths and counts that lie.
    fc
      .tuple(fc.constantFrom(0xfc, 0xfd, 0xfe, 0xfa, 0x17, 0x03), fc.uint8Array({ maxLength: 60 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest)),
  );
  fc.assert(
    fc.property(body, flags, own, fc.constantFrom(...decoders), (bytes, bits, more, decode) => {
      try {
        decode(bytes, { flags: bits, extended: more });
      } catch (error) {
        if (!refused(error)) throw error;
      }
    }),
    { numRuns: numRuns * 8 },
  );
});

test("every binary value can be read, is shown in hex, or is refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(0xffff), (bytes, type) => {
      try {
        const value = readBinaryValue(new FieldReader(bytes, "mysql.fuzz"), type);
        assert.ok(!("text" in value) || value.text.isWellFormed());
      } catch (error) {
        if (!refused(error)) throw error;
      }
    }),
    { numRuns: numRuns * 4 },
  );
});
