import { type ErrorCode, GatehouseError, messageOf } from "@gatehouse/kernel";

/** Primary result codes (sqlite.org/rescode.html); extended codes carry them in their low byte. */
const result = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  constraint: 19,
  notDatabase: 26,
} as const;

function resultOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** Another connection holds the lock: the statement did nothing, and may be tried again. */
export function isBusy(error: unknown): boolean {
  const code = resultOf(error);
  return code === result.busy || code === result.locked;
}

/** What the failure means to the rest of the house. */
export function databaseFailure(op: string, error: unknown): GatehouseError {
  if (error instanceof GatehouseError) return error;
  const { code, message, hint } = meaningOf(error);
  return new GatehouseError({ code, op, message: `${message}: ${messageOf(error)}`, hint, cause: error });
}

function meaningOf(error: unknown): { code: ErrorCode; message: string; hint?: string } {
  switch (resultOf(error)) {
    case result.busy:
    case result.locked:
      return {
        code: "unavailable",
        message: "the database is locked by another program",
        hint: "Close the other program that writes to the gateway's database.",
      };
    case result.full:
      return {
        code: "unavailable",
        message: "no room for the database",
        hint: "Free space on the file system of data_dir.",
      };
    case result.readOnly:
    case result.cannotOpen:
      return {
        code: "unavailable",
        message: "the database cannot be written",
        hint: "Check the owner and the mode of data_dir, and that its file system is not read-only.",
      };
    case result.io:
    case result.protocol:
    case result.noMemory:
      return { code: "unavailable", message: "the database failed" };
    case result.corrupt:
    case result.notDatabase:
      return {
        code: "corrupt",
        message: "the database is damaged",
        hint: "Restore it from a backup; recordings do not depend on it.",
      };
    case result.constraint:
      return { code: "conflict", message: "the database refused the change" };
    default:
      // `database is not open`: closed while something still wanted to write.
      return (error as { code?: unknown } | null)?.code === "ERR_INVALID_STATE"
        ? { code: "unavailable", message: "the database is closed" }
        : { code: "internal", message: "the database refused a statement" };
  }
}
