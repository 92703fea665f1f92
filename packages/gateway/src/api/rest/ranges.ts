/** Parts of what has no known length: it is read once to count, and once to give. */

/** RFC 9110 §14.1.2: from the first byte to the last; `none` where no byte is meant; undefined for what is to be ignored. */
export function rangeOf(
  header: string | undefined,
  bytes: number,
): { from: number; to: number } | "none" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? "none" : { from: bytes - length, to: bytes - 1 };
  }
  const from = Number(first);
  const to = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== "" && Number(last) < from) return undefined;
  return from >= bytes ? "none" : { from, to };
}

export async function bytesIn(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

export async function* partOf(
  chunks: AsyncIterable<Uint8Array>,
  { from, to }: { from: number; to: number },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to + 1 - at));
    if (part.length > 0) yield part;
    at += chunk.length;
    if (at > to) return;
  }
}

/** RFC 9110 §8.8.3: the tag that a header names; weak ones are none, as what they stand for may differ. */
export function tagIn(header: string | undefined): string | undefined {
  return /^"([\x21\x23-\x7e]{1,128})"$/.exec(header?.trim() ?? "")?.[1];
}

/** RFC 9110 §13.1.2: `*`, or a list of tags. */
export function names(header: string | undefined, tag: string): boolean {
  return (header ?? "").split(",").some((one) => ["*", `"${tag}"`, `W/"${tag}"`].includes(one.trim()));
}
