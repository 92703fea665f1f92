import type { RecordingSearch } from "@gatehouse/contracts/rest";
import { trigramsIn } from "@gatehouse/recording/passages";
import { RE2JS } from "re2js";

/** Whether a text in which only these trigrams are could be a find: false only where it cannot. */
export type Demand = (has: (trigram: string) => boolean) => boolean;

/** What a text must have to be a find; undefined where nothing can be told without reading it. */
export function demandOf({ text, mode }: Pick<RecordingSearch, "text" | "mode">): Demand | undefined {
  return mode === "regex" ? demandOfPattern(text) : demandOfWords(text);
}

function demandOfWords(text: string): Demand | undefined {
  const trigrams = trigramsIn(text);
  return trigrams.length === 0 ? undefined : (has) => trigrams.every(has);
}

/** The engine knows which words stand in all that a pattern matches, in the one version that is pinned. */
type Words = { type: number; subs: readonly Words[]; str: string };
const kinds = { exact: 1, and: 2, or: 3 } as const;

function demandOfPattern(text: string): Demand | undefined {
  // It looks for none where case does not matter. The filter knows no case anyway, and the same words are in it.
  const { re2Input } = RE2JS.compile(text.replace(/^\(\?i\)/, "")) as unknown as {
    re2Input?: { prefilter?: Words | null };
  };
  return re2Input?.prefilter ? demandOfTree(re2Input.prefilter) : undefined;
}

function demandOfTree({ type, subs, str }: Words): Demand | undefined {
  const demands = subs.map(demandOfTree);
  switch (type) {
    case kinds.exact:
      return demandOfWords(str);
    case kinds.and: {
      const known = demands.filter((one) => one !== undefined);
      return known.length === 0 ? undefined : (has) => known.every((one) => one(has));
    }
    case kinds.or:
      return demands.some((one) => one === undefined)
        ? undefined
        : (has) => demands.some((one) => one?.(has) === true);
    default:
      return undefined;
  }
}
