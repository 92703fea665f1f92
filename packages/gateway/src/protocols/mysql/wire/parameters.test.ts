import assert from "node:assert/strict";
import { test } from "node:test";
import { capability } from "./capabilities.ts";
import { decodeExecute, decodeQuery } from "./parameters.ts";

const withAttributes = { flags: capability.queryAttributes, extended: 0 };
const bytes = (...parts: (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))));

// MySQL "COM_QUERY" and "COM_STMT_EXECUTE" under CLIENT_QUERY_ATTRIBUTES, as 8.0.23 and later have them.
test("what a client says of a query stands before its text, and is no part of it", () => {
  const none = bytes(3, 0, 1, "select 1");
  assert.deepEqual(decodeQuery(none, withAttributes), { attributes: [], text: bytes("select 1") });
  const two = bytes(3, 2, 1, 0b10, 1, 0xfe, 0, 5, "trace", 3, 0, 4, "none", 3, "abc", "select 1");
  assert.deepEqual(decodeQuery(two, withAttributes), {
    attributes: [
      { type: 0xfe, name: "trace", value: { text: "abc" } },
      { type: 3, name: "none" },
    ],
    text: bytes("select 1"),
  });
  assert.deepEqual(decodeQuery(bytes(3, "select 1"), { flags: 0, extended: 0 }).text, bytes("select 1"));
});

test("what it says of an execution stands behind the statement's own parameters, whose types are kept", () => {
  const parameters = { parameters: 1, types: undefined, isLong: () => false };
  const ids = [0x17, 7, 0, 0, 0];
  const first = bytes(...ids, 0x08, 1, 0, 0, 0, 2, 0, 1, 3, 0, 0, 0xfe, 0, 5, "trace", 42, 0, 0, 0, 3, "abc");
  const execution = decodeExecute(first, withAttributes, parameters);
  assert.deepEqual(
    [execution.parameters, execution.types],
    [
      [
        { type: 3, name: "", value: { text: "42" } },
        { type: 0xfe, name: "trace", value: { text: "abc" } },
      ],
      [{ type: 3, name: "" }],
    ],
  );
  const again = bytes(...ids, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
  assert.deepEqual(
    decodeExecute(again, withAttributes, { ...parameters, types: execution.types }).parameters,
    [{ type: 3, name: "", value: { text: "-1" } }],
  );
});
