import { createHash } from "node:crypto";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { type Kysely, sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tables } from "../schema.ts";
import { first } from "./0001-first.ts";
import { connectionSecrets } from "./0002-connection-secrets.ts";
import { teams } from "./0020-teams.ts";
import { accessPolicies } from "./0021-access-policies.ts";
import { sessionAccess } from "./0022-session-access.ts";
import { wideExitStatus } from "./0023-wide-exit-status.ts";
import { locks } from "./0024-locks.ts";
import { accessRequests } from "./0025-access-requests.ts";
import { roles } from "./0026-roles.ts";
import { roleRequests } from "./0027-role-requests.ts";
import { custody } from "./0030-custody.ts";
import { apiTokens } from "./0031-api-tokens.ts";
import { retention } from "./0032-retention.ts";
import { removalClaims } from "./0033-removal-claims.ts";
import { passwords } from "./0040-passwords.ts";
import { sshCertificates } from "./0043-ssh-certificates.ts";
import { commandSignIns } from "./0044-command-sign-ins.ts";
import { oidc } from "./0045-oidc.ts";
import { recordingIndexes } from "./0050-recording-indexes.ts";
import { searchFilters } from "./0052-search-filters.ts";
import { secondFactors } from "./0060-second-factors.ts";
import { certificates } from "./0061-certificates.ts";
import type { Migration } from "./migration.ts";

/** Every step, in order. A new one is a file of its own and a line at the end. */
export const migrations: readonly Migration[] = [
  first,
  connectionSecrets,
  teams,
  accessPolicies,
  sessionAccess,
  wideExitStatus,
  locks,
  accessRequests,
  roles,
  roleRequests,
  custody,
  apiTokens,
  retention,
  removalClaims,
  passwords,
  sshCertificates,
  commandSignIns,
  oidc,
  recordingIndexes,
  searchFilters,
  secondFactors,
  certificates,
];

export function checksumOf({ statements, postgresStatements = [] }: Migration): string {
  const all = [...statements, ...postgresStatements];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex");
}

/** Brings the schema up to date, each step in a transaction of its own. */
export async function migrate(
  database: Kysely<Tables>,
  {
    clock,
    engine,
    steps = migrations,
  }: { clock: Pick<Clock, "nowMs">; engine: Pick<Engine, "name" | "alone">; steps?: readonly Migration[] },
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await engine.alone(transaction, "migrations");
    await sql`create table if not exists migrations (
      id text primary key,
      checksum text not null,
      applied_at bigint not null
    )`.execute(transaction);
  });
  const applied = await database.selectFrom("migrations").select(["id", "checksum"]).orderBy("id").execute();
  for (const [at, { id, checksum }] of applied.entries()) {
    const step = steps[at];
    if (step?.id !== id)
      throw refused(
        `the database has taken the step ${id}, which this version does not know`,
        "Start the version that wrote it, or a newer one.",
      );
    if (checksumOf(step) !== checksum)
      throw refused(
        `the step ${id} of the database is not the one that this version has`,
        "A released migration was changed; restore it and add a new one.",
      );
  }
  for (const step of steps.slice(applied.length))
    await database.transaction().execute(async (transaction) => {
      // Two gateways that start at once must not both take the step.
      await engine.alone(transaction, "migrations");
      const taken = await transaction
        .selectFrom("migrations")
        .select("id")
        .where("id", "=", step.id)
        .execute();
      if (taken.length > 0) return;
      const own = engine.name === "postgres" ? (step.postgresStatements ?? []) : [];
      for (const statement of [...step.statements, ...own]) await sql.raw(statement).execute(transaction);
      await transaction
        .insertInto("migrations")
        .values({ id: step.id, checksum: checksumOf(step), applied_at: clock.nowMs() })
        .execute();
    });
}

function refused(message: string, hint: string): GatehouseError {
  return new GatehouseError({ code: "conflict", op: "directory.migrate", message, hint });
}
