import { GatehouseError } from "@gatehouse/kernel";

/**
 * The one way to write a JSON value (RFC 8785): names in the order of their UTF-16 code units, no spaces, numbers as
 * ECMAScript writes them. What is hashed is written so, so that a stranger's program hashes the same bytes.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      // RFC 8785 §3.2.2.2 refuses lone surrogates: they have no UTF-8.
      if (!value.isWellFormed()) throw unwritable("text that is not well-formed Unicode");
      return JSON.stringify(value);
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw unwritable(String(value));
      return JSON.stringify(value);
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
      const members: string[] = [];
      for (const name of Object.keys(value).sort()) {
        const member = (value as Record<string, unknown>)[name];
        if (member !== undefined) members.push(`${canonicalJson(name)}:${canonicalJson(member)}`);
      }
      return `{${members.join(",")}}`;
    }
    default:
      throw unwritable(`a ${typeof value}`);
  }
}

function unwritable(what: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op: "canonical_json.write",
    message: `JSON cannot hold ${what}`,
  });
}
