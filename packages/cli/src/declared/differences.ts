import { isDeepStrictEqual } from "node:util";
import type { Fields } from "./things.ts";

/** One field that is other than declared. Without `before` it is new, without `after` it goes. */
export type Difference = { path: string; before?: unknown; after?: unknown };

/** Field by field, as deep as both sides have one. */
export function differences(before: Fields, after: Fields, prefix = ""): Difference[] {
  const found: Difference[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    found.push(...between(path, before[name], after[name]));
  }
  return found;
}

function between(path: string, before: unknown, after: unknown): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isFields(before) && isFields(after)) return differences(before, after, path);
  if (isListOfFields(before) && isListOfFields(after))
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) =>
      between(`${path}[${i}]`, before[i], after[i]),
    ).flat();
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isListOfFields = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.length > 0 && value.every(isFields);
