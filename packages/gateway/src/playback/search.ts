import type { RecordingHits, RecordingSearch } from "@gatehouse/contracts/rest";
import { setImmediate } from "node:timers/promises";
import type { Passage } from "./recorded-text.ts";
import type { TextMatcher } from "./text-matcher.ts";

/** How much of a long line is shown around a find. */
const aroundChars = 120;
const shownCharsMax = 400;
/** Others get their turn after so much text. */
const turnChars = 256 * 1024;

/** A page of the finds: the cursor is how many were handed out before. Ends where it has them; memory is the page. */
export async function findIn(
  passages: AsyncIterable<Passage>,
  matches: TextMatcher,
  { limit = 100, cursor = "0" }: Pick<RecordingSearch, "limit" | "cursor">,
): Promise<Pick<RecordingHits, "hits" | "next">> {
  const skipped = Number(cursor);
  const hits: RecordingHits["hits"] = [];
  let found = 0;
  let chars = 0;
  for await (const passage of passages) {
    chars += passage.text.length;
    if (chars > turnChars) {
      chars = 0;
      await setImmediate();
    }
    const match = matches(passage.text);
    if (!match || ++found <= skipped) continue;
    if (hits.length === limit) return { hits: inOrder(hits), next: String(skipped + limit) };
    hits.push({ ...passage, ...around(passage.text, match) });
  }
  return { hits: inOrder(hits), next: null };
}

const inOrder = (hits: RecordingHits["hits"]) => hits.toSorted((a, b) => a.timeUs - b.timeUs);

function around(line: string, { at, length }: { at: number; length: number }) {
  const from = Math.max(0, at - aroundChars);
  const text = line.slice(from, from + shownCharsMax);
  return { text: text.toWellFormed(), at: at - from, length: Math.min(length, text.length - (at - from)) };
}
