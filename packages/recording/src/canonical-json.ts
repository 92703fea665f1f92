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
  switch (typeof value) {
    case "string":
      // A lone surrogate has no UTF-8, so the bytes that are signed would not be the text.
      if (!value.isWellFormed()) throw notCanonical("text that is not well-formed Unicode");
      return JSON.stringify(value);
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw notCanonical(`the number ${value}`);
      return String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object": {
      if (value === null) throw notCanonical("null");
      let json = "";
      if (isList(value)) {
        for (const item of value) json += json === "" ? canonicalJson(item) : `,${canonicalJson(item)}`;
        return `[${json}]`;
      }
      for (const name of sortedNames(value)) {
        const field = value[name];
        if (field === undefined) continue;
        json += `${json === "" ? "" : ","}${canonicalJson(name)}:${canonicalJson(field)}`;
      }
      return `{${json}}`;
    }
    default:
      throw notCanonical(`a ${typeof value}`);
  }
}

/** The bytes that are stored and signed. */
export const canonicalBytes = (value: Json): Uint8Array => utf8(canonicalJson(value));

/** By UTF-16 code units, as RFC 8785 §3.2.3 asks and Array.prototype.sort does. What is in order already is not sorted again. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  for (let i = 1; i < names.length; i++)
    if ((names[i - 1] as string) > (names[i] as string)) return names.sort();
  return names;
}

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
