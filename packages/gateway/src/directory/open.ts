import type { Clock, Random } from "@gatehouse/kernel";
import { Kysely, sql } from "kysely";
import { auditRowsIn } from "./audit-rows.ts";
import { connectionSecretsIn } from "./connection-secrets.ts";
import type { Directory } from "./door.ts";
import { migrate } from "./migrations/migrate.ts";
import { resourcesIn } from "./resources.ts";
import type { Tables } from "./schema.ts";
import { sealedCredentialsIn } from "./sealed-credentials.ts";
import { sessionEntriesIn } from "./session-entries.ts";
import { loginLinksIn, webSessionsIn } from "./sign-ins.ts";
import { NodeSqliteDialect } from "./sqlite/dialect.ts";
import { fileWatch } from "./sqlite/file-watch.ts";
import { openSqlite } from "./sqlite/open.ts";
import { targetsIn } from "./targets.ts";
import { teamsIn } from "./teams.ts";
import { userKeysIn, usersIn } from "./users.ts";

/** Opens the embedded database at a path, making it and bringing its schema up to date. */
export async function openDirectory({
  path,
  clock,
  random,
  lockWaitMs = 2000,
}: {
  path: string;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  /** How long a write waits for another program's lock before it fails with `unavailable`. */
  lockWaitMs?: number;
}): Promise<Directory> {
  const database = new Kysely<Tables>({
    dialect: new NodeSqliteDialect({ handles: openSqlite(path), lockWaitMs }),
  });
  const file = fileWatch(path);
  try {
    await migrate(database, { clock });
  } catch (error) {
    await database.destroy();
    throw error;
  }
  const parts = { database, clock, random };
  const teams = teamsIn(parts);
  const targets = targetsIn(parts);
  return {
    users: usersIn(parts),
    userKeys: userKeysIn(parts),
    teams,
    resources: resourcesIn({ teams, targets }),
    targets,
    sessions: sessionEntriesIn(parts),
    sealedCredentials: sealedCredentialsIn(parts),
    loginLinks: loginLinksIn(parts),
    webSessions: webSessionsIn(parts),
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
    },
    auditRows: auditRowsIn(parts),
    async probe() {
      file.check();
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
