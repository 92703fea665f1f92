import { type ErrorCode, GatehouseError, messageOf } from "@gatehouse/kernel";

/** What the failure means to the rest of the house. Codes are of PostgreSQL, appendix A; without one the network failed. */
export function databaseFailure(op: string, error: unknown): GatehouseError {
  if (error instanceof GatehouseError) return error;
  const { code, message, hint } = meaningOf(error);
  return new GatehouseError({ code, op, message: `${message}: ${messageOf(error)}`, hint, cause: error });
}

function meaningOf(error: unknown): { code: ErrorCode; message: string; hint?: string } {
  const state = stateOf(error);
  if (state === undefined)
    return {
      code: "unavailable",
      message: "the database does not answer",
      hint: "Check that PostgreSQL runs and can be reached at database.url.",
    };
  // Class 23: an integrity constraint.
  if (state.startsWith("23")) return { code: "conflict", message: "the database refused the change" };
  // 28: who we say we are; 3D000: the database itself is missing; 42501: a right.
  if (state.startsWith("28") || state === "3D000" || state === "42501")
    return {
      code: "unavailable",
      message: "the database does not let the gateway in",
      hint: "Check the user, the password and the database that database.url names, and the user's rights there.",
    };
  if (state === "53100")
    return {
      code: "unavailable",
      message: "no room for the database",
      hint: "Free space on the file system of the PostgreSQL server.",
    };
  // Among them 55P03: a lock was not free in time; 57014: a statement took too long; 25006: read only, as a standby is.
  if (/^(08|40|53|55|57|58|XX)/.test(state) || state === "25006")
    return { code: "unavailable", message: "the database cannot do this now" };
  return { code: "internal", message: "the database refused a statement" };
}

/** SQLSTATE: five letters or digits. Node's own errors have codes too, and longer ones. */
function stateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
