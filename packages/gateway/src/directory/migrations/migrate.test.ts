import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { TestClock, isGatehouseError } from "@gatehouse/kernel";
import { Kysely, sql } from "kysely";
import type { Tables } from "../schema.ts";
import { NodeSqliteDialect } from "../sqlite/dialect.ts";
import { openSqlite } from "../sqlite/thread.ts";
import { temporaryFolder } from "../testing/temporary.ts";
import { checksumOf, migrate, migrations } from "./migrate.ts";

async function open(context: TestContext) {
  const thread = await openSqlite(join(temporaryFolder(context), "test.db"));
  const database = new Kysely<Tables>({ dialect: new NodeSqliteDialect({ thread, lockWaitMs: 2000 }) });
  context.after(() => database.destroy());
  return database;
}
const clock = new TestClock();
const engine = { name: "sqlite", alone: () => Promise.resolve() } as const;
const one = { id: "0001-one", statements: ["create table one (x text)"] };
const two = { id: "0002-two", statements: ["create table two (x text)", "insert into two values ('a')"] };
const tables = async (database: Kysely<Tables>) =>
  (await database.introspection.getTables()).map(({ name }) => name).sort();

test("steps run once each, in order, and a second start changes nothing", async (context) => {
  const database = await open(context);
  await migrate(database, { clock, engine, steps: [one] });
  await migrate(database, { clock, engine, steps: [one, two] });
  await migrate(database, { clock, engine, steps: [one, two] });
  assert.deepEqual(await tables(database), ["migrations", "one", "two"]);
  const rows = await sql<{ x: string }>`select x from two`.execute(database);
  assert.deepEqual(
    rows.rows.map(({ x }) => x),
    ["a"],
  );
});

test("two that start at once take each step once", async (context) => {
  const database = await open(context);
  await Promise.all([
    migrate(database, { clock, engine, steps: [one, two] }),
    migrate(database, { clock, engine, steps: [one, two] }),
  ]);
  assert.equal((await sql`select x from two`.execute(database)).rows.length, 1);
});

test("a step that fails leaves nothing of itself", async (context) => {
  const database = await open(context);
  const broken = { id: "0002-broken", statements: ["create table half (x text)", "create nonsense"] };
  await assert.rejects(migrate(database, { clock, engine, steps: [one, broken] }), (error) =>
    isGatehouseError(error, "internal"),
  );
  assert.deepEqual(await tables(database), ["migrations", "one"]);
});

test("a changed step and an unknown step are refused by name", async (context) => {
  const database = await open(context);
  await migrate(database, { clock, engine, steps: [one, two] });
  await assert.rejects(
    migrate(database, {
      clock,
      engine,
      steps: [{ ...one, statements: ["create table other (x text)"] }, two],
    }),
    (error) => isGatehouseError(error, "conflict") && /0001-one/.test(error.message),
  );
  await assert.rejects(
    migrate(database, { clock, engine, steps: [one] }),
    (error) => isGatehouseError(error, "conflict") && /0002-two/.test(error.message),
  );
});

test("the released steps are in order and unchanged", () => {
  const ids = migrations.map(({ id }) => id);
  assert.deepEqual(ids, ids.toSorted());
  // A line for each release; a checksum that must be edited means that a released step was changed.
  assert.deepEqual(
    migrations.map((step) => `${step.id} ${checksumOf(step)}`),
    [
      "0001-first a511e76aa5e8146e5f5702b7a207f1c7521eb1723a7485a148cd3541cfadb265",
      "0002-connection-secrets 7ba1cff454c65b36481b621e4e5816c29bc0c23586c31ef0bb2e8fa511fd5e3b",
      "0020-teams 3eae9416616404cd5adb1e0c29b345174873bf118d52c50f6e997d6a7f01af0f",
      "0021-access-policies 940097f255321b3f76498fb2a8c08a3d06bf5cbe52291ba07108dc5049380781",
      "0022-session-access 71497a3356f83b26778c2c607127255567881a17f408ada1075b75f407007b49",
      "0023-wide-exit-status fe54ae918d4da60d87729aea1ccd485d0f40a5d0bee388246bb30fff93a89812",
      "0024-locks 4c8f1385d68f41a09e4b96ccf510938a6050a61226cf774467c56a7181b312b7",
      "0025-access-requests ae288c788c41a34308706bea1454144f8fd7dd039ceda2aa14d1727cbb257a69",
      "0026-roles 8723a5d952f41a6421b994c5ecadbfc3b1f3bbe028421c5a8798abfb1df163c0",
      "0027-role-requests ee405a9b39a7de045a995cc174c2cd352c979bd10af989a236b8fcb77271e34f",
      "0030-custody 3d1a474b580fb4e08e6555ecc92f4edeae9c88548d6861b4bb51eb3983a8a4b9",
      "0031-api-tokens f63ce35cc68ef6a5957dd9265008dc7ffe361cc6be96e0f7749f2746b865ee1a",
      "0032-retention 9fd8dd1222d060ae7902f7d1a9e24ab65f0398b8d7edcd38828542e9b2f3544b",
      "0033-removal-claims d337dcf72023d96937dd8262c36509051ec9bfcf906cb63a049fe7de4a14ba02",
      "0040-passwords 1bd3aca3534e89d2b03b591780cabee462d1d270d9e44157c62870b6afbb056a",
      "0043-ssh-certificates 199378d823b9d3fe131bb78340b2338cac2b9b37b7b1f6631ed5d26f3538e787",
      "0044-command-sign-ins 25ef1ce3e3aa3e7fdee08a719ee55036e3cf61476f42ac144d4b1d62664ecfdf",
      "0045-oidc 1d713f808f7e551a997652feedf9f75bfcd6681ffdfd3fd8e3564ba20c2e4435",
      "0050-recording-indexes 5445a31cb5d1f52528c38c5310a9058c9e8d09f62c7ef5b8adcddcb25a84a93b",
      "0052-search-filters 2774d2f99d81a5b5cb86cee8588569c32925cf925ca1ff295145b09c6f71068e",
      "0060-second-factors 02dc7314fd8c12fe72c8db0406f0076f7ec50191279ba71d6ef9aad4781319e9",
      "0061-certificates a4062f8cf519142b65bfaa17f7f401d5f1b3c08af38d3c2ae63ca1cbce4d4cb4",
    ],
  );
});

test("a new database has every table", async (context) => {
  const database = await open(context);
  await migrate(database, { clock, engine });
  assert.deepEqual(await tables(database), [
    "access_requests",
    "access_reviews",
    "api_tokens",
    "audit_events",
    "certificates",
    "command_sign_ins",
    "connection_secrets",
    "credentials",
    "factors",
    "locks",
    "login_links",
    "migrations",
    "oidc_accounts",
    "oidc_sign_ins",
    "passwords",
    "probes",
    "recording_checks",
    "recording_indexes",
    "recovery_codes",
    "role_requests",
    "roles",
    "search_filters",
    "sessions",
    "settings",
    "sign_in_attempts",
    "sign_in_steps",
    "target_labels",
    "target_logins",
    "targets",
    "team_members",
    "teams",
    "user_keys",
    "users",
    "web_sessions",
  ]);
});
