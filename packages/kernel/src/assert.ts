import { GatehouseError } from "./errors.ts";

/** An invariant of our own. It failing is a bug here, never the world's fault: hence no hint for the person. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new GatehouseError({ code: "internal", op: "assert", message });
}

/** Closes an exhaustive switch: a new member of the union stops compiling here. */
export function unreachable(value: never): never {
  throw new GatehouseError({ code: "internal", op: "unreachable", message: `unexpected ${String(value)}` });
}
