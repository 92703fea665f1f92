import { type ErrorCode, GatehouseError, isGatehouseError } from "@gatehouse/kernel";

/** Says in the caller's words why the database refused a change; other failures pass as they are. */
export async function refusing<T>(code: ErrorCode, message: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!isGatehouseError(error, "conflict")) throw error;
    throw new GatehouseError({ code, op: "directory.write", message, cause: error });
  }
}
