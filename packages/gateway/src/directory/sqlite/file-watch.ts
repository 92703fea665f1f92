import { statSync } from "node:fs";
import { GatehouseError } from "@gatehouse/kernel";

/**
 * Whether the path still names the file that was opened. An open file that was removed or replaced takes every write, and
 * all of it is gone with the process: SQLite in WAL mode does not notice.
 */
export function fileWatch(path: string): { check(): void } {
  const opened = identity(path);
  return {
    check() {
      if (opened !== undefined && identity(path) === opened) return;
      throw new GatehouseError({
        code: "unavailable",
        op: "directory.probe",
        message: "the database is not where it was opened",
        hint: "Put the database's file back, or restart the gateway on one that is restored.",
      });
    },
  };
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
