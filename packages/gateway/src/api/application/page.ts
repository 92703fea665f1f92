import type { Page as WirePage } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Page, PageRequest } from "../../directory/mod.ts";

export function pageRequest(query: { limit: number; cursor?: string | undefined }): PageRequest {
  return query.cursor === undefined ? { limit: query.limit } : { limit: query.limit, after: query.cursor };
}

export async function wirePage<T, W>(
  page: Page<T>,
  translate: (item: T) => W | Promise<W>,
): Promise<WirePage<W>> {
  return { items: await Promise.all(page.items.map(translate)), next: page.next ?? null };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The thing with this id, or `not_found` in words a person can use. */
export function found<T>(thing: T | undefined, what: string, id: string): T {
  if (thing === undefined)
    throw new GatehouseError({ code: "not_found", op: "api", message: `there is no ${what} ${id}` });
  return thing;
}
