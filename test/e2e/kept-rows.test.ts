/** Rows and copies that a target's policy keeps: as they were shown, up to the limit, for whoever plays the recording. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import { statementsIn } from "@gatehouse/recording/query";
import type { QueryOptions } from "mysql2";
import type { QueryConfig } from "pg";
import { type Databases, openMariadb, openPostgres, startDatabases } from "../parts/databases.ts";
import { psql } from "../parts/postgres.ts";
import { awaitStored, recorded } from "../parts/sessions.ts";

let stand: Databases;
let jane: Client;
before(async () => {
  stand = await startDatabases();
  jane = await stand.person("jane");
});
after(() => stand?.close());

const exported = async (id: string) => {
  let text = "";
  const { chunks } = await stand.gateway.admin.recordings.export(id, "text");
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text.replaceAll(/^\S+Z {2}|, [\d.]+ ms$/gm, "");
};

test("rows of simple and prepared statements, text and binary, and both ways of copies", async () => {
  const target = await stand.addTarget("postgres", {
    access: { statements: { keepRows: 2, keepCopyBytes: 10 } },
  });
  const client = await openPostgres(jane, target);
  await client.query("select n, 'r' || n as t from generate_series(1, 5) n; select null as none");
  await client.query("select $1::int + 1 as sum, 'ü' as t", [41]);
  const binary: QueryConfig & { binary: boolean } = {
    text: "select 7 as seven, true as yes",
    values: [],
    binary: true,
  };
  await client.query(binary);
  // Fetched one by one, they are rows of one result.
  await client.query({ text: "select generate_series(1, 4) as n", values: [], rows: 1 } as QueryConfig);
  await client.query("create table users (name text, password text)");
  await client.query("insert into users values ('ann', 'vivid') returning name");
  await client.query("select name, password from users where password = 'vivid'");
  await client.end();
  const first = await awaitStored(stand.gateway, ({ protocol }) => protocol === "postgres");
  const { host, port, user, password } = await jane.targets.openConnection(target.id, "postgres");
  const way = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: "require",
    PGDATABASE: "postgres",
  };
  await psql(
    way,
    "copy users (name) from stdin;\nbob\nzoe\nsomebody\n\\.\ncopy (select name from users order by 1) to stdout;\n" +
      // As of rows: what was chosen by a secret is not kept.
      "copy users (name) from stdin where password = 'vivid';\nmia\n\\.\ncopy (select name from users where password = 'vivid') to stdout;\n",
  );
  const second = await awaitStored(
    stand.gateway,
    ({ protocol, id }) => protocol === "postgres" && id !== first.id,
  );

  const all = statementsIn((await recorded(stand.gateway, first)).frames);
  assert.deepEqual(
    all.map(({ results }) =>
      results.map(({ rows, columns, kept }) => [
        rows,
        columns?.map(({ name }) => name),
        kept?.map((row) => row.map((value) => value.text ?? value.null)),
      ]),
    ),
    [
      [
        [
          5,
          ["n", "t"],
          [
            ["1", "r1"],
            ["2", "r2"],
          ],
        ],
        [1, ["none"], [[true]]],
      ],
      [[1, ["sum", "t"], [["42", "ü"]]]],
      [[1, ["seven", "yes"], [["7", "t"]]]],
      [[1, ["n"], [["1"]]]],
      [[1, ["n"], [["2"]]]],
      [[1, undefined, undefined]],
      [[1, undefined, undefined]],
      [[0, undefined, undefined]],
      [[undefined, undefined, undefined]],
      [[1, ["name"], [["ann"]]]],
      // A statement that holds a secret may show it again.
      [[1, undefined, undefined]],
    ],
  );
  assert.match(
    await exported(first.id),
    /^select n[^\n]*-> SELECT 5, SELECT 1\n {4}\| n \| t\n {4}\| '1' \| 'r1'\n {4}\| '2' \| 'r2'\n {4}\| none\n {4}\| NULL\n/,
  );
  const copies = statementsIn((await recorded(stand.gateway, second)).frames);
  assert.deepEqual(
    copies.map(
      ({ copiedIn, copiedOut }) =>
        [copiedIn ?? copiedOut].map((copy) => [copy?.bytes, copy?.kept?.map(({ text }) => text).join("")])[0],
    ),
    [
      [20, "bob\nzoe\nso"],
      [21, "ann\nbob\nso"],
      [7, undefined],
      [4, undefined],
    ],
  );
});

test("MariaDB: rows of texts, of several results, and of what was prepared", async () => {
  const target = await stand.addTarget("mariadb", { access: { statements: { keepRows: 2 } } });
  const client = await openMariadb(jane, target);
  await client.query(
    "select seq as n, concat('r', seq) as t from shop.seq_1_to_5; select null as none, 'ü' as u",
  );
  await client.execute("select ? + 1 as sum, date '2026-02-03' as d, 4000000000 as big, null as no", [41]);
  await client.query("create table shop.users (name text, password text)");
  await client.query("insert into shop.users values ('ann', 'vivid')");
  await client.query("select name, password from shop.users where password = 'vivid'");
  await client.execute("select name from shop.users");
  await client.end();
  const session = await awaitStored(stand.gateway, ({ protocol }) => protocol === "mariadb");
  const told = statementsIn((await recorded(stand.gateway, session)).frames).flatMap(({ results }) =>
    results.flatMap(({ rows, columns, kept }) =>
      kept
        ? [
            [
              rows,
              columns?.map(({ name }) => name),
              kept.map((row) => row.map((one) => one.text ?? one.null)),
            ],
          ]
        : [],
    ),
  );
  assert.deepEqual(told, [
    [
      5,
      ["n", "t"],
      [
        ["1", "r1"],
        ["2", "r2"],
      ],
    ],
    [1, ["none", "u"], [[true, "ü"]]],
    [1, ["sum", "d", "big", "no"], [["42", "2026-02-03", "4000000000", true]]],
    // What a secret chose is not kept.
    [1, ["name"], [["ann"]]],
  ]);
});

test("MariaDB: the beginning of a file that is loaded, and its digest; none of a text with secrets", async () => {
  const target = await stand.addTarget("mariadb", {
    name: "loading",
    access: { statements: { keepCopyBytes: 10 } },
    permits: { localFiles: true },
  });
  await stand.mariadb.sql("create table shop.loaded (name varchar(20), password varchar(20))");
  const client = await openMariadb(jane, target);
  const load = (words: string, ...pieces: (string | number[])[]) =>
    client.query({
      sql: `load data local infile 'names' into table shop.loaded ${words}`,
      infileStreamFactory: () => Readable.from(pieces.map((piece) => Buffer.from(piece as string))),
    } as QueryOptions);
  await load("(name)", "bob\nzo", "e\nsomebody\n");
  await load("character set binary (name)", [0xff, 0x0a]);
  await load("(name)");
  await load("(name) set password = 'vivid'", "ann\n");
  await client.end();
  assert.equal(await stand.mariadb.sql("select count(*) from shop.loaded"), "5");
  const session = await awaitStored(stand.gateway, ({ target: of }) => of.id === target.id);
  const loads = statementsIn((await recorded(stand.gateway, session)).frames).filter(({ text }) =>
    text.startsWith("load data"),
  );
  const sha256 = (content: string) => createHash("sha256").update(content, "latin1").digest("hex");
  assert.deepEqual(
    loads.map(({ copiedIn }) => copiedIn),
    [
      { bytes: 17, sha256: sha256("bob\nzoe\nsomebody\n"), kept: [{ text: "bob\nzoe\nso" }] },
      { bytes: 2, sha256: sha256("\u00ff\n"), kept: [{ hex: "ff0a" }] },
      { bytes: 0, sha256: sha256("") },
      { bytes: 4, sha256: sha256("ann\n") },
    ],
  );
  assert.match(
    await exported(session.id),
    /load data[^\n]*\(name\) -> OK, 3 rows affected[^\n]*\n {4}\| bob\n {4}\| zoe\n {4}\| so\n/,
  );
});
