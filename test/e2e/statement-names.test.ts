/**
 * PostgreSQL's names of statements and portals: they mean what the server took them for. A client can ask for another meaning
 * that the server then refuses or passes over; what runs under the name is recorded, and judged, as what it is.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TLSSocket } from "node:tls";
import type { Client } from "@gatehouse/contracts/client";
import type { Target } from "@gatehouse/contracts/rest";
import { concatBytes, seededRandom } from "@gatehouse/kernel";
import { type Statement, statementLine, statements } from "@gatehouse/recording";
import { messagesOf } from "../../packages/gateway/src/protocols/postgres/wire/dialogue.ts";
import {
  backend,
  decodeError,
  decodeText,
  encodeMessage,
  frontend,
  zeroTerminated,
} from "../../packages/gateway/src/protocols/postgres/wire/messages.ts";
import { type Databases, openPostgres, startDatabases } from "../parts/databases.ts";
import { awaitStored, eventually, recorded } from "../parts/sessions.ts";

const none = new Uint8Array(2);
const parse = (name: string, text: string) =>
  encodeMessage(frontend.parse, zeroTerminated(name), zeroTerminated(text), none);
const bind = (portal: string, name: string) =>
  encodeMessage(frontend.bind, zeroTerminated(portal), zeroTerminated(name), none, none, none);
const execute = (portal: string) =>
  encodeMessage(frontend.execute, zeroTerminated(portal), new Uint8Array(4));
const close = (letter: "S" | "P", name: string) =>
  encodeMessage(frontend.close, new TextEncoder().encode(letter), zeroTerminated(name));
const describe = (letter: "S" | "P", name: string) =>
  encodeMessage(frontend.describe, new TextEncoder().encode(letter), zeroTerminated(name));
const sync = encodeMessage(frontend.sync);
const query = (text: string) => encodeMessage(frontend.query, zeroTerminated(text));
const broken = parse("broken", "selekt");

const remove = "delete from doomed where a = 1";
/** What is sent up to each answer that says the server is ready; in the end `remove` is run, once, under a name that seems to mean another. */
const tricks: Record<string, Uint8Array[][]> = {
  "a statement prepared again, which the server refuses": [
    [parse("s", remove), sync],
    [parse("s", "select 1"), sync],
    [bind("", "s"), execute(""), sync],
  ],
  "a statement prepared again behind an error, which the server passes over": [
    [parse("", remove), sync],
    [broken, parse("", "select 1"), sync],
    [bind("", ""), execute(""), sync],
  ],
  "a statement closed behind an error": [
    [parse("s", remove), sync],
    [broken, close("S", "s"), sync],
    [bind("", "s"), execute(""), sync],
  ],
  "a portal bound again, which the server refuses": [
    [query("begin")],
    [parse("s", remove), parse("t", "select 1"), bind("p", "s"), sync],
    [query("savepoint here")],
    [bind("p", "t"), sync],
    [query("rollback to here")],
    [execute("p"), sync],
    [query("commit")],
  ],
  "a portal closed behind an error": [
    [query("begin")],
    [parse("s", remove), bind("p", "s"), sync],
    [query("savepoint here")],
    [broken, close("P", "p"), sync],
    [query("rollback to here")],
    [execute("p"), sync],
    [query("commit")],
  ],
};

let stand: Databases;
let free: Target;
let guarded: Target;
let jane: Client;
let analyst: Client;
before(async () => {
  stand = await startDatabases();
  jane = await stand.person("jane");
  analyst = await stand.person("ann", ["security-analyst"]);
  free = await stand.addTarget("postgres", { name: "free", access: { statements: { keepRows: 10 } } });
  guarded = await stand.addTarget("postgres", {
    name: "guarded",
    access: {
      statements: {
        rules: [{ name: "emptying", action: "approve", kinds: ["delete"] }],
        approvalWaitSeconds: 60,
      },
    },
  });
});
after(() => stand?.close());

/** The driver's connection, without the driver. */
async function openRaw(target: Target) {
  const client = await openPostgres(jane, target);
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  stream.removeAllListeners("data");
  const messages = messagesOf(stream, "test");
  return {
    send: (batches: readonly Uint8Array[][]) => void stream.write(concatBytes(batches.flat())),
    /** The tags and errors of the next so many answers. */
    async answers(count: number): Promise<string[]> {
      const said: string[] = [];
      for (let left = count; left > 0;) {
        const { type, body } = await messages.next();
        if (type === backend.commandComplete) said.push(decodeText(body));
        if (type === backend.errorResponse) said.push(decodeError(body).code);
        if (type === backend.readyForQuery) left--;
      }
      return said;
    },
    next: () => messages.next(),
    close: () => client.end(),
  };
}

const seen = new Set<string>();
async function statementsOfLast(): Promise<Statement[]> {
  const session = await awaitStored(stand.gateway, ({ id }) => !seen.has(id));
  seen.add(session.id);
  const { frames } = await recorded(stand.gateway, session);
  return await Array.fromAsync(statements(frames));
}
const linesOfLast = async (): Promise<string[]> =>
  (await statementsOfLast()).map((statement) => statementLine(statement).replace(/, [\d.]+ ms$/, ""));

for (const [name, batches] of Object.entries(tricks))
  for (const pace of ["step by step", "at once"] as const) {
    /** Each batch behind the answer to the one before, or all of them; the answers as they come. */
    const run = async (raw: Awaited<ReturnType<typeof openRaw>>) => {
      if (pace === "at once") {
        raw.send(batches);
        return await raw.answers(batches.length);
      }
      const said: string[] = [];
      for (const batch of batches) {
        raw.send([batch]);
        said.push(...(await raw.answers(1)));
      }
      return said;
    };

    test(`${name}, ${pace}: what ran is recorded`, async () => {
      await stand.postgres.sql("drop table if exists doomed; create table doomed as select 1 as a");
      const raw = await openRaw(free);
      const said = await run(raw);
      await raw.close();
      assert.ok(said.includes("DELETE 1"), said.join());
      assert.equal(await stand.postgres.sql("select count(*) from doomed"), "0");
      const lines = await linesOfLast();
      assert.deepEqual(
        lines.filter((line) => line.includes("DELETE 1")),
        [`${remove} -> DELETE 1`],
        lines.join("\n"),
      );
    });

    test(`${name}, ${pace}: what runs needs its approval`, () => mustBeApproved(run, remove));
  }

/** Whoever runs this waits, an analyst is shown all of `shown`, and denies it. */
async function mustBeApproved(
  run: (raw: Awaited<ReturnType<typeof openRaw>>) => Promise<string[]>,
  shown: string,
): Promise<void> {
  await stand.postgres.sql("drop table if exists doomed; create table doomed as select 1 as a");
  const raw = await openRaw(guarded);
  const running = run(raw);
  const outcome = await Promise.race([
    running.then((said) => said.join()),
    eventually("a statement that waits", async () => {
      const { items } = await stand.gateway.admin.sessions.list({ state: "live" });
      for (const session of items)
        for (const waiting of session.live?.waiting ?? []) return { session, waiting };
      return undefined;
    }),
  ]);
  assert.ok(typeof outcome === "object", `nothing waited: ${String(outcome)}`);
  assert.equal(outcome.waiting.text, shown);
  await analyst.sessions.review(outcome.session.id, outcome.waiting.statement, { decision: "deny" });
  const said = await running;
  await raw.close();
  assert.ok(said.includes("42501"), said.join());
  assert.equal(await stand.postgres.sql("select count(*) from doomed"), "1");
  const lines = await linesOfLast();
  const [first = ""] = shown.split("\n");
  assert.ok(
    lines.some((line) => line.startsWith(first) && line.includes("42501")),
    lines.join("\n"),
  );
}

const returning = `${remove} returning a`;
/** A text of SQL runs by name what the protocol has prepared or bound, before it or after. */
const detours: Record<string, { batches: Uint8Array[][]; shown: string }> = {
  "EXECUTE of what the protocol prepared": {
    batches: [[parse("s", remove), sync], [query("execute s")]],
    shown: `execute s\n${remove}`,
  },
  "EXPLAIN ANALYZE of the same": {
    batches: [[parse("s", remove), sync], [query("explain analyze execute s")]],
    shown: `explain analyze execute s\n${remove}`,
  },
  "an EXECUTE that was prepared before what it runs": {
    batches: [
      [parse("e", "execute s"), parse("s", remove), sync],
      [bind("", "e"), execute(""), sync],
    ],
    shown: `execute s\n${remove}`,
  },
  "EXECUTE of an EXECUTE, and of one that never ends": {
    batches: [
      [parse("own", "execute own"), parse("e", "execute s"), parse("s", remove), sync],
      [query("execute own; execute e")],
    ],
    shown: `execute own; execute e\nexecute s\n${remove}`,
  },
  "FETCH of a portal that runs an EXECUTE": {
    batches: [
      [query("begin")],
      [parse("s", returning), parse("e", "execute s"), bind("p", "e"), sync],
      [query("fetch all from p")],
      [query("commit")],
    ],
    shown: `fetch all from p\nexecute s\n${returning}`,
  },
  "FETCH of a portal": {
    batches: [
      [query("begin")],
      [parse("s", returning), bind("p", "s"), sync],
      [query("fetch all from p")],
      [query("commit")],
    ],
    shown: `fetch all from p\n${returning}`,
  },
  "a FETCH that was prepared before the portal was bound": {
    batches: [
      [query("begin")],
      [parse("f", "fetch all from p"), parse("s", returning), bind("p", "s"), sync],
      [bind("", "f"), execute(""), sync],
      [query("commit")],
    ],
    shown: `fetch all from p\n${returning}`,
  },
};
for (const [name, { batches, shown }] of Object.entries(detours))
  test(`${name} needs the approval`, () =>
    mustBeApproved(async (raw) => {
      raw.send(batches);
      return await raw.answers(batches.length);
    }, shown));

test("whatever a client does with names, a result is recorded with the text that made it", async (context) => {
  const seed = Number(process.env["SEED"] ?? 20_261_127);
  context.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(...from: readonly T[]): T => from[(random.bytes(1)[0] ?? 0) % from.length] as T;
  const statement = () => pick("", "a", "b");
  const portal = () => pick("", "p");
  let selected = 0;
  const message = (): Uint8Array[] =>
    pick<() => Uint8Array[]>(
      () => [parse(statement(), `select ${++selected}`)],
      () => [parse(statement(), `select ${++selected}`)],
      () => [bind(portal(), statement())],
      () => [bind(portal(), statement())],
      () => [execute(portal())],
      () => [execute(portal())],
      () => [close("S", statement())],
      () => [close("P", portal())],
      () => [describe("S", statement())],
      () => [broken],
      () => [sync],
      () => [sync],
      () => [query(`select ${++selected}`)],
      () => [query(pick("begin", "commit", "rollback", "savepoint s", "rollback to s"))],
    )();
  const raw = await openRaw(free);
  const shown: number[] = [];
  for (let round = 0; round < Number(process.env["ROUNDS"] ?? 200); round++) {
    const batch = Array.from({ length: 1 + pick(1, 3, 8, 20) }, message).flat();
    // Whatever state it was left in, it ends outside a transaction, and says so last.
    raw.send([[...batch, sync, query("rollback"), query("select 0")]]);
    for (let isLast = false; ;) {
      const { type, body } = await raw.next();
      if (type === backend.dataRow) {
        const value = Number(new TextDecoder().decode(body.subarray(6)));
        if (value === 0) isLast = true;
        else shown.push(value);
      }
      if (isLast && type === backend.readyForQuery) break;
    }
  }
  await raw.close();
  const results: { text: string; value: number }[] = [];
  for (const { text, results: made } of (await statementsOfLast()).toSorted((a, b) => a.number - b.number))
    for (const { kept } of made)
      for (const [cell] of kept ?? []) results.push({ text, value: Number(cell?.text) });
  const told = results.filter(({ value }) => value !== 0);
  assert.ok(shown.length > 50, `${shown.length} results`);
  assert.deepEqual(
    told.map(({ value }) => value),
    shown,
  );
  assert.deepEqual(
    told.filter(({ text, value }) => text !== `select ${value}`),
    [],
  );
});
