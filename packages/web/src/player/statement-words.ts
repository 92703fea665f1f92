import { type Statement, statementState, valueText } from "@gatehouse/recording/query";
import { count, duration } from "../ui/format.ts";
import { type Stretch } from "./activity.ts";
import { idleAfterUs } from "@gatehouse/recording/index";

export const slowUs = 1_000_000;

/** Most statements take less than a second, so tenths of one would say nothing. */
export function tookWords({ durationUs }: Statement): string {
  if (durationUs === undefined) return "–";
  if (durationUs >= slowUs) return duration(durationUs / 1000);
  return durationUs < 10_000 ? `${(durationUs / 1000).toFixed(1)} ms` : `${Math.round(durationUs / 1000)} ms`;
}

export function rowsWords({ results }: Statement): string {
  const counted = results.flatMap(({ rows }) => rows ?? []);
  return counted.length === 0 ? "–" : count(counted.reduce((sum, rows) => sum + rows, 0));
}

/** Whether the database did anything of it. */
export const hasRun = (row: Statement): boolean =>
  !["discarded", "prepared", "refused"].includes(statementState(row));

/** What came of a statement, in a line. */
export function outcomeWords(row: Statement): string {
  if (row.error) return `${row.error.severity} ${row.error.code} ${row.error.message}`;
  const tags = row.results.map(({ tag }) => tag).join(", ");
  switch (statementState(row)) {
    case "discarded":
      return "not run: an error before it";
    case "suspended":
      return "rows are left";
    case "prepared":
      return "prepared, not run";
    case "open":
      return tags || "no outcome";
    default:
      return tags || row.notices[0]?.message || "";
  }
}

export const only = ["failed", "slow"] as const;
export type Only = (typeof only)[number];

/** The statements that hold the words, in their text, a value or what came of them, and are of the wanted kind. */
export function fittingRows(
  rows: readonly Statement[],
  words: string,
  kind: Only | undefined,
): readonly Statement[] {
  const wanted = words.toLowerCase();
  if (wanted === "" && kind === undefined) return rows;
  return rows.filter(
    (row) =>
      (kind !== "failed" || row.error !== undefined) &&
      (kind !== "slow" || (row.durationUs ?? 0) >= slowUs) &&
      (wanted === "" ||
        row.text.toLowerCase().includes(wanted) ||
        row.values.some((value) => valueText(value).toLowerCase().includes(wanted)) ||
        outcomeWords(row).toLowerCase().includes(wanted)),
  );
}

/** The last statement that had begun at a moment; -1 before the first. They are in the order of their beginning. */
export function rowAt(rows: readonly Statement[], timeUs: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.startedUs ?? 0) <= timeUs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Stretches in which no statement ran. */
export function quietStretches(rows: readonly Statement[], endUs: number): Stretch[] {
  const out: Stretch[] = [];
  let busyUs = 0;
  const close = (toUs: number) => {
    if (toUs - busyUs > idleAfterUs) out.push({ fromUs: busyUs, toUs });
  };
  for (const { startedUs, durationUs = 0 } of rows) {
    close(startedUs);
    busyUs = Math.max(busyUs, startedUs + durationUs);
  }
  close(endUs);
  return out;
}
