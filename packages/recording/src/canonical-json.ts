import { GatehouseError, utf8 } from "@gatehouse/kernel";

/** What a canonical document may hold: RFC 8785 without fractions, exponents and `null`. */
export type Json =
  | string
  | number
  | boolean
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/**
 * One value, one text: the subset of RFC 8785 (JCS) that has integers only. Names are sorted by UTF-16 code units, there
 * is no white space, strings escape only what JSON demands, and a field that is `undefined` is absent.
 * Two writers in two languages therefore sign the same bytes.
 */
export function canonicalJson(value: Json): string {
  // What a shape returns has its names in order, and then the platform's own writer gives the same text several times as fast.
  return isInOrder(value) ? JSON.stringify(value) : written(value);
}

/** Whether all names stand in order. Throws for what has no canonical text. */
function isInOrder(value: Json): boolean {
  switch (typeof value) {
    case "string":
      // A lone surrogate has no UTF-8, so the bytes that are signed would not be the text.
      if (!value.isWellFormed()) throw notCanonical("text that is not well-formed Unicode");
      return true;
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw notCanonical(`the number ${value}`);
      return true;
    case "boolean":
      return true;
    case "object": {
      if (value === null) throw notCanonical("null");
      let inOrder = true;
      if (isList(value)) {
        for (const item of value) if (!isInOrder(item)) inOrder = false;
        return inOrder;
      }
      let before: string | undefined;
      for (const name of Object.keys(value)) {
        const field = value[name];
        if (field === undefined) continue;
        if (!name.isWellFormed()) throw notCanonical("text that is not well-formed Unicode");
        if (before !== undefined && before > name) inOrder = false;
        before = name;
        if (!isInOrder(field)) inOrder = false;
      }
      return inOrder;
    }
    default:
      throw notCanonical(`a ${typeof value}`);
  }
}

/** The same with names in another order: by UTF-16 code units, as RFC 8785 §3.2.3 asks and Array.prototype.sort does. */
function written(value: Json): string {
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(written).join(",")}]`;
  const fields = Object.keys(value)
    .sort()
    .flatMap((name) => {
      const field = value[name];
      return field === undefined ? [] : [`${JSON.stringify(name)}:${written(field)}`];
    });
  return `{${fields.join(",")}}`;
}

/** The bytes that are stored and signed. */
export const canonicalBytes = (value: Json): Uint8Array => utf8(canonicalJson(value));

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function notCanonical(what: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "recording.canonical",
    message: `${what} has no canonical JSON`,
  });
}
