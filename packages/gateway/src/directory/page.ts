import { GatehouseError, checkLimit } from "@gatehouse/kernel";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Page, PageRequest } from "./door.ts";

const limitDefault = 50;
const limitMax = 500;

export function limitOf({ limit = limitDefault }: PageRequest): number {
  if (!Number.isInteger(limit) || limit < 1)
    throw new GatehouseError({
      code: "invalid",
      op: "directory.list",
      message: `the limit of a page is ${limit}, expected 1 to ${limitMax}`,
    });
  checkLimit("directory.list", "limit of a page", limit, limitMax);
  return limit;
}

/**
 * A page of rows that were read one beyond the limit. The cursor is the sort key of the last row, not its number:
 * rows that come or go in between move nothing.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  read: (row: Row) => Item,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(read),
    ...(rows.length > limit && last !== undefined ? { next: cursorOf(keyOf(last)) } : {}),
  };
}

/** The cursor of a list that goes on after the row with this sort key. */
export function cursorOf(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/** The sort key in a cursor, checked to have the given types, for anybody may send one. */
export function keyIn<const T extends readonly ("string" | "number")[]>(
  cursor: string,
  types: T,
): { [K in keyof T]: T[K] extends "string" ? string : number } {
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    key = undefined;
  }
  if (!Array.isArray(key) || key.length !== types.length || key.some((part, at) => typeof part !== types[at]))
    throw new GatehouseError({
      code: "invalid",
      op: "directory.list",
      message: "not a cursor of this list",
      hint: "Pass `next` of the page before, unchanged.",
    });
  return key as never;
}

/** Whether a column holds the text, letters of either case (ASCII only in SQLite). */
export function lowerContains(column: string, text: string): RawBuilder<SqlBool> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
  return sql<SqlBool>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
}

/** Everything that a list has, page by page. */
export async function* everyItem<Item>(
  list: (page: PageRequest) => Promise<Page<Item>>,
): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const page = await list({ limit: limitMax, ...(after !== undefined && { after }) });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
