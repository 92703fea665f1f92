import { checkLimit, fromUtf8, GatehouseError } from "@gatehouse/kernel";
import type { Json } from "./canonical-json.ts";

/**
 * Checks one value and returns it with its type, or throws `invalid` naming the field. `at` is where the value stands:
 * `facts.user.id`. Written here rather than taken from a library because the same few lines must run in a browser,
 * bound every list and text before it is kept, and name the field in a way that a finding can show.
 */
export type Shape<T> = (value: unknown, at: string) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;
type Fields = Record<string, Shape<unknown>>;
type Shown<T> = { [K in keyof T]: T[K] };
type Named<R extends Fields, O extends Fields> = Shown<
  { [K in keyof R]: Shaped<R[K]> } & { [K in keyof O]?: Shaped<O[K]> }
>;

function wrong(at: string, expected: string): GatehouseError {
  const field = at === "" ? "the document" : at;
  return new GatehouseError({
    code: "invalid",
    op: "recording.decode",
    message: `${field}: expected ${expected}`,
    details: { field },
  });
}

export function text(options: { charsMax: number; pattern?: RegExp; says?: string }): Shape<string> {
  return (value, at) => {
    if (typeof value !== "string") throw wrong(at, "a text");
    if (value.length > options.charsMax) throw wrong(at, `at most ${options.charsMax} characters`);
    if (!value.isWellFormed()) throw wrong(at, "well-formed Unicode");
    if (options.pattern && !options.pattern.test(value))
      throw wrong(at, options.says ?? String(options.pattern));
    return value;
  };
}

export function integer(min: number, max: number): Shape<number> {
  return (value, at) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max)
      throw wrong(at, `an integer from ${min} to ${max}`);
    // -0 is an integer to JavaScript and has no canonical text.
    return value === 0 ? 0 : value;
  };
}

export const flag: Shape<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw wrong(at, "true or false");
  return value;
};

export function oneOf<const T extends readonly (string | boolean | number)[]>(
  ...allowed: T
): Shape<T[number]> {
  return (value, at) => {
    if (!allowed.includes(value as T[number]))
      throw wrong(at, allowed.map((word) => JSON.stringify(word)).join(" or "));
    return value as T[number];
  };
}

export function list<T>(item: Shape<T>, lengthMax: number): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, "a list");
    if (value.length > lengthMax) throw wrong(at, `at most ${lengthMax} entries`);
    return value.map((entry, i) => item(entry, `${at}[${i}]`));
  };
}

/** A list of exactly two. */
export function pair<A, B>(first: Shape<A>, second: Shape<B>): Shape<[A, B]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length !== 2) throw wrong(at, "a list of two");
    return [first(value[0], `${at}[0]`), second(value[1], `${at}[1]`)];
  };
}

/** An object whose names are data, not fields. */
export function table<T>(name: RegExp, item: Shape<T>, sizeMax: number): Shape<Record<string, T>> {
  return (value, at) => {
    const given = Object.entries(objectAt(value, at));
    if (given.length > sizeMax) throw wrong(at, `at most ${sizeMax} names`);
    const out: Record<string, T> = {};
    for (const [key, field] of given) {
      if (!name.test(key)) throw wrong(`${at}.${key.slice(0, 40)}`, `a name like ${name}`);
      out[key] = item(field, `${at}.${key}`);
    }
    return out;
  };
}

/**
 * An object. `others` says what becomes of a field nobody knows: signed documents refuse it, because a reader must
 * not vouch for what it did not understand; frames drop it, so that an old reader plays a newer recording.
 */
export function object<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional?: O,
  others: "refuse" | "drop" = "drop",
): Shape<Named<R, O>> {
  const wanted = { ...optional, ...required };
  const must = new Set(Object.keys(required));
  // In the order of canonical JSON, so that what a shape returns is written down without being sorted again.
  const fields = Object.keys(wanted)
    .sort()
    .map((name) => ({ name, shape: wanted[name] as Shape<unknown>, isRequired: must.has(name) }));
  return (value, at) => {
    const given = objectAt(value, at);
    const prefix = at === "" ? "" : `${at}.`;
    if (others === "refuse")
      for (const [name, field] of Object.entries(given))
        if (field !== undefined && !Object.hasOwn(wanted, name))
          throw wrong(`${prefix}${name.slice(0, 40)}`, "no such field");
    const out: Record<string, unknown> = {};
    for (const { name, shape, isRequired } of fields) {
      const field = Object.hasOwn(given, name) ? given[name] : undefined;
      if (field !== undefined) out[name] = shape(field, prefix === "" ? name : prefix + name);
      else if (isRequired) throw wrong(`${prefix}${name}`, "a value, and it is missing");
    }
    return out as Named<R, O>;
  };
}

/** The first member that the tag chooses; the tag is a field with fixed words. */
export function either<A, B>(
  choose: (value: object) => boolean,
  first: Shape<A>,
  second: Shape<B>,
): Shape<A | B> {
  return (value, at) => {
    if (typeof value !== "object" || value === null) throw wrong(at, "an object");
    return choose(value) ? first(value, at) : second(value, at);
  };
}

function objectAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object");
  return value as Record<string, unknown>;
}

/** Parses UTF-8 JSON of at most `bytesMax` bytes; what it holds is not checked yet. */
export function parseJson(op: string, bytes: Uint8Array, bytesMax: number): unknown {
  checkLimit(op, "the document's bytes", bytes.length, bytesMax);
  const source = fromUtf8(bytes);
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new GatehouseError({ code: "invalid", op, message: "not JSON", cause });
  }
}

/** A value that passed a shape is canonical JSON by construction; this says so to the compiler. */
export const asJson = (value: unknown): Json => value as Json;
