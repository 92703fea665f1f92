import type { AccessPolicy } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable, Transaction } from "kysely";
import type { JsonObject, NewTarget, Target, TargetLogin, Targets } from "./door.ts";
import { keyIn, lowerContains, limitOf, pageOf } from "./page.ts";
import { refusing } from "./refusals.ts";
import type { Tables } from "./schema.ts";

type Row = Selectable<Tables["targets"]>;

export function targetsIn({
  database,
  clock,
  random,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Targets {
  return {
    async create(target) {
      const nowMs = clock.nowMs();
      const row: Row = {
        id: newId(nowMs, random),
        ...(columnsOf({ ...target, demo: target.demo ?? false, access: target.access ?? {} }) as Omit<
          Row,
          "id" | "created_at" | "updated_at"
        >),
        created_at: nowMs,
        updated_at: nowMs,
      };
      return database.transaction().execute(async (transaction) => {
        await refusing("conflict", `there is a target ${target.name} already`, () =>
          transaction.insertInto("targets").values(row).execute(),
        );
        await writeLabels(transaction, row.id, target.labels);
        await writeLogins(transaction, row.id, target.logins);
        return one(await withParts(transaction, [row]));
      });
    },
    async byId(id) {
      const rows = await database.selectFrom("targets").selectAll().where("id", "=", id).execute();
      return (await withParts(database, rows))[0];
    },
    async byName(name) {
      const rows = await database.selectFrom("targets").selectAll().where("name", "=", name).execute();
      return (await withParts(database, rows))[0];
    },
    async list({ protocol, label, text } = {}, page = {}) {
      const limit = limitOf(page);
      let query = database
        .selectFrom("targets")
        .selectAll()
        .orderBy("name")
        .limit(limit + 1);
      if (page.after !== undefined) query = query.where("name", ">", keyIn(page.after, ["string"])[0]);
      if (protocol !== undefined) query = query.where("protocol", "=", protocol);
      if (text !== undefined && text !== "")
        query = query.where(({ eb }) =>
          eb.or((["name", "host"] as const).map((column) => lowerContains(column, text))),
        );
      if (label !== undefined) {
        const [name, value] = labelOf(label);
        query = query.where(({ exists, selectFrom }) =>
          exists(
            selectFrom("target_labels")
              .select("target_labels.name")
              .whereRef("target_labels.target_id", "=", "targets.id")
              .where("target_labels.name", "=", name)
              .where("target_labels.value", "=", value),
          ),
        );
      }
      const rows = await query.execute();
      const targets = new Map((await withParts(database, rows.slice(0, limit))).map((t) => [t.id, t]));
      return pageOf(
        rows,
        limit,
        (row) => targets.get(row.id) as Target,
        (row) => [row.name],
      );
    },
    async update(id, change) {
      return database.transaction().execute(async (transaction) => {
        const row = await refusing("conflict", `there is a target ${change.name} already`, () =>
          transaction
            .updateTable("targets")
            .set({ ...columnsOf(change), updated_at: clock.nowMs() })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirst(),
        );
        if (!row)
          throw new GatehouseError({
            code: "not_found",
            op: "targets.update",
            message: `no target has the id ${id}`,
          });
        if (change.labels) await writeLabels(transaction, id, change.labels);
        if (change.logins) await writeLogins(transaction, id, change.logins);
        return one(await withParts(transaction, [row]));
      });
    },
    async remove(id) {
      const { numDeletedRows } = await database
        .deleteFrom("targets")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function columnsOf(target: Partial<NewTarget>): Partial<Row> {
  const { name, protocol, host, port, allowed, policy, access, hostTrust, demo } = target;
  return {
    ...(name !== undefined && { name }),
    ...(protocol !== undefined && { protocol }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(allowed && {
      allowed_roles: JSON.stringify(allowed.roles),
      allowed_users: JSON.stringify(allowed.users),
    }),
    ...(policy && { policy: JSON.stringify(policy) }),
    ...(access && { access_policy: JSON.stringify(access) }),
    ...(hostTrust && { host_trust: JSON.stringify(hostTrust) }),
    ...(demo !== undefined && { demo: demo ? 1 : 0 }),
  };
}

async function writeLabels(
  transaction: Transaction<Tables>,
  targetId: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  await transaction.deleteFrom("target_labels").where("target_id", "=", targetId).execute();
  const rows = Object.entries(labels).map(([name, value]) => ({ target_id: targetId, name, value }));
  if (rows.length > 0) await transaction.insertInto("target_labels").values(rows).execute();
}

async function writeLogins(
  transaction: Transaction<Tables>,
  targetId: string,
  logins: readonly TargetLogin[],
): Promise<void> {
  await transaction.deleteFrom("target_logins").where("target_id", "=", targetId).execute();
  for (const [rank, { login, kind, credentialId }] of logins.entries()) {
    if (credentialId !== undefined) {
      const known = await transaction
        .selectFrom("credentials")
        .select("id")
        .where("id", "=", credentialId)
        .executeTakeFirst();
      if (!known)
        throw new GatehouseError({
          code: "not_found",
          op: "targets.write",
          message: `the login ${login} names the credential ${credentialId}, which is not there`,
        });
    }
    await refusing("conflict", `the login ${login} is given twice`, () =>
      transaction
        .insertInto("target_logins")
        .values({ target_id: targetId, login, rank, kind, credential_id: credentialId ?? null })
        .execute(),
    );
  }
}

/** The targets of some rows, in their order, with labels and logins. */
async function withParts(database: Kysely<Tables>, rows: readonly Row[]): Promise<Target[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const labels = await database
    .selectFrom("target_labels")
    .selectAll()
    .where("target_id", "in", ids)
    .orderBy("name")
    .execute();
  const logins = await database
    .selectFrom("target_logins")
    .selectAll()
    .where("target_id", "in", ids)
    .orderBy("rank")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    protocol: row.protocol,
    host: row.host,
    port: row.port,
    labels: Object.fromEntries(labels.filter((l) => l.target_id === row.id).map((l) => [l.name, l.value])),
    allowed: {
      roles: JSON.parse(row.allowed_roles) as string[],
      users: JSON.parse(row.allowed_users) as string[],
    },
    logins: logins.filter((l) => l.target_id === row.id).map(loginOf),
    policy: JSON.parse(row.policy) as JsonObject,
    access: JSON.parse(row.access_policy) as AccessPolicy,
    hostTrust: JSON.parse(row.host_trust) as JsonObject,
    demo: row.demo !== 0,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
  }));
}

function loginOf(row: Selectable<Tables["target_logins"]>): TargetLogin {
  const kind = row.kind as TargetLogin["kind"];
  return row.credential_id === null
    ? { login: row.login, kind }
    : { login: row.login, kind, credentialId: row.credential_id };
}

function one(targets: readonly Target[]): Target {
  return targets[0] as Target;
}

function labelOf(label: string): [string, string] {
  const at = label.indexOf("=");
  if (at < 1)
    throw new GatehouseError({
      code: "invalid",
      op: "targets.list",
      message: `the label ${label} is not of the form key=value`,
    });
  return [label.slice(0, at), label.slice(at + 1)];
}
