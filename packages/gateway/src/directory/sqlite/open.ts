import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { databaseFailure } from "./failures.ts";

/** Two connections to one file, so that no reader waits for a writer. */
export type SqliteHandles = { writer: DatabaseSync; reader: DatabaseSync };

/** Opens the file, making it where there is none. Only its owner may read it and its directory. */
export function openHandles(path: string): SqliteHandles {
  try {
    const directory = dirname(path);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // SQLite would make the file readable by everybody; its -wal and -shm take the mode of the file itself.
    closeSync(openSync(path, "a", 0o600));
    const handle = openSync(directory, "r");
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    const writer = open(path, false);
    return { writer, reader: open(path, true) };
  } catch (error) {
    throw databaseFailure("directory.open", fileFailure(error) ?? error);
  }
}

function open(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, {
    readOnly,
    // A busy timeout would sleep on the thread that others read on; the driver waits by itself.
    timeout: 0,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
  });
  if (!readOnly) {
    database.exec("pragma journal_mode = wal");
    // In WAL mode only FULL syncs each commit; without it a power cut takes the last events with it.
    database.exec("pragma synchronous = full");
    database.exec("pragma journal_size_limit = 67108864");
  }
  database.exec("pragma trusted_schema = off");
  return database;
}

/** A refusal of the file system in the words of SQLite, so that it means the same. */
function fileFailure(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return Object.assign(new Error(code, { cause: error }), { errcode: 13 });
  if (code?.startsWith("E") && (error as NodeJS.ErrnoException).syscall)
    return Object.assign(new Error((error as Error).message, { cause: error }), { errcode: 14 });
  return undefined;
}
