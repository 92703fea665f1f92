/**
 * An ORM on PostgreSQL and MariaDB through the whole gateway: migrations, relations, transactions and what goes wrong in them
 * are as past the gate, and the recording is what the ORM says that it sent.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Statement } from "@gatehouse/recording";
import mysql2, { type SqlValue } from "mysql2";
import {
  DataSource,
  type DataSourceOptions,
  type EntityManager,
  EntitySchema,
  Like,
  type Logger,
  type MigrationInterface,
  QueryFailedError,
  type QueryRunner,
  Table,
  TableColumn,
  TableForeignKey,
  TableIndex,
} from "typeorm";
import { type Databases, startDatabases } from "../parts/databases.ts";
import { awaitStored, recordedStatements } from "../parts/sessions.ts";

let stand: Databases;
before(async () => {
  stand = await startDatabases();
});
after(() => stand?.close());

type Author = { id: number; name: string; books: Book[] };
type Book = { id: number; title: string; price: string; cover: Buffer | null; author: Author; tags: Tag[] };
type Tag = { id: number; word: string };
const id = { type: Number, primary: true, generated: true } as const;
const author = new EntitySchema<Author>({
  name: "author",
  columns: { id, name: { type: String } },
  relations: { books: { type: "one-to-many", target: "book", inverseSide: "author", cascade: true } },
});
/** The two call bytes otherwise. */
const bookWith = (bytes: "bytea" | "blob") =>
  new EntitySchema<Book>({
    name: "book",
    columns: {
      id,
      title: { type: String },
      price: { type: "decimal", precision: 8, scale: 2 },
      cover: { type: bytes, nullable: true },
    },
    relations: {
      author: { type: "many-to-one", target: "author", joinColumn: true, inverseSide: "books" },
      tags: {
        type: "many-to-many",
        target: "tag",
        cascade: true,
        joinTable: { name: "book_tag", joinColumn: { name: "book" }, inverseJoinColumn: { name: "tag" } },
      },
    },
  });
const tag = new EntitySchema<Tag>({ name: "tag", columns: { id, word: { type: String } } });

class Begin1700000000001 implements MigrationInterface {
  name = "Begin1700000000001";
  async up(runner: QueryRunner): Promise<void> {
    const key = { name: "id", type: "int", isPrimary: true, isGenerated: true } as const;
    for (const [name, text] of [
      ["author", "name"],
      ["tag", "word"],
      ["book", "title"],
    ] as const)
      await runner.createTable(
        new Table({
          name,
          columns: [
            { ...key, generationStrategy: "increment" },
            { name: text, type: "varchar", length: "100" },
          ],
        }),
      );
    await runner.createIndex(
      "author",
      new TableIndex({ name: "one_name", columnNames: ["name"], isUnique: true }),
    );
  }
  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["book", "tag", "author"]) await runner.dropTable(name);
  }
}
const relationsWith = (bytes: "bytea" | "blob") =>
  class Relations1700000000002 implements MigrationInterface {
    name = "Relations1700000000002";
    async up(runner: QueryRunner): Promise<void> {
      const to = (table: string, column: string) =>
        new TableForeignKey({
          name: `to_${table}`,
          columnNames: [column],
          referencedTableName: table,
          referencedColumnNames: ["id"],
          onDelete: "CASCADE",
        });
      await runner.addColumns("book", [
        new TableColumn({ name: "price", type: "decimal", precision: 8, scale: 2, default: 0 }),
        new TableColumn({ name: "cover", type: bytes, isNullable: true }),
        new TableColumn({ name: "authorId", type: "int", isNullable: true }),
      ]);
      await runner.createForeignKey("book", to("author", "authorId"));
      const key = { type: "int", isPrimary: true } as const;
      await runner.createTable(
        new Table({
          name: "book_tag",
          columns: [
            { name: "book", ...key },
            { name: "tag", ...key },
          ],
          foreignKeys: [to("book", "book"), to("tag", "tag")],
        }),
      );
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable("book_tag");
      await runner.dropForeignKey("book", "to_author");
      await runner.dropColumns("book", ["price", "cover", "authorId"]);
    }
  };

/** What an application does, and what it got. */
async function work(source: DataSource): Promise<unknown> {
  const got: unknown[] = (await source.runMigrations()).map(({ name }) => name);
  const authors = source.getRepository(author);
  const said = (error: unknown) => {
    if (error instanceof QueryFailedError) return [error.message, error.driverError.code];
    return String(error);
  };
  got.push(
    await authors.save({
      name: "Ann Ünlü",
      books: [
        {
          title: 'It\'s "quoted"; -- or not?',
          price: "12.50",
          cover: Buffer.from("00ff7f", "hex"),
          tags: [{ word: "first" }, { word: "both" }],
        },
        { title: "second\nline \\ backslash", price: "0.99", cover: null, tags: [] },
      ],
    }),
    await authors.insert({ name: "Ann Ünlü" }).catch(said),
  );
  // A failure in a transaction takes all of it back; one behind a savepoint, what came after that.
  const buys = async (manager: EntityManager, name: string) => {
    const bought = await manager.getRepository(author).save({ name, books: [] });
    await manager.increment("book", { title: Like("%quoted%") }, "price", 1);
    return bought;
  };
  got.push(
    await source
      .transaction(async (manager) => {
        await buys(manager, "gone");
        await manager.getRepository(author).insert({ name: "Ann Ünlü" });
      })
      .catch(said),
    await source.transaction("SERIALIZABLE", async (manager) => {
      const kept = await buys(manager, "kept");
      const inner = await manager
        .transaction(async (nested) => {
          await buys(nested, "within");
          throw new Error("taken back");
        })
        .catch(said);
      return [kept, inner];
    }),
    await authors.find({ relations: { books: { tags: true } }, order: { id: "ASC", books: { id: "ASC" } } }),
    await source
      .getRepository<Book>("book")
      .createQueryBuilder("book")
      .leftJoin("book.tags", "tag")
      .select("book.title", "title")
      .addSelect("count(tag.id)", "tags")
      .where("book.price > :least and book.title like :like", { least: 1, like: "%o%" })
      .groupBy("book.title")
      .orderBy("book.title")
      .getRawMany(),
    (await authors.delete({ name: "Ann Ünlü" })).affected,
    await source.getRepository("book").count(),
  );
  await source.undoLastMigration();
  await source.undoLastMigration();
  await source.query("drop table migrations");
  return got;
}

type Sent = { query: string; parameters: SqlValue[] };
/** One connection, so that what is sent has an order. */
async function workOn(options: DataSourceOptions): Promise<{ got: unknown; sent: Sent[] }> {
  const sent: Sent[] = [];
  const nothing = () => undefined;
  const logger: Logger = {
    logQuery: (query, parameters: SqlValue[] = []) => void sent.push({ query, parameters }),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
  const source = await new DataSource({ ...options, logger, logging: ["query"] }).initialize();
  try {
    return { got: await work(source), sent };
  } finally {
    await source.destroy();
  }
}

for (const protocol of ["postgres", "mariadb"] as const)
  test(`${protocol}: TypeORM gets what it gets past the gate, and the recording is what it sent`, async () => {
    const target = await stand.addTarget(protocol);
    const jane = await stand.person(`jane-${protocol}`);
    const login = target.logins[0]?.name ?? "";
    const way = await jane.targets.openConnection(target.id, login);
    const server = stand[protocol];
    const password = protocol === "postgres" ? stand.postgres.password : stand.mariadb.logins[login];
    const bytes = protocol === "postgres" ? "bytea" : "blob";
    const through = (to: { port: number; user: string; password: string | undefined; certificate: string }) =>
      workOn({
        type: protocol,
        host: "127.0.0.1",
        port: to.port,
        username: to.user,
        password: to.password ?? "",
        database: protocol === "postgres" ? "postgres" : "shop",
        ssl: { ca: to.certificate },
        poolSize: 1,
        entities: [author, bookWith(bytes), tag],
        migrations: [Begin1700000000001, relationsWith(bytes)],
      });
    const past = await through({ port: server.port, user: login, password, certificate: server.certificate });
    const gated = await through(way);
    assert.deepEqual(gated, past);
    assert.match(JSON.stringify(gated.got), /one_name.*taken back.*both/);

    const session = await awaitStored(stand.gateway, ({ target: of }) => of.id === target.id);
    const all = (await recordedStatements(stand.gateway, session)).filter(({ type }) => type !== "call");
    // The driver of MariaDB writes the values into the text.
    const asSent = ({ query, parameters }: Sent) =>
      protocol === "mariadb"
        ? mysql2.format(query, parameters)
        : [
            query,
            parameters.map((value) =>
              Buffer.isBuffer(value) ? value.toString("hex") : value && String(value),
            ),
          ];
    const asRecorded = ({ text, values }: Statement) =>
      protocol === "mariadb" ? text : [text, values.map(({ text: words, hex }) => words ?? hex ?? null)];
    assert.deepEqual(all.map(asRecorded), gated.sent.map(asSent));
  });
