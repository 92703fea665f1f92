/** Secrets in statements: whoever may not see what was typed does not see them, wherever a recording is read. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client } from "@gatehouse/contracts/client";
import type { ExportFormat, Session } from "@gatehouse/contracts/rest";
import { statementsIn } from "@gatehouse/recording/query";
import { type Databases, openMariadb, openPostgres, startDatabases } from "../parts/databases.ts";
import { awaitStored } from "../parts/sessions.ts";

let stand: Databases;
let jane: Client;
let lea: Client;
before(async () => {
  stand = await startDatabases();
  const member = await stand.person("jane");
  const lead = await stand.person("lea", ["team-lead"]);
  [jane, lea] = [member, lead];
  await stand.gateway.admin.teams.create({
    name: "web",
    members: [{ userId: member.id }, { userId: lead.id, leads: true }],
  });
});
after(() => stand?.close());

async function framesAs(viewer: Client, { id }: Session) {
  const frames = [];
  for await (const frame of viewer.recordings.frames(id))
    frames.push({ ...frame, data: Uint8Array.from(frame.data) });
  return frames;
}
async function readAs(viewer: Client, session: Session): Promise<string> {
  const parts = (await framesAs(viewer, session)).map(({ data }) => Buffer.from(data).toString());
  for (const format of (await viewer.recordings.get(session.id)).exports) {
    const { chunks } = await viewer.recordings.export(session.id, format as ExportFormat);
    for await (const chunk of chunks) parts.push(Buffer.from(chunk).toString());
    if (format === "json")
      parts.push(
        ...parts
          .join("\n")
          .matchAll(/"data":"([^"]*)"/g)
          .map(([, data]) => Buffer.from(data ?? "", "base64").toString()),
      );
  }
  return parts.join("\n");
}

test("of PostgreSQL, in texts, values and errors", async () => {
  const target = await stand.addTarget("postgres");
  const client = await openPostgres(jane, target);
  await client.query("create table users (name text, password text)");
  await client.query("create role app login password 'vivid-simple'; select 'shown'");
  await client.query("update users set password = $2 where name = $1", ["ann", "vivid-value"]);
  await assert.rejects(client.query("alter role app pasword 'x' password 'vivid-near"), /unrecognized/);
  await client.end();
  // The database got them all the same.
  assert.match(stand.postgres.log(), /vivid-simple[^]*vivid-value/);
  const session = await awaitStored(stand.gateway, ({ protocol }) => protocol === "postgres");
  const seen = await readAs(lea, session);
  assert.doesNotMatch(seen, /vivid/);
  assert.match(seen, /create role app login password '\*\*\*'; select 'shown'/);
  const masked = statementsIn(await framesAs(lea, session));
  assert.deepEqual(
    masked.map(({ text, masked: isMasked, values }) => [
      text.slice(0, 12),
      isMasked,
      values.map((value) => value.masked ?? value.text),
    ]),
    [
      ["create table", false, []],
      ["create role ", true, []],
      ["update users", true, ["ann", true]],
      ["alter role a", true, []],
    ],
  );
  const whole = statementsIn(await framesAs(stand.gateway.admin, session));
  assert.deepEqual(
    whole.map(({ text, values, masked: isMasked }) => [
      /vivid-\w+/.exec(text)?.[0],
      values.at(-1)?.text,
      isMasked,
    ]),
    [
      [undefined, undefined, false],
      ["vivid-simple", undefined, false],
      [undefined, "vivid-value", false],
      ["vivid-near", undefined, false],
    ],
  );
});

test("of MariaDB, prepared or not", async () => {
  const target = await stand.addTarget("mariadb");
  const client = await openMariadb(jane, target);
  await client.query("create user 'app'@'%' identified by 'vivid-simple'; select 'shown'");
  await client.execute("select password(?) as p, ? as n", ["vivid-value", "ann"]);
  await assert.rejects(client.query("creat user app identified by 'vivid-near'"), /near/);
  await client.end();
  const session = await awaitStored(stand.gateway, ({ protocol }) => protocol === "mariadb");
  const seen = await readAs(lea, session);
  assert.doesNotMatch(seen, /vivid/);
  assert.match(seen, /create user 'app'@'%' identified by '\*\*\*'; select 'shown'/);
  assert.match(await readAs(stand.gateway.admin, session), /vivid-simple[^]*vivid-value[^]*vivid-near/);
});
