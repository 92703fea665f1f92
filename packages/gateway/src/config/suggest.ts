/** The known word nearest to what was written, where it is near enough to be meant. */
export function suggest(written: string, known: readonly string[]): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase());
    if (!best || distance < best.distance) best = { word, distance };
  }
  // A third of the letters may be wrong: beyond that the suggestion would be a guess.
  return best && best.distance <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : undefined;
}

/** Optimal string alignment: insertion, deletion, substitution and the swap of two neighbours each cost 1. */
export function editDistance(a: string, b: string): number {
  // Nobody's key is longer, and the table must not grow with hostile input.
  const [from, to] = [a.slice(0, 100), b.slice(0, 100)];
  const width = to.length + 1;
  const cost = new Uint16Array((from.length + 1) * width);
  const at = (i: number, j: number) => cost[i * width + j] as number;
  for (let i = 0; i <= from.length; i++) cost[i * width] = i;
  for (let j = 0; j < width; j++) cost[j] = j;
  for (let i = 1; i <= from.length; i++)
    for (let j = 1; j < width; j++) {
      let least = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1),
      );
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1);
      cost[i * width + j] = least;
    }
  return at(from.length, width - 1);
}
