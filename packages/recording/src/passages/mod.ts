/**
 * passages: what can be read in a recording, as text with its moments, and a filter that says what cannot be in it.
 *
 * Owns: the lines of a screen, the statements of a database, the command and what was typed as one thing that is searched; how
 * text is folded so that no spelling of the same letters hides it; the filter of keyed trigrams.
 * Never: knows who may read what (the input lane is apart from all else), holds a key, or decides what is a find.
 */
export { fold, trigramsIn } from "./fold.ts";
export {
  type Passage,
  type PassageSource,
  HiddenText,
  commandText,
  hiddenText,
  indexedText,
  passageSources,
  shownText,
  statementText,
} from "./passage.ts";
export { type TrigramMac, TrigramFilterMaking, filterMayHold, filterVersion } from "./trigram-filter.ts";
