import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import fc from "fast-check";
import {
  backend,
  decodeBackendKeyData,
  decodeBind,
  decodeError,
  decodeExecute,
  decodeFunctionCall,
  decodeNamed,
  decodeParameterDescription,
  decodeParameterStatus,
  decodeParse,
  decodeQuery,
  decodeReady,
  encodeMessage,
  frontend,
} from "./messages.ts";
import { MessageSplitter } from "./splitter.ts";
import { readStartup } from "./startup.ts";
import { readValue } from "./values.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const heldBytesMax = 64 * 1024;

const message = fc
  .tuple(
    fc.constantFrom(...Object.values(frontend), ...Object.values(backend)),
    fc.uint8Array({ maxLength: 300 }),
  )
  .map(([type, body]) => encodeMessage(type, body));
const damaged = fc
  .tuple(fc.array(message, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
  .map(([messages, changes]) => {
    const bytes = Buffer.concat(messages);
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });

test("any bytes, split anywhere: the pieces are the bytes, or a typed refusal; little is held", () => {
  fc.assert(
    fc.property(
      fc.oneof(damaged, fc.uint8Array({ maxLength: 3000 })),
      fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }),
      (bytes, cuts) => {
        const splitter = new MessageSplitter({
          op: "postgres.fuzz",
          known: (type) => type > 0x20,
          whole: (type) => type !== frontend.copyData && type !== frontend.describe,
          wholeBytesMax: heldBytesMax,
        });
        const given: Uint8Array[] = [];
        let at = 0;
        try {
          for (const cut of [...cuts, bytes.length]) {
            const chunk = bytes.subarray(at, at + cut);
            at += chunk.length;
            for (const piece of splitter.feed(chunk)) given.push(Uint8Array.from(piece.raw));
            assert.ok(splitter.heldBytes <= heldBytesMax + 5);
          }
        } catch (error) {
          if (!isGatehouseError(error, "protocol") && !isGatehouseError(error, "too_large")) throw error;
        }
        const out = Buffer.concat(given);
        assert.deepEqual(out, Buffer.from(bytes.subarray(0, out.length)));
      },
    ),
    { numRuns },
  );
});

test("every decoder takes any body: a value or a typed refusal", () => {
  const decoders = [
    decodeBackendKeyData,
    decodeBind,
    decodeError,
    decodeExecute,
    decodeFunctionCall,
    decodeNamed,
    decodeParameterDescription,
    decodeParameterStatus,
    decodeParse,
    decodeQuery,
    decodeReady,
    readStartup,
  ];
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // Names, and counts that lie.
    fc
      .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.uint8Array({ maxLength: 40 }))
      .map(([a, b, rest]) => Buffer.concat([utf8(`${a}\0${b}\0`), rest])),
  );
  fc.assert(
    fc.property(body, fc.constantFrom(...decoders), (bytes, decode) => {
      try {
        decode(bytes);
      } catch (error) {
        if (!isGatehouseError(error, "protocol") && !isGatehouseError(error, "too_large")) throw error;
      }
    }),
    { numRuns: numRuns * 4 },
  );
});

test("every value can be read or is shown in hex", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(1),
      fc.constantFrom(
        16,
        17,
        18,
        20,
        21,
        23,
        25,
        26,
        700,
        701,
        1043,
        1082,
        1083,
        1114,
        1184,
        1700,
        2950,
        3802,
        99_999,
      ),
      (bytes, format, oid) => {
        const value = readValue(bytes, format, oid);
        assert.ok(value === undefined || value.isWellFormed());
      },
    ),
    { numRuns: numRuns * 2 },
  );
});
