import assert from "node:assert/strict";
import { test } from "node:test";
import { type StatementKind, statementPolicy } from "@gatehouse/contracts/rest";
import fc from "fast-check";
import { type Part, statementReader } from "./reading.ts";
import { rulesBy } from "./rules.ts";

const readPostgres = await statementReader("postgres");
const readMysql = await statementReader("mysql");
const readMariadb = await statementReader("mariadb");

const shown = (parts: readonly Part[]) =>
  parts.map(({ kind, objects, withoutWhere }) =>
    [kind, ...objects, ...(withoutWhere ? ["!"] : [])].join(" "),
  );

test("what PostgreSQL's statements do, and those within them", () => {
  for (const [text, ...expected] of [
    ["select a from s.t join u using (b)", "select s.t u"],
    [
      "with x as (delete from a.t returning *) insert into b select * from x",
      "insert b",
      "delete a.t !",
      "select x",
    ],
    ["update t set a = 1 where 1 = 1", "update t !"],
    ["update t set a = 1 from u where t.b = u.b", "update t", "select u"],
    ["truncate a, s.b; DROP TABLE s.c, d CASCADE", "truncate a s.b", "drop s.c d"],
    ["copy t to stdout", "copy t"],
    ["copy (select * from t) to program 'x'", "copy", "select t"],
    ["select * into n from t", "create n", "select t"],
    ["create table n as select * from t", "create n", "select t"],
    ["explain analyze delete from t", "delete t !"],
    ["prepare p as delete from t where a = $1", "delete t"],
    ["select pg_catalog.pg_read_file('x')", "function pg_catalog.pg_read_file", "select"],
    ["select 1 union select a from t", "select", "select", "select t"],
    ["create role r; alter role r superuser; drop role r", "role", "role", "role"],
    ["grant all on t to r", "grant t"],
    ["do $$begin delete from t; end$$", "call"],
    ["begin; set x to 1; vacuum t; commit", "transaction", "set", "maintenance t", "transaction"],
    ['delete from U&"\\0074"', "delete t !"],
    [""],
    [" ; -- nothing"],
  ] as const)
    assert.deepEqual(shown(readPostgres(text)).toSorted(), expected.toSorted(), text);
});

test("what MySQL's do", () => {
  for (const read of [readMysql, readMariadb])
    for (const [text, ...expected] of [
      ["delete from s.t", "delete !", "delete s.t"],
      ["update t set a = 1 where b = 2", "update", "update t"],
      ["drop table s.t, u", "drop", "drop s.t", "drop u"],
      ["truncate t", "truncate", "truncate t"],
      [
        "insert into t select a from u where b in (select c from v)",
        "insert",
        "insert t",
        "select u",
        "select v",
      ],
      ["select sleep(1); begin", "function sleep", "select", "transaction"],
      ["select 1 into outfile '/x'", "copy", "select"],
      ["load data local infile 'x' into table t", "copy t"],
      ["# nothing"],
    ] as const)
      assert.deepEqual(shown(read(text)).toSorted(), expected.toSorted(), text);
});

test("what cannot be read for certain is unclassified", () => {
  for (const text of [
    "selec 1",
    "select '\\' || '; drop table t; --'",
    "select '\ufffd'",
    `select ${"1+".repeat(20_000)}1`,
    `select '${"x".repeat(70_000)}'`,
  ])
    assert.deepEqual(shown(readPostgres(text)), ["unclassified"], text.slice(0, 40));
  for (const text of [
    "select '\\'; drop table t; -- '",
    "select 1 /*! ; drop table t */",
    "select 1 /*M! ; drop table t */",
    "select 1--1; drop table t",
    "prepare p from 'drop table t'",
    "execute immediate 'drop table t'",
    "create user a identified by 'x'",
    "handler t open",
  ])
    assert.deepEqual(shown(readMariadb(text)), ["unclassified"], text);
  // After a stack that ended the parser reads on.
  assert.deepEqual(shown(readPostgres("select 1")), ["select"]);
});

const by = (...rules: object[]) => rulesBy(statementPolicy.parse({ rules }).rules, readPostgres);
const verdict = (rules: ReturnType<typeof by>, text: string) => rules.ofText(text)?.rule;

test("the first rule that fits decides, for every part of a text", () => {
  const rules = by(
    { name: "cleanup", action: "allow", kinds: ["delete"], objects: ["tmp.*", "log_*"] },
    { name: "whole", action: "deny", kinds: ["update", "delete"], withoutWhere: true },
    { name: "pay", action: "deny", objects: ["payroll.*", "secrets"] },
    { name: "no-drop", action: "deny", kinds: ["drop", "truncate"] },
  );
  for (const [text, rule] of [
    ["select * from app.t", undefined],
    ["select 1; drop table app.t", "no-drop"],
    ["delete from tmp.t", undefined],
    ["delete from app.log_day", undefined],
    ["delete from app.t", "whole"],
    ["delete from app.t where a = 1", undefined],
    ["with d as (delete from app.t returning 1) select 1", "whole"],
    ["select * from app.t, payroll.people", "pay"],
    ["select * from elsewhere.secrets", "pay"],
    ["explain select * from payroll.people", "pay"],
    // Its schema is not said: it may be the one that is meant.
    ["select * from people", "pay"],
    ["selec 1", "whole"],
  ] as const)
    assert.equal(verdict(rules, text), rule, text);
});

test("only what is on a list may pass, where the last rule denies the rest", () => {
  const rules = by(
    { name: "read", action: "allow", kinds: ["select", "transaction", "function"] },
    { name: "rest", action: "deny" },
  );
  assert.equal(verdict(rules, "begin; select count(*) from t; commit"), undefined);
  assert.equal(verdict(rules, "select 1; insert into t values (1)"), "rest");
  assert.equal(verdict(rules, "copy t from stdin"), "rest");
  const lax = by(
    { name: "typos", action: "allow", kinds: ["unclassified"] },
    { name: "rest", action: "deny", kinds: ["drop"] },
  );
  assert.equal(verdict(lax, "selec 1"), undefined);
});

test("no text makes a reader throw, or a denied statement pass behind another", () => {
  const rules = by({ name: "no", action: "deny", kinds: ["drop"] });
  const kinds = new Set<StatementKind>();
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "select 1",
          "'",
          '"',
          "$$",
          "--",
          "/*",
          "*/",
          "\\",
          "\n",
          ";",
          " ",
          "begin",
          "(",
          ")",
        ),
        { maxLength: 12 },
      ),
      (parts) => {
        const text = parts.join("");
        for (const read of [readPostgres, readMysql]) for (const { kind } of read(text)) kinds.add(kind);
        assert.equal(
          verdict(rules, `${text}\n;drop table t`) === undefined &&
            readPostgres(text)[0]?.kind === "unclassified",
          false,
        );
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(kinds.has("select") && kinds.has("unclassified"));
});
