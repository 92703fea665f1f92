/** PostgreSQL while its input is paused: statements wait, and then run or are refused in the words of the protocol. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import pg from "pg";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { type Postgres, startPostgres } from "../parts/postgres.ts";
import { awaitSession, eventually, recordedSession } from "../parts/sessions.ts";
import { signedIn } from "../parts/signed-in.ts";

let postgres: Postgres;
const gateways: Gateway[] = [];
before(async () => {
  postgres = await startPostgres();
});
after(async () => {
  for (const gateway of gateways) await gateway.close();
  await postgres?.close();
});

type Stand = { gateway: Gateway; person: Client; targetId: string };
/** A gateway where a statement waits so long. */
async function gatewayWith(requestWait: string): Promise<Stand> {
  const gateway = await startGateway({
    config: { postgres: { listen: "127.0.0.1:0" }, moderation: { request_wait: requestWait } },
  });
  gateways.push(gateway);
  const { admin } = gateway;
  const target = await admin.targets.create({
    name: "orders",
    protocol: "postgres",
    host: "127.0.0.1",
    port: postgres.port,
    logins: ["postgres"],
    allowRoles: ["user"],
  });
  await admin.targets.setCredential(target.id, "postgres", { kind: "password", password: postgres.password });
  await admin.targets.trustHostKeys(target.id, { kind: "pinned", keys: [postgres.certificate] });
  const { id } = await admin.people.create({ name: "jane", roles: ["user"] });
  return { gateway, person: await signedIn(gateway, id), targetId: target.id };
}

async function open({ gateway, person, targetId }: Stand) {
  const way = await person.targets.openConnection(targetId, "postgres");
  const client = new pg.Client({
    host: way.host,
    port: way.port,
    user: way.user,
    password: way.password,
    database: "postgres",
    ssl: { ca: way.certificate },
  });
  const notices: string[] = [];
  client.on("notice", ({ message }) => notices.push(message ?? ""));
  client.on("error", () => undefined);
  await client.connect();
  const { id } = await awaitSession(
    gateway,
    ({ state, protocol }) => state === "live" && protocol === "postgres",
  );
  return { client, notices, id };
}
const one = async (client: pg.Client, sql: string, values?: unknown[]) =>
  (await client.query<{ one: number }>(sql, values)).rows[0]?.one;

test("a statement waits while input is paused, and runs when it passes again", async () => {
  const stand = await gatewayWith("5m");
  const { admin } = stand.gateway;
  const { client, notices, id } = await open(stand);
  assert.equal(await one(client, "select 1 as one"), 1);
  await admin.sessions.pause(id, { reason: "look" });
  await eventually("the notice", () => notices.find((text) => text.includes("has paused your input (look)")));
  let answered = false;
  const waiting = one(client, "select $1::int as one", [2]).finally(() => (answered = true));
  // What another connection does takes its time, and the statement has long arrived.
  const other = await open(stand);
  assert.equal(await one(other.client, "select 3 as one"), 3);
  await other.client.end();
  assert.equal(answered, false);
  assert.ok(!postgres.log().includes("$1::int"), "the server knows nothing of it");
  await admin.sessions.resume(id);
  assert.equal(await waiting, 2);
  assert.ok(postgres.log().includes("$1::int"));
  await client.end();
  const { frames } = await recordedSession(stand.gateway, (session) => session.id === id);
  const order = frames.map(({ kind }) => kind).filter((kind) => ["pause", "resume", "query"].includes(kind));
  assert.deepEqual(order.slice(0, 3), ["query", "pause", "resume"]);
  assert.ok(order.slice(3).every((kind) => kind === "query") && order.length > 3);
});

test("one that has waited too long is refused and not run, and the connection is good for the next", async () => {
  const stand = await gatewayWith("1s");
  const { admin } = stand.gateway;
  const { client, id } = await open(stand);
  await client.query("create temp table kept (a int)");
  await admin.sessions.pause(id, { reason: "look" });
  // The simple protocol, and the extended one.
  await assert.rejects(client.query("insert into kept values (1)"), { code: "57000", severity: "ERROR" });
  await assert.rejects(client.query("insert into kept values ($1)", [2]), {
    code: "57000",
    severity: "ERROR",
  });
  await admin.sessions.resume(id);
  assert.equal(await one(client, "select count(*)::int as one from kept"), 0);
  await client.query("begin");
  await client.query("insert into kept values (3)");
  await admin.sessions.pause(id, { reason: "again" });
  // An error here would leave a transaction open that the client takes for failed.
  await assert.rejects(client.query("commit"));
  const { session, bytes } = await recordedSession(stand.gateway, (found) => found.id === id);
  assert.equal(session.end?.reason, "failed");
  assert.match(bytes("notice").toString(), /has waited too long; it was not run\n/);
  const { items } = await admin.audit.list({ session: id, event: "session.pause" });
  assert.equal(items.length, 2);
});
