import type { RecordingSearch } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { RE2JS } from "re2js";

/** Where in a line it is found first. `line` stands where the find is in another writing of the same line. */
export type TextMatcher = (line: string) => { at: number; length: number; line?: string } | undefined;

/**
 * A pattern of somebody's goes to an engine whose time grows with the text alone; the platform's own can be held up for ever by a
 * pattern made for it. Words without a pattern are safe in the platform's, which is faster. Throws `invalid`.
 */
export function textMatcher({ text, mode }: Pick<RecordingSearch, "text" | "mode">): TextMatcher {
  if (mode === "regex") return patternMatcher(text);
  const { composed, words, composedWords } = wordsOf(text, mode);
  return (line) => {
    const found = words.exec(line);
    if (found) return { at: found.index, length: found[0].length };
    // The same letters can be written in several ways (é in one or two characters, forms of full width, ligatures).
    const other = line.normalize("NFKC");
    if (other === line && composed === text) return undefined;
    const again = composedWords.exec(other);
    return again ? { at: again.index, length: again[0].length, line: other } : undefined;
  };
}

/** Whether a text of many lines has a find in one of them, or a little besides. None for patterns, which would take as long as the lines. */
export function manyMatcher({
  text,
  mode,
}: Pick<RecordingSearch, "text" | "mode">): ((lines: string) => boolean) | undefined {
  if (mode === "regex") return undefined;
  const { words, composedWords } = wordsOf(text, mode);
  return (lines) => words.test(lines) || composedWords.test(lines.normalize("NFKC"));
}

function wordsOf(text: string, mode: Exclude<RecordingSearch["mode"], "regex">) {
  const flags = mode === "exact" ? "u" : "iu";
  const words = new RegExp(RegExp.escape(text), flags);
  const composed = text.normalize("NFKC");
  return {
    words,
    composed,
    composedWords: composed === text ? words : new RegExp(RegExp.escape(composed), flags),
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
