// oxlint-disable-next-line no-control-regex -- ASCII begins with them
const ascii = /^[\u0000-\u007f]*$/;
const marks = /\p{M}/gu;
/** By code point, for those that are not ASCII. */
const folded = new Map<string, string>();
const foldedMax = 65_536;

/**
 * What two spellings of the same letters have in common: compatibility forms are taken apart (NFKD), marks are left out, letters of
 * either case are one. Made of each character by itself, so a part of a text folds to a part of the folded text: that is what a
 * filter stands on. NFKC would not do, because it joins a letter with what follows it.
 */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  let all = "";
  // The one mark that is a letter too, in capitals.
  const apart = text.normalize("NFKD").replaceAll("\u0345", "ι");
  for (const char of apart.replace(marks, "")) all += foldedChar(char);
  return all;
}

function foldedChar(char: string): string {
  let known = folded.get(char);
  if (known === undefined) {
    // Lower, upper and lower again: a letter and its forms (ς and σ, ẞ and ß) come to the same.
    known = char.toLowerCase().toUpperCase().toLowerCase().normalize("NFKD").replace(marks, "");
    if (folded.size >= foldedMax) folded.clear();
    folded.set(char, known);
  }
  return known;
}

/** Every three characters in a row of the folded text, each once. */
export function trigramsIn(text: string): string[] {
  const chars = Array.from(fold(text));
  const all = new Set<string>();
  for (let i = 0; i + 3 <= chars.length; i++) all.add(`${chars[i]}${chars[i + 1]}${chars[i + 2]}`);
  return [...all];
}
