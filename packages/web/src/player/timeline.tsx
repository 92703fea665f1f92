import { type Ref, useMemo } from "react";
import { clockTime } from "../ui/format.ts";
import { type Material, timelineParts } from "./material.ts";
import { type Noted, NotedLane } from "./noted-lane.tsx";
import type { Moment } from "./moments.ts";
import { PositionSlider } from "./position-slider.tsx";
import { Watermark } from "./watermark.tsx";
import { IndexPreview, TerminalPreview } from "./preview.tsx";

const markStyles: Partial<Record<Moment["kind"], string>> = {
  typed: "bg-accent",
  hidden: "bg-accent",
  notice: "bg-attention",
  people: "bg-attention",
  signal: "bg-attention",
  break: "bg-danger",
  exit: "bg-soft",
  end: "bg-soft",
  file: "bg-verified",
  forward: "bg-verified",
  resize: "bg-strong",
  request: "bg-strong",
};
/** Marks of one look that would lie upon each other are one. */
const marksAcross = 1_000;
/** In the order in which they are drawn: what matters most lies on top. */
const markOrder = [
  "resize",
  "request",
  "file",
  "forward",
  "typed",
  "hidden",
  "exit",
  "end",
  "signal",
  "people",
  "notice",
  "break",
] as const;

function marksOf(
  moments: readonly Moment[],
  endUs: number,
): { style: string; timeUs: number; key: string }[] {
  const marks = new Map<string, { style: string; timeUs: number; key: string }>();
  for (const kind of markOrder)
    for (const moment of moments) {
      const style = markStyles[kind];
      if (moment.kind !== kind || !style) continue;
      const key = `${style} ${Math.round((marksAcross * moment.timeUs) / endUs)}`;
      if (!marks.has(key)) marks.set(key, { style, timeUs: moment.timeUs, key });
    }
  return [...marks.values()];
}

function hitsAcross(hits: readonly number[], endUs: number): number[] {
  const places = new Map(hits.map((us) => [Math.round((marksAcross * us) / endUs), us]));
  return [...places.values()];
}

/**
 * The whole recording at a glance: how much went by, when nothing did, and the moments, with the place in it that is
 * shown. The list of moments beside the player is the same in words.
 */
export function Timeline({
  material: { tape, endUs, bars, idle },
  picturesOf,
  moments,
  hits,
  noted,
  timeUs,
  head,
  onSeek,
}: {
  material: Material;
  /** The session whose index has pictures; else the screen itself is shown, small. */
  picturesOf: string | undefined;
  moments: readonly Moment[];
  /** Where the words that are looked for were shown. */
  hits: readonly number[];
  noted: readonly Noted[];
  timeUs: number;
  /** Moved by the player itself for each picture, without rendering. Its `--at` is the share of the whole. */
  head: Ref<HTMLDivElement>;
  onSeek: (timeUs: number) => void;
}) {
  const path = useMemo(
    () =>
      bars.map((share, i) => (share > 0 ? `M${i} 40V${(40 - share * 36).toFixed(1)}h1V40z` : "")).join(""),
    [bars],
  );
  const marks = useMemo(() => marksOf(moments, Math.max(1, endUs)), [moments, endUs]);
  const places = useMemo(() => hitsAcross(hits, Math.max(1, endUs)), [hits, endUs]);
  const last = moments.findLast((moment) => moment.timeUs <= timeUs);
  const percent = (us: number) => `${(100 * us) / Math.max(1, endUs)}%`;

  const near = (us: number) => nearest(noted, us, endUs / 200) ?? nearest(moments, us, endUs / 80);

  return (
    <div ref={head} className="px-3 pt-2" style={{ ["--at" as string]: 0 }}>
      <PositionSlider
        endUs={endUs}
        timeUs={timeUs}
        words={`${last ? `, after ${last.text.slice(0, 80)}` : ""}${hits.length > 0 ? `, ${hits.length} places found` : ""}`}
        idle={idle}
        hintAt="above"
        renderHint={(us) => (
          <>
            <div className="relative">
              {picturesOf === undefined ? (
                <TerminalPreview tape={tape} timeUs={us} />
              ) : (
                <IndexPreview sessionId={picturesOf} timeUs={us} />
              )}
              <Watermark />
            </div>
            <p className="max-w-80 truncate px-2 py-0.5">
              {clockTime(us)}
              {near(us) && <code className="ml-2 font-mono text-soft">{near(us)?.text}</code>}
            </p>
          </>
        )}
        onSeek={onSeek}
      >
        <svg
          viewBox={`0 0 ${timelineParts} 40`}
          preserveAspectRatio="none"
          aria-hidden
          className="absolute inset-0 size-full fill-current text-faint opacity-60"
        >
          <path d={path} />
        </svg>
        {marks.map(({ key, style, timeUs: us }) => (
          <div
            key={key}
            data-testid="mark"
            className={`absolute top-0 h-1.5 w-0.5 rounded-b ${style}`}
            style={{ left: percent(us) }}
          />
        ))}
        {places.map((us) => (
          <div
            key={us}
            data-testid="hit"
            className="absolute bottom-0 h-3 w-0.5 bg-attention"
            style={{ left: percent(us) }}
          />
        ))}
      </PositionSlider>
      <NotedLane noted={noted} endUs={endUs} />
    </div>
  );
}

type Named = Pick<Moment, "timeUs" | "text">;

function nearest(moments: readonly Named[], timeUs: number, withinUs: number): Named | undefined {
  let best: Named | undefined;
  for (const moment of moments)
    if (Math.abs(moment.timeUs - timeUs) <= Math.abs((best?.timeUs ?? Number.POSITIVE_INFINITY) - timeUs))
      best = moment;
  return best && Math.abs(best.timeUs - timeUs) <= withinUs ? best : undefined;
}
