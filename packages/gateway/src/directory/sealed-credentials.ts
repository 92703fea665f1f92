import type { Kysely } from "kysely";
import type { SealedCredentials } from "./door.ts";
import { refusing } from "./refusals.ts";
import type { Tables } from "./schema.ts";

export function sealedCredentialsIn({ database }: { database: Kysely<Tables> }): SealedCredentials {
  return {
    async insert({ id, name, kind, envelope, createdAtMs, updatedAtMs }) {
      await refusing("conflict", `there is a credential ${name} already`, () =>
        database
          .insertInto("credentials")
          .values({
            id,
            name,
            kind,
            envelope: Buffer.from(envelope).toString("base64"),
            created_at: createdAtMs,
            updated_at: updatedAtMs,
          })
          .execute(),
      );
    },
    async replace(id, { envelope, kind, updatedAtMs }) {
      const { numUpdatedRows } = await database
        .updateTable("credentials")
        .set({ envelope: Buffer.from(envelope).toString("base64"), kind, updated_at: updatedAtMs })
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    async byId(id) {
      const row = await database
        .selectFrom("credentials")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return (
        row && {
          id: row.id,
          name: row.name,
          kind: row.kind,
          envelope: new Uint8Array(Buffer.from(row.envelope, "base64")),
          createdAtMs: row.created_at,
          updatedAtMs: row.updated_at,
        }
      );
    },
    async list() {
      const rows = await database
        .selectFrom("credentials")
        .select(["id", "name", "kind", "created_at", "updated_at"])
        .orderBy("name")
        .execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        kind: row.kind,
        createdAtMs: row.created_at,
        updatedAtMs: row.updated_at,
      }));
    },
    async remove(id) {
      const { numDeletedRows } = await refusing(
        "conflict",
        "a target's login still uses the credential",
        () => database.deleteFrom("credentials").where("id", "=", id).executeTakeFirstOrThrow(),
      );
      return numDeletedRows > 0n;
    },
  };
}
