import { DatabaseSync } from "node:sqlite";
import { GatehouseError, messageOf } from "@gatehouse/kernel";

/**
 * One gateway per journal. Node has no file locks, SQLite has: an exclusive transaction on an empty database holds the
 * kernel's own lock, which goes with the process however it dies, so there is nothing stale to judge at a start.
 * Throws `conflict` when another process has it.
 */
export function lockDirectory(directory: string): { release(): void } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(`${directory}/lock`);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    // SQLITE_BUSY
    if ((error as { errcode?: number }).errcode === 5)
      throw new GatehouseError({
        code: "conflict",
        op: "pipeline.lock",
        message: `another gateway uses the journal in ${directory}`,
        hint: "Give each gateway its own data directory, or stop the other one.",
        cause: error,
      });
    throw new GatehouseError({
      code: "recording_unavailable",
      op: "pipeline.lock",
      message: `the journal directory ${directory} cannot be used (${messageOf(error)})`,
      cause: error,
    });
  }
  const held = database;
  return { release: () => held.close() };
}
