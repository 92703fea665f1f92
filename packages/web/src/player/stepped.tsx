import { StepBack, StepForward } from "lucide-react";
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { useShortcuts } from "../ui/shortcuts.ts";
import { Position } from "./controls.tsx";
import { type Noted, NotedLane } from "./noted-lane.tsx";
import { PositionSlider } from "./position-slider.tsx";
import { Watermark } from "./watermark.tsx";

/** What leads a player from outside, and is told where it is. */
export type Led = {
  startUs: number | undefined;
  /** Somebody chose a moment elsewhere on the page. */
  seek: { timeUs: number } | undefined;
  noted: readonly Noted[];
  onMoment: (timeUs: number) => void;
  onPlace: (timeUs: number | undefined) => void;
};
export type Step = { timeUs: number; text: string; isBad: boolean };

const stepUs = 5_000_000;

/**
 * A list of what happened one after the other, gone through by its rows, by keys and by the strip under it. The row at the place
 * that is shown has `aria-current`, and is kept in sight.
 */
export function Stepped({
  what,
  steps,
  endUs: wholeUs,
  startUs,
  seek,
  noted,
  onMoment,
  onPlace,
  children,
}: Led & {
  /** One of them, in a word. */
  what: string;
  /** In the order of their times. */
  steps: readonly Step[];
  endUs: number;
  children: (current: number, choose: (index: number) => void) => ReactNode;
}) {
  const room = useRef<HTMLElement>(null);
  const endUs = Math.max(1, wholeUs, steps.at(-1)?.timeUs ?? 0);
  const [at, setAt] = useState(startUs ?? -1);
  // A link may name a moment that there is not.
  const timeUs = Math.min(at, endUs);
  // Several may be at one moment, so one that was chosen is remembered itself.
  const [chosen, setChosen] = useState<Step>();
  const chosenAt = chosen?.timeUs === timeUs ? steps.indexOf(chosen) : -1;
  const current = chosenAt >= 0 ? chosenAt : steps.findLastIndex((step) => step.timeUs <= timeUs);

  const goTo = (us: number, step?: Step) => {
    const moment = Math.min(Math.max(0, us), endUs);
    setAt(moment);
    setChosen(step);
    onMoment(moment);
    onPlace(moment);
  };
  const choose = (index: number) => {
    const step = steps[Math.min(steps.length - 1, Math.max(0, index))];
    if (step) goTo(step.timeUs, step);
  };
  const [sought, setSought] = useState(seek);
  if (seek !== sought) {
    setSought(seek);
    setAt(seek?.timeUs ?? at);
    setChosen(undefined);
  }
  const tellSought = useEffectEvent((us: number) => {
    onMoment(us);
    onPlace(us);
  });
  useEffect(() => {
    if (seek) tellSought(seek.timeUs);
  }, [seek]);
  useEffect(() => {
    // Once more where the list grows: what came above it took its room.
    if (current >= 0 && current < steps.length)
      room.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [current, steps.length]);
  useShortcuts({
    ArrowLeft: () => goTo(timeUs - stepUs),
    ArrowRight: () => goTo(timeUs + stepUs),
    Home: () => goTo(0),
    End: () => goTo(endUs),
    ",": () => choose(current - 1),
    ".": () => choose(current + 1),
    k: () => choose(current - 1),
    j: () => choose(current + 1),
  });
  const last = steps[current];
  return (
    <section ref={room} aria-label="Player" className="relative flex min-h-0 flex-1 flex-col">
      {children(current, choose)}
      <div
        className="shrink-0 border-t bg-paper px-3 pt-2"
        style={{ ["--at" as string]: Math.max(0, timeUs) / endUs }}
      >
        <PositionSlider
          endUs={endUs}
          timeUs={Math.max(0, timeUs)}
          words={last ? `, after ${last.text.slice(0, 80)}` : ""}
          idle={[]}
          hintAt="above"
          renderHint={(us) => {
            const near = steps.findLast((step) => step.timeUs <= us);
            return (
              <p className="max-w-80 truncate px-2 py-0.5">
                {clockTime(us)}
                {near && <code className="ml-2 font-mono text-soft">{near.text}</code>}
              </p>
            );
          }}
          onSeek={(us) => goTo(us)}
        >
          <StepMarks steps={steps} endUs={endUs} />
        </PositionSlider>
        <NotedLane noted={noted} endUs={endUs} />
      </div>
      <div className="flex h-10 shrink-0 items-center gap-1 bg-paper px-2">
        <IconButton label={`Previous ${what} (,)`} onClick={() => choose(current - 1)}>
          <StepBack size={16} />
        </IconButton>
        <IconButton label={`Next ${what} (.)`} onClick={() => choose(current + 1)}>
          <StepForward size={16} />
        </IconButton>
        <Position timeUs={Math.max(0, timeUs)} endUs={endUs} />
      </div>
      <Watermark />
    </section>
  );
}

/** Marks that would lie upon each other are one. */
const marksAcross = 500;

function StepMarks({ steps, endUs }: { steps: readonly Step[]; endUs: number }) {
  const places = new Map<number, boolean>();
  for (const { timeUs, isBad } of steps) {
    const place = Math.round((marksAcross * timeUs) / endUs);
    places.set(place, isBad || places.get(place) === true);
  }
  return (
    <svg
      viewBox={`0 0 ${marksAcross} 40`}
      preserveAspectRatio="none"
      aria-hidden
      className="absolute inset-0 size-full"
    >
      {[true, false].map((isBad) => (
        <path
          key={String(isBad)}
          d={[...places].map(([place, bad]) => (bad === isBad ? `M${place} 40v-26h1.5v26z` : "")).join("")}
          className={`fill-current ${isBad ? "text-danger" : "text-faint opacity-60"}`}
        />
      ))}
    </svg>
  );
}

/** The time of a row, which leads there. */
export function StepTime({
  timeUs,
  onChoose,
  className = "text-faint hover:text-ink",
}: {
  timeUs: number;
  onChoose: () => void;
  /** Its colours. */
  className?: string;
}) {
  return (
    <button
      type="button"
      title="Go to this moment"
      onClick={(event) => {
        event.stopPropagation();
        onChoose();
      }}
      className={`figures rounded py-0.5 text-xs leading-5 hover:underline ${className}`}
    >
      {clockTime(timeUs)}
    </button>
  );
}
