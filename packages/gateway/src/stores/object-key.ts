import { GatehouseError } from "@gatehouse/kernel";

const part = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const keyCharsMax = 512;

/** Whether it is what `checkKey` lets through. */
export function isKey(key: string): boolean {
  return key.length <= keyCharsMax && key.split("/").every((piece) => part.test(piece));
}

/**
 * Holds a key to `a/b/c`, parts of letters, digits, dot, underscore and hyphen that do not begin with a dot: valid in
 * every store, and never a way out of a directory. Throws `invalid`.
 */
export function checkKey(op: string, key: string): void {
  if (isKey(key)) return;
  throw new GatehouseError({
    code: "invalid",
    op,
    message: `not an object key: ${JSON.stringify(key.slice(0, 100))}`,
    hint: "Parts of letters, digits, dots, underscores and hyphens, none beginning with a dot, joined by slashes.",
  });
}

/** The same for what a listing begins with: the last part may be incomplete or empty. */
export function checkPrefix(op: string, prefix: string): void {
  const parts = prefix.split("/");
  const last = parts.pop() as string;
  checkKey(op, [...parts, last === "" ? "x" : last].join("/"));
}
