/** What a request says of parts, and of what it has already. */
import type { AskedPart } from "../../playback/mod.ts";

/** RFC 9110 §14.1.2: one range of bytes; undefined for what is to be ignored. */
export function partIn(header: string | undefined): AskedPart | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === "") return last === "" ? undefined : { last: Number(last) };
  const from = Number(first);
  if (last === "") return { from, to: undefined };
  const to = Number(last);
  return to < from ? undefined : { from, to };
}

/** RFC 9110 §8.8.3: the tag that a header names; weak ones are none, as what they stand for may differ. */
export function tagIn(header: string | undefined): string | undefined {
  return /^"([\x21\x23-\x7e]{1,128})"$/.exec(header?.trim() ?? "")?.[1];
}

/** RFC 9110 §13.1.2: `*`, or a list of tags. */
export function names(header: string | undefined, tag: string): boolean {
  return (header ?? "").split(",").some((one) => ["*", `"${tag}"`, `W/"${tag}"`].includes(one.trim()));
}
