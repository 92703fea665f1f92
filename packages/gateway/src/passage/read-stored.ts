import { GatehouseError } from "@gatehouse/kernel";
import { z } from "zod";
import type { JsonObject } from "../directory/mod.ts";

/** What a target's row holds as `what`. Throws `corrupt` for one that does not fit, which so allows nothing; `command` sets it again. */
export function readStored<S extends z.ZodType>(
  schema: S,
  row: JsonObject,
  { op, what, command }: { op: string; what: string; command: string },
): z.output<S> {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  throw new GatehouseError({
    code: "corrupt",
    op,
    message: `the target's stored ${what} does not fit: ${z.prettifyError(result.error)}`,
    hint: `Set it again with \`gatehouse ${command}\`.`,
  });
}
