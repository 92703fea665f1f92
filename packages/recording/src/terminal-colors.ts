/** A terminal's colours as the pages draw them: the same in both designs, so that people find again what they remember. */
export const terminalColors: { ground: number; ink: number; palette: readonly number[] } = {
  ground: 0x0c1015,
  ink: 0xd7dde5,
  /** The sixteen, then the cube and the greys of 256 (xterm's 256colres). */
  palette: [
    0x3b4452,
    0xf07178,
    0x7fd08a,
    0xe6bf6a,
    0x7ba4ff,
    0xc99af0,
    0x63c9d6,
    0xc6ced8,
    0x7d8896,
    0xff9098,
    0x9be5a5,
    0xffd98a,
    0xa3c0ff,
    0xdfb8ff,
    0x8ae3ee,
    0xffffff,
    ...cube(),
    ...greys(),
  ],
};

function cube(): number[] {
  const level = (n: number) => (n === 0 ? 0 : 55 + 40 * n);
  return Array.from(
    { length: 216 },
    (_, i) => (level(Math.floor(i / 36)) << 16) | (level(Math.floor(i / 6) % 6) << 8) | level(i % 6),
  );
}

function greys(): number[] {
  return Array.from({ length: 24 }, (_, i) => (8 + 10 * i) * 0x010101);
}
