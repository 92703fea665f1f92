import { problem } from "@gatehouse/contracts/rest";
import { z } from "zod";

/** No body. */
export const nothing = z.undefined().meta({ description: "Done" });

/** A route's answers for its schema: the good one, and what every route may say instead. */
export function answers<T extends z.ZodType, S extends 200 | 201 | 204 = 200>(good: T, status?: S) {
  return { [status ?? 200]: good, "4xx": problem, "5xx": problem } as Record<S, T> &
    Record<"4xx" | "5xx", typeof problem>;
}
