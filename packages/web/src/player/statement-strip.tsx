import type { Statement } from "@gatehouse/recording/query";
import { type PointerEvent, useMemo, useState } from "react";
import { clockTime, count, preciseTime } from "../ui/format.ts";
import type { Stretch } from "./activity.ts";
import { type Noted, NotedLane } from "./noted-lane.tsx";
import { outcomeWords, rowAt, tookWords } from "./statement-words.ts";

const slowestUs = 10_000_000;
const pageUs = 60_000_000;

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
  const [hoverUs, setHoverUs] = useState<number>();
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
  const percent = (us: number) => `${(100 * us) / endUs}%`;
  const under = ({ currentTarget, clientX }: PointerEvent) => {
    const box = currentTarget.getBoundingClientRect();
    return Math.round(Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * endUs);
  };
  const current = rows[rowAt(rows, timeUs)];
  const hovered = hoverUs === undefined ? undefined : fitting[rowAt(fitting, hoverUs)];
  return (
    <div className="shrink-0 px-3 pt-2">
      <div
        role="slider"
        tabIndex={0}
        aria-label="Position"
        aria-valuemin={0}
        aria-valuemax={Math.round(endUs / 1_000_000)}
        aria-valuenow={Math.round(timeUs / 1_000_000)}
        aria-valuetext={`${clockTime(timeUs)} of ${clockTime(endUs)}${current ? `, after ${current.text.slice(0, 80)}` : ""}, ${count(fitting.length)} statements`}
        data-testid="statement-strip"
        className="relative h-11 cursor-pointer touch-none border-b border-strong select-none"
        onKeyDown={(event) => {
          if (event.key !== "PageUp" && event.key !== "PageDown") return;
          event.preventDefault();
          onSeek(timeUs + (event.key === "PageUp" ? pageUs : -pageUs));
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          onSeek(under(event));
        }}
        onPointerMove={(event) => {
          setHoverUs(under(event));
          if (event.buttons === 1 && event.currentTarget.hasPointerCapture(event.pointerId))
            onSeek(under(event));
        }}
        onPointerLeave={() => setHoverUs(undefined)}
      >
        {idle.map(({ fromUs, toUs }) => (
          <div
            key={fromUs}
            className="idle-stretch absolute inset-y-0"
            style={{ left: percent(fromUs), width: percent(toUs - fromUs) }}
          />
        ))}
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
        <div
          className="absolute inset-y-0 left-0 border-r-2 border-accent bg-accent/15"
          style={{ width: percent(timeUs) }}
        />
        {hoverUs !== undefined && (
          <>
            <div
              className="pointer-events-none absolute inset-y-0 w-px bg-soft"
              style={{ left: percent(hoverUs) }}
            />
            <div
              className="pointer-events-none absolute top-full z-20 mt-1 max-w-96 min-w-40 rounded-md border bg-raised px-2 py-1 text-xs shadow-md"
              style={{
                left: percent(hoverUs),
                transform: `translateX(-${Math.round((100 * hoverUs) / endUs)}%)`,
              }}
            >
              <p className="figures text-soft">{preciseTime(hoverUs)}</p>
              {hovered && (
                <>
                  <p className="line-clamp-2 font-mono break-words">{hovered.text || hovered.type}</p>
                  <p className={hovered.error ? "text-danger" : "text-soft"}>
                    {outcomeWords(hovered)} · {tookWords(hovered)}
                  </p>
                </>
              )}
            </div>
          </>
        )}
      </div>
      <NotedLane noted={noted} endUs={endUs} />
    </div>
  );
}
