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

const modeMask = 0x300_0000;
const rgbMode = 0x300_0000;
/** In the second. */
const inverse = 0x400_0000;
const invisible = 0x4000_0000;
/** What the third tells beside looks: that it has more attributes elsewhere, and that it may not be erased. */
const unseen = 0x3000_0000;

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

/** Whether so many cells are drawn alike, whatever stands in them. */
export function sameStyles(a: Uint32Array, b: Uint32Array, cells: number): boolean {
  for (let at = 1; at < 3 * cells; at += 3) {
    const [front, back] = [a[at] as number, a[at + 1] as number];
    const [otherFront, otherBack] = [b[at] as number, b[at + 1] as number];
    if (front !== otherFront && seenOf(front) !== seenOf(otherFront)) return false;
    if (back !== otherBack && seenOf(back & ~unseen) !== seenOf(otherBack & ~unseen)) return false;
  }
  return true;
}
