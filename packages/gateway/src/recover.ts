import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Random } from "@gatehouse/kernel";
import { openAuditLog } from "./audit/mod.ts";
import type { Config } from "./config/mod.ts";
import { openKeyring } from "./credentials/mod.ts";
import { type RecoveryReport, createLegalHolds, recoverSessions } from "./custody/mod.ts";
import { openDirectory } from "./directory/mod.ts";
import { type configSections, openStore } from "./registry/mod.ts";
import { createLog } from "./telemetry/mod.ts";

export type { RecoveryReport };

/** `gatehouse recover`: what the store of recordings knows of sessions goes into the database, which may be a new one. */
export async function recoverFromStore(options: {
  config: Config<typeof configSections>;
  clock: Clock;
  random: Random;
  progress?: (found: number) => void;
}): Promise<RecoveryReport> {
  const { config, clock, random, progress } = options;
  const log = createLog({
    level: config.log.level,
    format: "text",
    sink: process.stderr,
    nowMs: () => clock.nowMs(),
  });
  mkdirSync(config.data_dir, { recursive: true, mode: 0o700 });
  const keyring = await openKeyring({ folder: join(config.data_dir, "keys"), random });
  const { store } = await openStore(config.store, {
    dataDir: config.data_dir,
    clock,
    random,
    mustEnforce: false,
  });
  const { url, connections } = config.database;
  const directory = await openDirectory({
    ...(url === undefined
      ? { path: join(config.data_dir, "gatehouse.db") }
      : { url, connectionsMax: connections }),
    clock,
    random,
  });
  try {
    const audit = openAuditLog({
      rows: directory.auditRows,
      probe: () => directory.probe(),
      clock,
      random,
      log,
    });
    const { sessions, recordingKeeping: keeping } = directory;
    const report = await recoverSessions({
      store,
      sessions,
      holds: createLegalHolds({ store, sessions, keeping, audit, clock, log }),
      trustedKeys: [keyring.manifestSigner.publicKey],
      ...(progress && { progress }),
    });
    const { found, added, corrected, held, faulty } = report;
    await audit.append({
      event: "recordings.recover",
      user: "system",
      success: true,
      fields: { found, added, corrected, held, faulty },
    });
    return report;
  } finally {
    await directory.close();
  }
}
