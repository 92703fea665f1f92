import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import {
  decodeQuery,
  decodeQueryOutcome,
  encodeQuery,
  encodeQueryOutcome,
  type Query,
  type QueryOutcome,
} from "./query-payloads.ts";
import { type Statement, statementLine, statements } from "./statements.ts";

type Given = { query: Query } | { outcome: QueryOutcome };

async function derived(...given: Given[]): Promise<Statement[]> {
  const frames = given.map((one, i) =>
    "query" in one
      ? { kind: "query", stream: 0, timeUs: i * 1000, data: encodeQuery(one.query) }
      : { kind: "query.outcome", stream: 0, timeUs: i * 1000, data: encodeQueryOutcome(one.outcome) },
  );
  const all: Statement[] = [];
  for await (const statement of statements(frames)) all.push(statement);
  return all;
}

test("payloads are strict in both directions", () => {
  const query: Query = { statement: 1, type: "simple", text: "select 1" };
  assert.deepEqual(decodeQuery(encodeQuery(query)), query);
  const outcome: QueryOutcome = {
    statement: 1,
    durationUs: 12,
    final: true,
    results: [{ tag: "SELECT 1", rows: 1 }],
    status: "idle",
  };
  assert.deepEqual(decodeQueryOutcome(encodeQueryOutcome(outcome)), outcome);
  const invalid = (error: unknown) => isGatehouseError(error, "invalid");
  assert.throws(() => encodeQuery({ statement: 0, type: "simple" }), invalid);
  assert.throws(() => decodeQuery(utf8('{"statement":1,"type":"drop"}')), invalid);
  assert.throws(() => decodeQueryOutcome(utf8('{"statement":1}')), invalid);
});

test("an execute is shown with the text that was prepared and the values that were bound", async () => {
  const [first, second] = await derived(
    { query: { statement: 1, type: "prepare", name: "p", text: "select $1", types: ["int4"] } },
    { query: { statement: 2, type: "bind", of: 1, portal: "", values: [{ text: "7", type: "int4" }] } },
    { query: { statement: 3, type: "execute", of: 2, portal: "" } },
    { outcome: { statement: 3, durationUs: 5000, final: true, results: [{ tag: "SELECT 1", rows: 1 }] } },
    { query: { statement: 4, type: "bind", of: 1, portal: "", values: [{ null: true }] } },
    { query: { statement: 5, type: "execute", of: 4, portal: "" } },
  );
  assert.deepEqual(first && statementLine(first), "select $1 [$1='7'] -> SELECT 1, 5.0 ms");
  assert.deepEqual(second && statementLine(second), "select $1 [$1=NULL] -> no outcome");
});

test("what failed before it was run is shown in its place", async () => {
  const error = { severity: "ERROR", code: "42601", message: "syntax error\nat \u001b[2J" };
  const all = await derived(
    { query: { statement: 1, type: "prepare", name: "", text: "selec", types: [] } },
    { query: { statement: 2, type: "bind", of: 1, portal: "", values: [] } },
    { query: { statement: 3, type: "execute", of: 2, portal: "" } },
    { outcome: { statement: 1, durationUs: 1000, final: true, results: [], error } },
    { outcome: { statement: 3, durationUs: 1000, final: true, results: [], discarded: true } },
  );
  assert.deepEqual(all.map(statementLine), [
    "selec -> ERROR 42601 syntax error at \ufffd[2J, 1.0 ms",
    "selec -> discarded, 1.0 ms",
  ]);
});

test("a script's results come together, and a copy has its digest", async () => {
  const sha256 = "0".repeat(64);
  const all = await derived(
    { query: { statement: 1, type: "simple", text: "create table t(); copy t from stdin" } },
    { outcome: { statement: 1, durationUs: 1, final: false, results: [{ tag: "CREATE TABLE" }] } },
    { query: { statement: 2, type: "copy", of: 1, bytes: 4, sha256 } },
    {
      outcome: {
        statement: 1,
        durationUs: 2,
        final: true,
        results: [{ tag: "COPY 2", rows: 2 }],
        status: "idle",
      },
    },
    { query: { statement: 3, type: "cancel" } },
  );
  assert.deepEqual(
    all.map(({ type, results, copiedIn }) => ({ type, tags: results.map((r) => r.tag), copiedIn })),
    [
      { type: "simple", tags: ["CREATE TABLE", "COPY 2"], copiedIn: { bytes: 4, sha256 } },
      { type: "cancel", tags: [], copiedIn: undefined },
    ],
  );
});
