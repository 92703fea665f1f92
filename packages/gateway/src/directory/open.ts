import type { Clock, Random } from "@gatehouse/kernel";
import { Kysely, sql } from "kysely";
import { accessRequestsIn } from "./access-requests.ts";
import { apiTokensIn } from "./api-tokens.ts";
import { auditRowsIn } from "./audit-rows.ts";
import { commandSignInsIn } from "./command-sign-ins.ts";
import { connectionSecretsIn } from "./connection-secrets.ts";
import type { Directory } from "./door.ts";
import { postgresEngine, sqliteEngine } from "./engine.ts";
import { factorsIn } from "./factors.ts";
import { locksIn } from "./locks.ts";
import { migrate } from "./migrations/migrate.ts";
import { oidcAccountsIn, oidcSignInsIn } from "./oidc.ts";
import { passwordsIn } from "./passwords.ts";
import type { PostgresPlace } from "./postgres/dialect.ts";
import { recordingChecksIn } from "./recording-checks.ts";
import { recordingIndexesIn } from "./recording-indexes.ts";
import { pruningIn } from "./pruning.ts";
import { recordingKeepingIn } from "./recording-keeping.ts";
import { resourcesIn } from "./resources.ts";
import { rolesIn } from "./roles.ts";
import type { Tables } from "./schema.ts";
import { searchFiltersIn } from "./search-filters.ts";
import { sealedCredentialsIn } from "./sealed-credentials.ts";
import { sealedEnvelopesIn } from "./sealed-envelopes.ts";
import { sessionEntriesIn } from "./session-entries.ts";
import { signInAttemptsIn } from "./sign-in-attempts.ts";
import { signInStepsIn } from "./sign-in-steps.ts";
import { loginLinksIn, webSessionsIn } from "./sign-ins.ts";
import { certificatesIn } from "./certificates.ts";
import { targetsIn } from "./targets.ts";
import { teamsIn } from "./teams.ts";
import { userKeysIn, usersIn } from "./users.ts";

/** Where the database is: a file that is embedded, or a PostgreSQL that several gateways may share. */
export type DatabasePlace =
  | {
      path: string;
      /** How long a write waits for another program's lock before it fails with `unavailable`. */
      lockWaitMs?: number;
    }
  | PostgresPlace;

/** Opens the database, making the embedded one where there is none, and brings its schema up to date. */
export async function openDirectory({
  clock,
  random,
  sessionIdleMs,
  ...place
}: DatabasePlace & {
  clock: Pick<Clock, "nowMs">;
  random: Random;
  /** A web session that was not seen for so long is over. Left out: none is for that. */
  sessionIdleMs?: number;
}): Promise<Directory> {
  const engine =
    "url" in place
      ? postgresEngine(place)
      : await sqliteEngine({ path: place.path, lockWaitMs: place.lockWaitMs ?? 2000 });
  const database = new Kysely<Tables>({ dialect: engine.dialect });
  try {
    await migrate(database, { clock, engine });
  } catch (error) {
    await database.destroy();
    throw error;
  }
  const parts = { database, engine, clock, random, sessionIdleMs };
  const teams = teamsIn(parts);
  const targets = targetsIn(parts);
  return {
    users: usersIn(parts),
    userKeys: userKeysIn(parts),
    teams,
    roles: rolesIn(parts),
    locks: locksIn(parts),
    accessRequests: accessRequestsIn(parts),
    resources: resourcesIn({ teams, targets }),
    targets,
    sessions: sessionEntriesIn(parts),
    recordingChecks: recordingChecksIn(parts),
    recordingIndexes: recordingIndexesIn(parts),
    recordingKeeping: recordingKeepingIn(parts),
    pruning: pruningIn(parts),
    searchFilters: searchFiltersIn(parts),
    sealedCredentials: sealedCredentialsIn(parts),
    sealedEnvelopes: sealedEnvelopesIn(parts),
    loginLinks: loginLinksIn(parts),
    passwords: passwordsIn(parts),
    signInAttempts: signInAttemptsIn(parts),
    signInSteps: signInStepsIn(parts),
    factors: factorsIn(parts),
    webSessions: webSessionsIn(parts),
    apiTokens: apiTokensIn(parts),
    certificates: certificatesIn(parts),
    commandSignIns: commandSignInsIn(parts),
    oidcSignIns: oidcSignInsIn(parts),
    oidcAccounts: oidcAccountsIn(parts),
    connectionSecrets: connectionSecretsIn(parts),
    settings: {
      async get(key) {
        const row = await database
          .selectFrom("settings")
          .select("value")
          .where("name", "=", key)
          .executeTakeFirst();
        return row?.value;
      },
      async set(key, value) {
        await database
          .insertInto("settings")
          .values({ name: key, value })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
          .execute();
      },
      async under(prefix) {
        const rows = await database
          .selectFrom("settings")
          .selectAll()
          .where("name", "like", `${prefix}%`)
          .execute();
        return new Map(rows.map(({ name, value }) => [name.slice(prefix.length), value]));
      },
    },
    auditRows: auditRowsIn(parts),
    async probe() {
      engine.check();
      const at = clock.nowMs();
      // It must be another value each time: SQLite skips the write of a row that stays the same, and then proves nothing.
      const moved = sql<number>`case when probes.at >= ${at} then probes.at + 1 else ${at} end`;
      await database
        .insertInto("probes")
        .values({ id: 1, at })
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ at: moved }))
        .execute();
    },
    close: () => database.destroy(),
  };
}
