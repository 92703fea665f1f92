import { type PointerEvent, type ReactNode, useState } from "react";
import { clockTime } from "../ui/format.ts";
import type { Stretch } from "./activity.ts";

/** How far Page Up and Page Down go. */
const pageUs = 60_000_000;

/**
 * The place in a recording, to be pointed at, dragged and paged through; idle time is shaded. What else is drawn along it are its
 * children. The share that is filled is `--at`, which somebody above sets.
 */
export function PositionSlider({
  endUs: wholeUs,
  timeUs,
  words,
  idle,
  testId,
  renderHint,
  hintAt,
  onSeek,
  children,
}: {
  endUs: number;
  timeUs: number;
  /** What stands at the place, for who hears it. */
  words: string;
  idle: readonly Stretch[];
  testId?: string;
  /** What is shown of the moment that is pointed at, above the slider or below it. */
  renderHint: (hoverUs: number) => ReactNode;
  hintAt: "above" | "below";
  onSeek: (timeUs: number) => void;
  children: ReactNode;
}) {
  const endUs = Math.max(1, wholeUs);
  const [hoverUs, setHoverUs] = useState<number>();
  const percent = (us: number) => `${(100 * us) / endUs}%`;
  const under = ({ currentTarget, clientX }: PointerEvent) => {
    const box = currentTarget.getBoundingClientRect();
    return Math.round(Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * endUs);
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(endUs / 1_000_000)}
      aria-valuenow={Math.round(timeUs / 1_000_000)}
      aria-valuetext={`${clockTime(timeUs)} of ${clockTime(endUs)}${words}`}
      data-testid={testId}
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
      {children}
      <div
        className="absolute inset-y-0 left-0 border-r-2 border-accent bg-accent/15"
        style={{ width: "calc(100% * min(1, var(--at)))" }}
      />
      {hoverUs !== undefined && (
        <>
          <div
            className="pointer-events-none absolute inset-y-0 w-px bg-soft"
            style={{ left: percent(hoverUs) }}
          />
          <div
            className={`pointer-events-none absolute z-20 max-w-96 overflow-hidden rounded-md border bg-raised text-xs shadow-md ${hintAt === "above" ? "bottom-full mb-1" : "top-full mt-1"}`}
            style={{
              left: percent(hoverUs),
              transform: `translateX(-${Math.round((100 * hoverUs) / endUs)}%)`,
            }}
          >
            {renderHint(hoverUs)}
          </div>
        </>
      )}
    </div>
  );
}
