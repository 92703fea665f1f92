import type { Statement } from "@gatehouse/recording/query";
import { useMemo } from "react";

const slowestUs = 10_000_000;

/** When something was run, how long it took, and what failed. The table under it is the same in words. */
export function StatementStrip({
  rows,
  endUs,
  timeUs,
  onChoose,
}: {
  rows: readonly Statement[];
  endUs: number;
  timeUs: number;
  onChoose: (timeUs: number) => void;
}) {
  const [ran, failed] = useMemo(() => {
    const bar = ({ startedUs, durationUs = 0 }: Statement) => {
      const height = 4 + (32 * Math.log1p(durationUs)) / Math.log1p(slowestUs);
      const left = (1000 * startedUs) / Math.max(1, endUs);
      const width = Math.max(2, (1000 * durationUs) / Math.max(1, endUs));
      return `M${left.toFixed(1)} 40v-${Math.min(38, height).toFixed(1)}h${width.toFixed(1)}V40z`;
    };
    return [rows.filter((row) => !row.error).map(bar), rows.filter((row) => row.error).map(bar)].map((bars) =>
      bars.join(""),
    );
  }, [rows, endUs]);
  return (
    // A picture with a table under it: whoever cannot point has the table.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
    <div
      aria-hidden
      data-testid="statement-strip"
      className="relative mx-3 h-11 shrink-0 cursor-pointer border-b border-strong"
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        onChoose(Math.round(((event.clientX - box.left) / box.width) * endUs));
      }}
    >
      <svg viewBox="0 0 1000 40" preserveAspectRatio="none" className="absolute inset-0 size-full">
        <path d={ran} className="fill-current text-faint" />
        <path d={failed} className="fill-current text-danger" />
      </svg>
      <div
        className="absolute inset-y-0 w-0.5 bg-accent"
        style={{ left: `${(100 * timeUs) / Math.max(1, endUs)}%` }}
      />
    </div>
  );
}
