/** Requests that are good enough to be decided about, made from what the OpenAPI document says of a route. */

type Schema = {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  minItems?: number;
  minimum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
};
type Operation = {
  parameters?: readonly { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
};
export type ApiDocument = {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components: { schemas: Readonly<Record<string, Schema>> };
};
export type SampleRequest = { method: string; path: string; query: string; body: string | undefined };

/** Nothing anywhere has this id. */
export const missingId = "0190a1b2-c3d4-7e5f-8a6b-123456789abc";
const texts = ["walk", "self.read", missingId, "walk-walk-walk-walk", "1", "2026-01-01T00:00:00.000Z"];

/** One for each route, by `METHOD /path`; only what is required stands in it. The path's parts are filled in by `fill`. */
export function sampleRequests(document: ApiDocument): Map<string, SampleRequest> {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([name, { parameters = [], requestBody }]) => {
      const method = name.toUpperCase();
      const query = new URLSearchParams();
      for (const { in: where, name: key, required, schema } of parameters)
        if (where === "query" && required) query.set(key, String(sampleOf(schema, document)));
      const body =
        requestBody && JSON.stringify(sampleOf(requestBody.content["application/json"].schema, document));
      return [`${method} ${path}`, { method, path, query: String(query), body }] as const;
    }),
  );
  return new Map(all);
}

export function fill(path: string, things: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const thing = things[name];
    if (thing === undefined) throw new Error(`${path}: say in the test whose {${name}} is asked for`);
    return encodeURIComponent(thing);
  });
}

/** The names of the parts that name a thing. */
export function partsOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

function sampleOf(schema: Schema, document: ApiDocument): unknown {
  const one = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (one) return sampleOf(one, document);
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return sampleOf(document.components.schemas[name] ?? {}, document);
  }
  if (schema.allOf)
    return Object.assign({}, ...schema.allOf.map((part) => sampleOf(part, document) as object)) as unknown;
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, document)]),
      );
    case "array":
      return Array.from({ length: schema.minItems ?? 0 }, () => sampleOf(schema.items ?? {}, document));
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return textOf(schema);
  }
}

function textOf({ pattern, minLength = 0, maxLength = Infinity }: Schema): string {
  const fits = (text: string) =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern).test(text));
  const found = [...texts, "w".repeat(minLength), "a".repeat(64)].find(fits);
  if (found === undefined) throw new Error(`add a text that matches ${pattern} to test/parts/api-samples.ts`);
  return found;
}
