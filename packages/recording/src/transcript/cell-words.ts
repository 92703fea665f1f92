import type { IBufferLine } from "@xterm/headless";

/**
 * The words of a row's cells, three each, as the terminal's library keeps them in the version that is pinned
 * (docs/decisions/0040): content, foreground, background. Reading a screen through its public cells costs several times what showing it
 * did. Undefined where they are not to be had.
 */
export function wordsOf(line: IBufferLine | undefined): Uint32Array | undefined {
  const words = (line as unknown as { _line?: { _data?: unknown } } | undefined)?._line?._data;
  return words instanceof Uint32Array && words.length >= 3 * (line?.length ?? 0) ? words : undefined;
}

/** In the first word: the code point and, one bit above it, that the cell has more than one. 0 where nothing was written. */
export const contentMask = 0x3f_ffff;
const combined = 0x20_0000;

const modeMask = 0x300_0000;
const rgbMode = 0x300_0000;
/** In the second. */
const inverse = 0x400_0000;
const invisible = 0x4000_0000;
/** What the third tells beside looks: that it has more attributes elsewhere, and that it may not be erased. */
const unseen = 0x3000_0000;

export const isCombined = (content: number): boolean => (content & combined) !== 0;
export const isInverse = (foreground: number): boolean => (foreground & inverse) !== 0;
export const isInvisible = (foreground: number): boolean => (foreground & invisible) !== 0;

/** A colour of either word: one of the palette, or its own; undefined for that of the terminal. */
export function colorOf(word: number): { isRgb: boolean; value: number } | undefined {
  const mode = word & modeMask;
  if (mode === 0) return undefined;
  return mode === rgbMode ? { isRgb: true, value: word & 0xff_ffff } : { isRgb: false, value: word & 0xff };
}

/** What is left of a word when what is not seen is taken out: a palette's index may stand over rests of another colour. */
function seenOf(word: number): number {
  const mode = word & modeMask;
  const color = mode === 0 ? 0 : mode === rgbMode ? word & 0xff_ffff : word & 0xff;
  return (word & ~0xff_ffff) | color;
}

/** Nothing was written, or a space. */
const isClear = (content: number): boolean => (content & contentMask & ~0x20) === 0;

/** Whether so many words of cells are seen alike; of a cell with more than one character the others are not among them. */
export function sameCells(a: Uint32Array, b: Uint32Array): boolean {
  for (let at = 0; at < a.length; at++) {
    const [one, other] = [a[at] as number, b[at] as number];
    if (one === other) continue;
    const part = at % 3;
    if (part === 0 && !(isClear(one) && isClear(other))) return false;
    if (part === 1 && seenOf(one) !== seenOf(other)) return false;
    if (part === 2 && seenOf(one & ~unseen) !== seenOf(other & ~unseen)) return false;
  }
  return true;
}
