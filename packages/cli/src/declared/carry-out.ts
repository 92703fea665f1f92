import type { Client } from "@gatehouse/contracts/client";
import { GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { Plan } from "./plan.ts";

/**
 * Does what is planned, step by step, and stops at the first that fails: the error says what was done before it. What was
 * done stays; the same files applied again go on where it stopped.
 */
export async function carryOut(
  { changes, ids }: Plan,
  client: Client,
  { done, signal }: { done(says: string): void; signal: AbortSignal },
): Promise<void> {
  const steps = changes.flatMap((change) => change.steps.map((step) => ({ ...step, change })));
  for (const [i, { change, run, says }] of steps.entries()) {
    try {
      signal.throwIfAborted();
      await run(client, ids);
    } catch (error) {
      throw new GatehouseError({
        code: isGatehouseError(error) ? error.code : "internal",
        op: "cli.apply",
        message: `stopped at ${change.kind} ${change.name} (not done: ${says}): ${messageOf(error)}`,
        hint: [
          ...(isGatehouseError(error) && error.hint !== undefined ? [error.hint] : []),
          `${i} of ${steps.length} steps were done, and stay. Apply the same files again to go on.`,
        ].join(" "),
        ...(isGatehouseError(error) && { details: error.details }),
        cause: error,
      });
    }
    done(says);
  }
}
