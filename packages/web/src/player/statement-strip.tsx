import type { Statement } from "@gatehouse/recording/query";
import { useMemo } from "react";
import { count, preciseTime } from "../ui/format.ts";
import type { Stretch } from "./activity.ts";
import { type Noted, NotedLane } from "./noted-lane.tsx";
import { PositionSlider } from "./position-slider.tsx";
import { outcomeWords, rowAt, tookWords } from "./statement-words.ts";

const slowestUs = 10_000_000;

/** A statement is a bar where it ran: as wide as it took, and the higher the longer. */
function barsOf(rows: readonly Statement[], endUs: number): string {
  return rows
    .map(({ startedUs, durationUs = 0 }) => {
      const height = 4 + (32 * Math.log1p(durationUs)) / Math.log1p(slowestUs);
      const left = (1000 * startedUs) / endUs;
      const width = Math.max(1.5, (1000 * durationUs) / endUs);
      return `M${left.toFixed(1)} 40v-${Math.min(38, height).toFixed(1)}h${width.toFixed(1)}V40z`;
    })
    .join("");
}

/** When something was run, how long it took, and what failed. The table under it is the same in words. */
export function StatementStrip({
  rows,
  fitting,
  idle,
  noted,
  endUs: wholeUs,
  timeUs,
  onSeek,
}: {
  rows: readonly Statement[];
  /** Those that are looked for; all of them where nothing is. */
  fitting: readonly Statement[];
  idle: readonly Stretch[];
  noted: readonly Noted[];
  endUs: number;
  timeUs: number;
  onSeek: (timeUs: number) => void;
}) {
  const endUs = Math.max(1, wholeUs);
  const [others, ran, failed] = useMemo(
    () => [
      fitting === rows ? "" : barsOf(rows, endUs),
      barsOf(
        fitting.filter((row) => !row.error),
        endUs,
      ),
      barsOf(
        fitting.filter((row) => row.error),
        endUs,
      ),
    ],
    [rows, fitting, endUs],
  );
  const current = rows[rowAt(rows, timeUs)];
  return (
    <div className="shrink-0 px-3 pt-2" style={{ ["--at" as string]: timeUs / endUs }}>
      <PositionSlider
        endUs={endUs}
        timeUs={timeUs}
        words={`${current ? `, after ${current.text.slice(0, 80)}` : ""}, ${count(fitting.length)} statements`}
        idle={idle}
        testId="statement-strip"
        hintAt="below"
        renderHint={(us) => <Hint timeUs={us} row={fitting[rowAt(fitting, us)]} />}
        onSeek={onSeek}
      >
        <svg
          viewBox="0 0 1000 40"
          preserveAspectRatio="none"
          aria-hidden
          className="absolute inset-0 size-full"
        >
          <path d={others} className="fill-current text-line" />
          <path d={ran} className="fill-current text-faint opacity-60" />
          <path d={failed} className="fill-current text-danger" />
        </svg>
      </PositionSlider>
      <NotedLane noted={noted} endUs={endUs} />
    </div>
  );
}

function Hint({ timeUs, row }: { timeUs: number; row: Statement | undefined }) {
  return (
    <div className="min-w-40 px-2 py-1">
      <p className="figures text-soft">{preciseTime(timeUs)}</p>
      {row && (
        <>
          <p className="line-clamp-2 font-mono break-words">{row.text || row.type}</p>
          <p className={row.error ? "text-danger" : "text-soft"}>
            {outcomeWords(row)} · {tookWords(row)}
          </p>
        </>
      )}
    </div>
  );
}
