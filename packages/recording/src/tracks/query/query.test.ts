import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, utf8 } from "@gatehouse/kernel";
import { canonicalBytes } from "../../canonical-json.ts";
import {
  decodeQuery,
  decodeQueryOutcome,
  encodeQuery,
  encodeQueryData,
  encodeQueryOutcome,
  encodeQueryRows,
  encodeQuerySecret,
  type Query,
  type QueryData,
  type QueryOutcome,
  type QueryRows,
  type QuerySecret,
} from "./query-payloads.ts";
import { statementsAs } from "./statement-export.ts";
import { statementLine } from "./statement-line.ts";
import { type Statement, statements } from "./statements.ts";

type Given =
  | { query: Query }
  | { outcome: QueryOutcome }
  | { secret: QuerySecret }
  | { rows: QueryRows }
  | { data: QueryData };

function frameOf(one: Given): { kind: string; data: Uint8Array } {
  if ("query" in one) return { kind: "query", data: encodeQuery(one.query) };
  if ("outcome" in one) return { kind: "query.outcome", data: encodeQueryOutcome(one.outcome) };
  if ("secret" in one) return { kind: "query.secret", data: encodeQuerySecret(one.secret) };
  if ("rows" in one) return { kind: "query.rows", data: encodeQueryRows(one.rows) };
  return { kind: "query.data", data: encodeQueryData(one.data) };
}

async function derived(...given: Given[]): Promise<Statement[]> {
  const frames = given.map((one, i) => Object.assign(frameOf(one), { stream: 0, timeUs: i * 1000 }));
  const all: Statement[] = [];
  for await (const statement of statements(frames)) all.push(statement);
  return all;
}

test("a payload is canonical JSON, whatever the order of what it is given", () => {
  const outcome: QueryOutcome = {
    status: "idle",
    results: [{ tag: 'a\u0001\u2028"\\ü', rows: 0, sha256: "0".repeat(64), bytes: 1 }],
    final: true,
    notices: [{ message: "m", hint: "h", code: "c", severity: "s", detail: "d" }],
    durationUs: 2 ** 53 - 1,
    statement: 1,
  };
  assert.deepEqual(encodeQueryOutcome(outcome), canonicalBytes(outcome));
});

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

test("what was prepared and never run is shown as that, as soon as nothing can run it", async () => {
  const prepare = (statement: number, name: string, text: string): Given => ({
    query: { statement, type: "prepare", name, text, types: [] },
  });
  const all = await derived(
    prepare(1, "", "described"),
    // A simple statement ends what has no name.
    { query: { statement: 2, type: "simple", text: "select 1" } },
    { outcome: { statement: 2, durationUs: 1000, final: true, results: [{ tag: "SELECT 1" }] } },
    prepare(3, "kept", "run later"),
    prepare(4, "", "replaced"),
    prepare(5, "", "its bind fails"),
    { query: { statement: 6, type: "bind", of: 5, portal: "", values: [{ text: "x" }] } },
    {
      outcome: {
        statement: 6,
        durationUs: 1000,
        final: true,
        results: [],
        error: { severity: "ERROR", code: "22P02", message: "no number" },
      },
    },
    { query: { statement: 7, type: "execute", of: 3 } },
    { outcome: { statement: 7, durationUs: 1000, final: true, results: [{ tag: "DONE" }] } },
    prepare(8, "", "left"),
  );
  assert.deepEqual(all.map(statementLine), [
    "described -> prepared, not run",
    "select 1 -> SELECT 1, 1.0 ms",
    "replaced -> prepared, not run",
    "its bind fails [$1='x'] -> ERROR 22P02 no number, 1.0 ms",
    "run later -> DONE, 1.0 ms",
    "left -> prepared, not run",
  ]);
});

test("what takes a name that the server does not give it leaves the name what it was", async () => {
  const error = { severity: "ERROR", code: "42P05", message: "exists" };
  const outcome = (statement: number, more: object): Given => ({
    outcome: { statement, durationUs: 1000, final: true, results: [], ...more },
  });
  const prepare = (statement: number, text: string): Given => ({
    query: { statement, type: "prepare", name: "s", text, types: [] },
  });
  const run = (first: number, of: number): Given[] => [
    { query: { statement: first, type: "bind", of, portal: "", values: [] } },
    { query: { statement: first + 1, type: "execute", of: first } },
    outcome(first + 1, { results: [{ tag: "DONE" }] }),
  ];
  const lines = async (...given: Given[]) =>
    (await derived(...given)).map((statement) => statementLine(statement).replace(", 1.0 ms", ""));
  assert.deepEqual(
    await lines(
      prepare(1, "the first"),
      prepare(2, "the second"),
      outcome(2, { error }),
      prepare(3, "the third"),
      outcome(3, { discarded: true }),
      ...run(4, 1),
      prepare(6, "the fourth"),
      ...run(7, 6),
      ...run(9, 6),
    ),
    [
      "the second -> ERROR 42P05 exists",
      "the third -> discarded",
      "the first -> DONE",
      "the fourth -> DONE",
      "the fourth -> DONE",
    ],
  );
});

test("in a pipeline what fails is told of what failed, though others have its name by then", async () => {
  const error = { severity: "ERROR", code: "22P02", message: "no" };
  const failed = (statement: number): Given => ({
    outcome: { statement, durationUs: 1000, final: true, results: [], error },
  });
  const discarded = (statement: number): Given => ({
    outcome: { statement, durationUs: 1000, final: true, results: [], discarded: true },
  });
  const asked = (first: number, text: string): Given[] => [
    { query: { statement: first, type: "prepare", name: "", text, types: [] } },
    { query: { statement: first + 1, type: "bind", of: first, portal: "", values: [] } },
    { query: { statement: first + 2, type: "execute", of: first + 1 } },
  ];
  const lines = async (...given: Given[]) =>
    (await derived(...given)).map((statement) => statementLine(statement).replace(", 1.0 ms", ""));
  const both = [...asked(1, "first"), ...asked(4, "second")];
  const simple: Given = { query: { statement: 7, type: "simple", text: "third" } };
  const rest = [discarded(3), discarded(6), failed(7)];
  const after = ["first -> discarded", "second -> discarded", "third -> ERROR 22P02 no"];
  // What was prepared, or bound.
  for (const number of [1, 2])
    assert.deepEqual(await lines(...both, simple, failed(number), ...rest), [
      "first -> ERROR 22P02 no",
      ...after,
    ]);
  const many = Array.from({ length: 3000 }, (_, i): Given => ({
    query: { statement: i + 1, type: "prepare", name: "", text: `${i}`, types: [] },
  }));
  assert.deepEqual(
    await lines(...many),
    many.map((_, i) => `${i} -> prepared, not run`),
  );
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

test("a masked secret is shown to who can read the lane that holds it, and to nobody else", async () => {
  const masked: Given = {
    query: { statement: 1, type: "simple", text: "alter role a password '***'", masked: true },
  };
  const done: Given = {
    outcome: { statement: 1, durationUs: 1000, final: true, results: [{ tag: "ALTER ROLE" }] },
  };
  const [without] = await derived(masked, done);
  assert.equal(without && statementLine(without), "alter role a password '***' -> ALTER ROLE, 1.0 ms");
  assert.equal(without?.masked, true);
  const [withIt] = await derived(
    { secret: { statement: 1, text: "alter role a password 'hunter2'" } },
    masked,
    done,
  );
  assert.equal(withIt && statementLine(withIt), "alter role a password 'hunter2' -> ALTER ROLE, 1.0 ms");
  assert.equal(withIt?.masked, false);
});

test("a masked value is masked where it is run, and whole with the secret", async () => {
  const run = (...secrets: Given[]) =>
    derived(
      { query: { statement: 1, type: "prepare", name: "p", text: "set password = ?", types: [] } },
      ...secrets,
      {
        query: { statement: 2, type: "bind", of: 1, portal: "", values: [{ masked: true }], masked: true },
      },
      { query: { statement: 3, type: "execute", of: 2, portal: "" } },
    );
  const [without] = await run();
  assert.equal(without && statementLine(without), "set password = ? [$1=(masked)] -> no outcome");
  assert.equal(without?.masked, true);
  const [withIt] = await run({ secret: { statement: 2, values: [{ text: "hunter2" }] } });
  assert.equal(withIt && statementLine(withIt), "set password = ? [$1='hunter2'] -> no outcome");
});

test("what was kept of rows and copies stands with its result", async () => {
  const sha256 = "0".repeat(64);
  const [both] = await derived(
    { query: { statement: 1, type: "simple", text: "select 1; copy t to stdout" } },
    {
      rows: {
        statement: 1,
        result: 0,
        from: 0,
        columns: [{ name: "a", type: "int4" }],
        rows: [[{ text: "1" }]],
      },
    },
    { rows: { statement: 1, result: 0, from: 1, rows: [[{ null: true }]] } },
    { data: { statement: 1, direction: "out", offset: 0, data: { text: "1\n" } } },
    {
      outcome: {
        statement: 1,
        durationUs: 1,
        final: true,
        results: [
          { tag: "SELECT 2", rows: 2, bytes: 22, sha256 },
          { tag: "COPY 1", rows: 1 },
        ],
        copied: { bytes: 2, sha256 },
      },
    },
  );
  assert.deepEqual(both?.results, [
    {
      tag: "SELECT 2",
      rows: 2,
      bytes: 22,
      sha256,
      columns: [{ name: "a", type: "int4" }],
      kept: [[{ text: "1" }], [{ null: true }]],
    },
    { tag: "COPY 1", rows: 1 },
  ]);
  assert.deepEqual(both?.copiedOut, { bytes: 2, sha256, kept: [{ text: "1\n" }] });
});

test("what the server says by itself is shown, and its silence is not", async () => {
  const all = await derived(
    { outcome: { statement: 0, durationUs: 0, final: true, results: [] } },
    {
      outcome: {
        statement: 0,
        durationUs: 0,
        final: true,
        results: [],
        notifications: [{ channel: "jobs", payload: "17" }],
      },
    },
  );
  assert.deepEqual(all.map(statementLine), ["(the server) -> notification jobs 17"]);
});

test("exports say everything, and nothing in them runs by being opened", async () => {
  const error = { severity: "ERROR", code: "42601", message: "syntax error" };
  const all = await derived(
    { query: { statement: 1, type: "prepare", name: "", text: "select $1 -- why", types: [] } },
    { query: { statement: 2, type: "bind", of: 1, portal: "", values: [{ text: "it's", type: "text" }] } },
    { query: { statement: 3, type: "execute", of: 2, portal: "" } },
    { outcome: { statement: 3, durationUs: 5000, final: true, results: [{ tag: "SELECT 1", rows: 1 }] } },
    { query: { statement: 4, type: "simple", text: "=cmd('x'),\n\"y\"" } },
    { outcome: { statement: 4, durationUs: 250, final: true, results: [], error, status: "idle" } },
  );
  const about = { startedAt: "2026-02-10T14:30:00.000Z", title: "jane on orders\n; drop" };
  const as = async (format: "sql" | "csv" | "jsonl") =>
    (await Array.fromAsync(statementsAs(format, all, about))).join("");
  assert.equal(
    await as("sql"),
    [
      "-- jane on orders ; drop",
      "-- 2026-02-10T14:30:00.000Z",
      "",
      "-- 2026-02-10T14:30:00.002Z  done, 5.0 ms",
      "--   SELECT 1",
      "--   $1 = 'it's' (text)",
      "select $1 -- why",
      ";",
      "",
      "-- 2026-02-10T14:30:00.004Z  failed, 0.3 ms",
      "--   ERROR 42601: syntax error",
      "-- =cmd('x'),",
      '-- "y"',
      "",
    ].join("\n"),
  );
  assert.equal(
    await as("csv"),
    [
      "time,number,type,state,statement,parameters,result,rows,duration_ms,error_code,error,transaction,masked",
      `2026-02-10T14:30:00.002Z,3,execute,done,select $1 -- why,"[""'it's'""]",SELECT 1,1,5,,,,`,
      `2026-02-10T14:30:00.004Z,4,simple,failed,"'=cmd('x'),\n""y""",,,,0.25,42601,syntax error,idle,`,
      "",
    ].join("\r\n"),
  );
  const marked = { ...about, watermark: "ada\n; drop" };
  const begins = async (format: "sql" | "csv" | "jsonl") =>
    (await Array.fromAsync(statementsAs(format, all, marked))).join("").split(/\r?\n/);
  assert.equal((await begins("sql"))[1], "-- ada ; drop");
  assert.ok((await begins("csv"))[0]?.endsWith(",masked,watermark"));
  assert.ok((await as("csv")).split("\r\n")[0]?.endsWith(",transaction,masked"));
  assert.equal((await begins("jsonl"))[0], '{"watermark":"ada\\n; drop"}');

  const lines = (await as("jsonl")).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => {
      const { text, state, error: failed } = JSON.parse(line) as Statement & { state: string };
      return [text, state, failed?.code];
    }),
    [
      ["select $1 -- why", "done", undefined],
      ["=cmd('x'),\n\"y\"", "failed", "42601"],
    ],
  );
});
