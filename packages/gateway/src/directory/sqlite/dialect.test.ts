import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import fc from "fast-check";
import { Kysely, sql } from "kysely";
import { temporaryFolder } from "../testing/temporary.ts";
import { NodeSqliteDialect } from "./dialect.ts";
import { openSqlite } from "./thread.ts";

type Notes = { notes: { id: number; body: string | number | bigint | Uint8Array | null } };

async function open(context: TestContext, lockWaitMs = 2000) {
  const path = join(temporaryFolder(context), "db", "test.db");
  const thread = await openSqlite(path);
  const database = new Kysely<Notes>({ dialect: new NodeSqliteDialect({ thread, lockWaitMs }) });
  context.after(() => database.destroy());
  await sql`create table notes (id integer primary key, body)`.execute(database);
  return { database, thread, path };
}
const bodies = async (database: Kysely<Notes>) =>
  (await database.selectFrom("notes").select("body").orderBy("id").execute()).map((row) => row.body);

test("values come back as they were given", async (context) => {
  const { database } = await open(context);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
        fc.maxSafeInteger().map((value) => value + 0),
        fc.double({ noNaN: true }),
        fc.uint8Array({ maxLength: 300 }),
        fc.constant(null),
      ),
      async (body) => {
        await database.deleteFrom("notes").execute();
        await database.insertInto("notes").values({ id: 1, body }).execute();
        const [read] = await bodies(database);
        if (body instanceof Uint8Array) assert.deepEqual([...(read as Uint8Array)], [...body]);
        // An integer column has no negative zero, and nothing here needs one.
        else if (typeof body === "number") assert.equal(read, body === 0 ? read : body);
        else assert.equal(read, body);
      },
    ),
    { numRuns: 200 },
  );
});

test("a value that would come back as another is refused, and not written", async (context) => {
  const { database } = await open(context);
  for (const body of [true, new Date(), {}, Number.NaN, "\ud800"])
    await assert.rejects(
      database
        .insertInto("notes")
        .values({ id: 1, body: body as never })
        .execute(),
      (error) => isGatehouseError(error, "internal"),
      String(body),
    );
  assert.deepEqual(await bodies(database), []);
});

test("the file and its directory are their owner's alone", async (context) => {
  const { path } = await open(context);
  for (const name of [path, `${path}-wal`, `${path}-shm`])
    assert.equal(statSync(name).mode & 0o777, 0o600, name);
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
});

test("each commit is synced to the disk", async (context) => {
  const { database } = await open(context);
  for (const [pragma, value] of [
    ["synchronous", 2],
    ["journal_mode", "wal"],
    ["foreign_keys", 1],
  ] as const) {
    const { rows } = await sql.raw(`pragma ${pragma}`).execute(database);
    assert.deepEqual(rows, [{ [pragma]: value }]);
  }
});

test("a transaction that throws leaves nothing, and the next one works", async (context) => {
  const { database } = await open(context);
  await assert.rejects(
    database.transaction().execute(async (transaction) => {
      await transaction.insertInto("notes").values({ id: 1, body: "lost" }).execute();
      assert.equal((await transaction.selectFrom("notes").selectAll().execute()).length, 1);
      throw new Error("on purpose");
    }),
    /on purpose/,
  );
  assert.deepEqual(await bodies(database), []);
  await database
    .transaction()
    .execute((t) => t.insertInto("notes").values({ id: 1, body: "kept" }).execute());
  assert.deepEqual(await bodies(database), ["kept"]);
});

test("writers take turns, and a reader waits for none of them", async (context) => {
  const { database } = await open(context);
  const order: string[] = [];
  const { promise: gate, resolve: open1 } = Promise.withResolvers<void>();
  const { promise: inside, resolve: isInside } = Promise.withResolvers<void>();
  const first = database.transaction().execute(async (transaction) => {
    await transaction.insertInto("notes").values({ id: 1, body: "first" }).execute();
    isInside();
    await gate;
    order.push("first");
  });
  await inside;
  const second = database
    .insertInto("notes")
    .values({ id: 2, body: "second" })
    .execute()
    .then(() => order.push("second"));
  assert.deepEqual(await bodies(database), [], "what is not committed is not seen");
  open1();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first", "second"]);
  assert.deepEqual(await bodies(database), ["first", "second"]);
});

test("writes that come together share a commit, and one that fails takes no other with it", async (context) => {
  const { database, path } = await open(context);
  await database.insertInto("notes").values({ id: 3, body: "there already" }).execute();
  const reader = new DatabaseSync(path, { readOnly: true });
  context.after(() => reader.close());
  const version = () => ({ ...reader.prepare("pragma data_version").get() })["data_version"] as number;
  const before = version();
  const seen = new Set<number>();
  const results = await Promise.allSettled(
    [1, 2, 3, 4, 5].map(async (id) => {
      await database
        .insertInto("notes")
        .values({ id, body: `note ${id}` })
        .execute();
      seen.add(version());
    }),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(await bodies(database), ["note 1", "note 2", "there already", "note 4", "note 5"]);
  assert.deepEqual([seen.size, seen.has(before)], [1, false], "one commit, and nobody heard before it");
});

test("any mix of writes and transactions leaves exactly what was committed", async (context) => {
  const { database } = await open(context);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ inTransaction: fc.boolean(), fails: fc.boolean() }), { maxLength: 20 }),
      async (writes) => {
        await database.deleteFrom("notes").execute();
        await Promise.all(
          writes.map(async ({ inTransaction, fails }, id) => {
            const row = { id, body: `note ${id}` };
            if (!inTransaction) return database.insertInto("notes").values(row).execute();
            return database
              .transaction()
              .execute(async (transaction) => {
                await transaction.insertInto("notes").values(row).execute();
                if (fails) throw new Error("on purpose");
              })
              .catch(() => {});
          }),
        );
        assert.deepEqual(
          await bodies(database),
          writes.flatMap(({ inTransaction, fails }, id) => (inTransaction && fails ? [] : [`note ${id}`])),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("a lock of another program is waited for, and reading goes on meanwhile", async (context) => {
  const { database, path } = await open(context, 10_000);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const write = database.insertInto("notes").values({ id: 1, body: "late" }).execute();
  assert.deepEqual(await bodies(database), []);
  other.exec("commit");
  other.close();
  await write;
  assert.deepEqual(await bodies(database), ["late"]);
});

test("a lock that stays is `unavailable`, for a write and for a transaction", async (context) => {
  const { database, path } = await open(context, 50);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  const unavailable = (error: unknown) =>
    isGatehouseError(error, "unavailable") && /locked/.test(error.message);
  await assert.rejects(database.insertInto("notes").values({ id: 1, body: "x" }).execute(), unavailable);
  await assert.rejects(
    database.transaction().execute((t) => t.insertInto("notes").values({ id: 1, body: "x" }).execute()),
    unavailable,
  );
  other.exec("rollback");
  other.close();
  await database.insertInto("notes").values({ id: 1, body: "y" }).execute();
  assert.deepEqual(await bodies(database), ["y"]);
});

test("a broken constraint is `conflict`, a closed database `unavailable`, a wrong statement `internal`", async (context) => {
  const { database } = await open(context);
  await database.insertInto("notes").values({ id: 1, body: "x" }).execute();
  await assert.rejects(database.insertInto("notes").values({ id: 1, body: "x" }).execute(), (error) =>
    isGatehouseError(error, "conflict"),
  );
  await assert.rejects(sql`select from where`.execute(database), (error) =>
    isGatehouseError(error, "internal"),
  );
  const { database: closed, thread } = await open(context);
  await thread.close();
  await assert.rejects(closed.insertInto("notes").values({ id: 1, body: "x" }).execute(), (error) =>
    isGatehouseError(error, "unavailable"),
  );
});

test("a path that cannot be a database is `unavailable` or `corrupt`, and told", async (context) => {
  const folder = temporaryFolder(context);
  const blocking = join(folder, "a-file");
  writeFileSync(blocking, "");
  await assert.rejects(
    () => openSqlite(join(blocking, "x.db")),
    (error) => isGatehouseError(error, "unavailable") && error.hint !== undefined,
  );
  const notDatabase = join(folder, "text.db");

  writeFileSync(notDatabase, "x".repeat(8192));
  await assert.rejects(
    () => openSqlite(notDatabase),
    (error) => isGatehouseError(error, "corrupt"),
  );
});
