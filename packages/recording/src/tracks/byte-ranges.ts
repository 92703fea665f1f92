import { assert } from "@gatehouse/kernel";

/** How many ranges one operation may list: enough for any sane transfer, and a frame stays small. */
export const rangesMax = 256;

/**
 * Which bytes of a file were touched: sorted ranges `[start, end)` that never overlap or adjoin. An operation of a
 * thousand small reads becomes one range. Holding at most `rangesMax`, it closes the smallest gap when there are more,
 * and `exact` turns false: the list then covers what was touched and a little more, never less.
 */
export class ByteRanges {
  readonly #ranges: [number, number][] = [];
  #exact = true;

  get exact(): boolean {
    return this.#exact;
  }

  add(start: number, end: number): void {
    assert(start >= 0 && end >= start && end <= Number.MAX_SAFE_INTEGER, "a range runs forward");
    if (start === end) return;
    const ranges = this.#ranges;
    // Transfers run forward, so the place is nearly always at the end.
    let at = ranges.length;
    while (at > 0 && (ranges[at - 1] as [number, number])[1] >= start) at--;
    let upto = at;
    let from = start;
    let to = end;
    while (upto < ranges.length && (ranges[upto] as [number, number])[0] <= end) {
      const [a, b] = ranges[upto] as [number, number];
      from = Math.min(from, a);
      to = Math.max(to, b);
      upto++;
    }
    ranges.splice(at, upto - at, [from, to]);
    if (ranges.length > rangesMax) this.#closeSmallestGap();
  }

  list(): [number, number][] {
    return this.#ranges.map(([start, end]) => [start, end]);
  }

  #closeSmallestGap(): void {
    const ranges = this.#ranges;
    let best = 1;
    let bestGap = Number.POSITIVE_INFINITY;
    for (let i = 1; i < ranges.length; i++) {
      const gap = (ranges[i] as [number, number])[0] - (ranges[i - 1] as [number, number])[1];
      if (gap < bestGap) {
        best = i;
        bestGap = gap;
      }
    }
    const before = ranges[best - 1] as [number, number];
    ranges.splice(best - 1, 2, [before[0], (ranges[best] as [number, number])[1]]);
    this.#exact = false;
  }
}
