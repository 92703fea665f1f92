import { GatehouseError } from "./errors.ts";

/** Checks a claimed size before anything is allocated for it. Units are the caller's and named in `what`. */
export function checkLimit(op: string, what: string, value: number, max: number): void {
  // The negation also refuses NaN, which every comparison calls false.
  if (!(value >= 0 && value <= max))
    throw new GatehouseError({
      code: "too_large",
      op,
      message: `${what} is ${value}, the limit is ${max}`,
      details: { value, max },
    });
}
