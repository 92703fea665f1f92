import { setImmediate } from "node:timers/promises";
import type { RecordingHit } from "@gatehouse/contracts/rest";
import type { Place, Placed } from "./recorded-text.ts";
import type { TextMatcher } from "./text-matcher.ts";

/** How much of a long line is shown around a find. */
const aroundChars = 120;
const shownCharsMax = 400;
/** Others get their turn after so much text. */
const turnChars = 256 * 1024;

/** Of one page, where no number was asked for. */
export const findsDefault = 100;

/** A find, and where a search begins again to find it first. */
export type Find = { hit: RecordingHit; place: Place };

/**
 * Up to `limit` finds, and where to go on; `next` is absent at the end. Memory is the finds. `isOver` is asked now and then, and
 * ends it earlier.
 */
export async function findIn(
  passages: AsyncIterable<Placed>,
  matches: TextMatcher,
  { limit, isOver }: { limit: number; isOver?: () => boolean },
): Promise<{ finds: Find[]; next?: Place }> {
  const finds: Find[] = [];
  let chars = 0;
  for await (const { place, ...passage } of passages) {
    // Between two passages, so that each call gets on by one at least.
    if (chars > turnChars) {
      chars = 0;
      await setImmediate();
      if (isOver?.() === true) return { finds, next: place };
    }
    chars += passage.text.length;
    const match = matches(passage.text);
    if (!match) continue;
    if (finds.length === limit) return { finds, next: place };
    finds.push({ hit: { ...passage, ...around(match.line ?? passage.text, match) }, place });
  }
  return { finds };
}

export const inOrder = (finds: readonly Find[]): RecordingHit[] =>
  finds.map(({ hit }) => hit).toSorted((a, b) => a.timeUs - b.timeUs);

function around(line: string, { at, length }: { at: number; length: number }) {
  const from = Math.max(0, at - aroundChars);
  const text = line.slice(from, from + shownCharsMax);
  return { text: text.toWellFormed(), at: at - from, length: Math.min(length, text.length - (at - from)) };
}
