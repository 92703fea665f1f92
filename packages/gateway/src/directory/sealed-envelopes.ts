import { fromBase64, toBase64 } from "@gatehouse/kernel";
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** A secret as it lies in the database, whichever room's it is. */
export type SealedEnvelope = {
  table: "credentials" | "factors";
  id: string;
  kind: string;
  envelope: Uint8Array;
};

export type SealedEnvelopes = {
  /** Those behind this id, in the order of ids: a page. */
  page(table: SealedEnvelope["table"], afterId: string): Promise<readonly SealedEnvelope[]>;
  /** Puts another in its place; false where it is not the one any more. */
  replace(sealed: SealedEnvelope, envelope: Uint8Array): Promise<boolean>;
};

const pageRows = 200;

export function sealedEnvelopesIn({ database }: { database: Kysely<Tables> }): SealedEnvelopes {
  return {
    async page(table, afterId) {
      const rows = await database
        .selectFrom(table)
        .select(["id", "kind", "envelope"])
        .where("envelope", "is not", null)
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(pageRows)
        .execute();
      return rows.map(({ id, kind, envelope }) => ({
        table,
        id,
        kind,
        envelope: fromBase64(envelope ?? ""),
      }));
    },
    async replace({ table, id, envelope: before }, envelope) {
      const { numUpdatedRows } = await database
        .updateTable(table)
        .set({ envelope: toBase64(envelope) })
        .where("id", "=", id)
        .where("envelope", "=", toBase64(before))
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
  };
}
