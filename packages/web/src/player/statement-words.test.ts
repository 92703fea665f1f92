import assert from "node:assert/strict";
import { test } from "node:test";
import type { Statement } from "@gatehouse/recording/query";
import { fittingRows, outcomeWords, quietStretches, rowAt, rowsWords, tookWords } from "./statement-words.ts";

const row = (startedUs: number, more: Partial<Statement> = {}): Statement => ({
  number: 1,
  stream: 0,
  type: "simple",
  text: "select 1",
  cut: false,
  masked: false,
  values: [],
  startedUs,
  durationUs: 1000,
  results: [{ tag: "SELECT 1", rows: 1 }],
  notices: [],
  notifications: [],
  settings: [],
  discarded: false,
  refused: false,
  suspended: false,
  ...more,
});
const error = { severity: "ERROR", code: "42P01", message: 'relation "x" does not exist' };

test("what came of a statement is said in a line, its time and its rows in figures", () => {
  assert.equal(outcomeWords(row(0)), "SELECT 1");
  assert.equal(outcomeWords(row(0, { error, results: [] })), 'ERROR 42P01 relation "x" does not exist');
  assert.equal(outcomeWords(row(0, { results: [], discarded: true })), "not run: an error before it");
  const { durationUs: _never, ...open } = row(0, { results: [] });
  assert.equal(outcomeWords(open), "no outcome");
  assert.deepEqual(
    [2_300, 14_400, 1_400_000].map((durationUs) => tookWords(row(0, { durationUs }))),
    ["2.3 ms", "14 ms", "1s"],
  );
  assert.equal(
    rowsWords(
      row(0, {
        results: [
          { tag: "A", rows: 2 },
          { tag: "B", rows: 3 },
        ],
      }),
    ),
    "5",
  );
});

test("statements are found by their text, a value or what came of them, and by how they went", () => {
  const rows = [
    row(0),
    row(1, { text: "update t set a = $1", values: [{ text: "Needle" }] }),
    row(2, { text: "select * from x", error, results: [] }),
    row(3, { durationUs: 2_000_000 }),
  ];
  const found = (words: string, kind?: "failed" | "slow") =>
    fittingRows(rows, words, kind).map(({ startedUs }) => startedUs);
  assert.deepEqual(found(""), [0, 1, 2, 3]);
  assert.deepEqual(found("needle"), [1]);
  assert.deepEqual(found("does not exist"), [2]);
  assert.deepEqual(found("", "failed"), [2]);
  assert.deepEqual(found("select", "slow"), [3]);
});

test("the statement of a moment, and the stretches in which none ran", () => {
  const rows = [row(1_000), row(5_000, { durationUs: 6_000_000 }), row(20_000_000)];
  assert.deepEqual(
    [0, 1_000, 4_999, 7_000, 30_000_000].map((us) => rowAt(rows, us)),
    [-1, 0, 0, 1, 2],
  );
  assert.deepEqual(quietStretches(rows, 30_000_000), [
    { fromUs: 6_005_000, toUs: 20_000_000 },
    { fromUs: 20_001_000, toUs: 30_000_000 },
  ]);
});
