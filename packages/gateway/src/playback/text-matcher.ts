import type { RecordingSearch } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { RE2JS } from "re2js";

/** Where in a line it is found first. */
export type TextMatcher = (line: string) => { at: number; length: number } | undefined;

/**
 * A pattern of somebody's goes to an engine whose time grows with the text alone; the platform's own can be held up for ever by a
 * pattern made for it. Words without a pattern are safe in the platform's, which is faster. Throws `invalid`.
 */
export function textMatcher({ text, mode }: Pick<RecordingSearch, "text" | "mode">): TextMatcher {
  if (mode === "regex") return patternMatcher(text);
  const words = new RegExp(RegExp.escape(text), mode === "exact" ? "u" : "iu");
  return (line) => {
    const found = words.exec(line);
    return found ? { at: found.index, length: found[0].length } : undefined;
  };
}

function patternMatcher(text: string): TextMatcher {
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(text);
  } catch (cause) {
    throw new GatehouseError({
      code: "invalid",
      op: "recording.search",
      message: "the pattern is not valid",
      hint: "It is read as RE2 reads it: there are no backreferences and no look-around.",
      cause,
    });
  }
  return (line) => {
    const matcher = pattern.matcher(line);
    // What matches nothing at all is no find.
    if (!matcher.find() || matcher.end() === matcher.start()) return undefined;
    return { at: matcher.start(), length: matcher.end() - matcher.start() };
  };
}
