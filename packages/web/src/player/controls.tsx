import { Maximize, Minimize, Pause, Play, Radio, SkipForward } from "lucide-react";
import { type RefObject, useEffect, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { speeds } from "./playback.ts";

/** What every player has under its timeline. */
export function PlayButton({ isMoving, onToggle }: { isMoving: boolean; onToggle: () => void }) {
  return (
    <IconButton label={isMoving ? "Pause (Space)" : "Play (Space)"} onClick={onToggle} className="text-ink">
      {isMoving ? <Pause size={18} /> : <Play size={18} />}
    </IconButton>
  );
}

export function Position({ timeUs, endUs }: { timeUs: number; endUs: number }) {
  return (
    <p className="figures ml-1 text-xs whitespace-nowrap">
      <span data-testid="position">{clockTime(timeUs)}</span>
      <span className="text-faint"> / {clockTime(endUs)}</span>
    </p>
  );
}

/** Back to what happens now, of a session that is live. */
export function NowButton({ follows, onNow }: { follows: boolean; onNow: () => void }) {
  return (
    <button
      type="button"
      aria-pressed={follows}
      title="Show what happens now (End)"
      onClick={onNow}
      className="ml-1 inline-flex h-7 items-center gap-1.5 rounded-md px-2 text-soft hover:bg-hover aria-pressed:text-accent"
    >
      <Radio size={14} aria-hidden /> Now
    </button>
  );
}

/** How fast it is played, and whether idle time is. */
export type Pace = {
  speed: number;
  skipsIdle: boolean;
  setSpeed: (speed: number) => void;
  toggleIdle: () => void;
  /** One step slower or faster. */
  shift: (by: 1 | -1) => void;
};

export function usePace(): Pace {
  const [speed, setSpeed] = useState<number>(1);
  const [skipsIdle, setSkipsIdle] = useState(true);
  return {
    speed,
    skipsIdle,
    setSpeed,
    toggleIdle: () => setSkipsIdle((skips) => !skips),
    shift(by) {
      const index = (speeds as readonly number[]).indexOf(speed) + by;
      setSpeed(speeds[Math.min(speeds.length - 1, Math.max(0, index))] ?? 1);
    },
  };
}

export function PaceControls({ speed, skipsIdle, setSpeed, toggleIdle }: Pace) {
  return (
    <>
      <select
        aria-label="Speed"
        value={speed}
        onChange={(event) => setSpeed(Number(event.target.value))}
        className="h-8 rounded-md border border-transparent bg-transparent px-1 text-soft hover:bg-hover"
      >
        {speeds.map((one) => (
          <option key={one} value={one}>
            {one}×
          </option>
        ))}
      </select>
      <button
        type="button"
        aria-pressed={skipsIdle}
        title="Skip idle time (i)"
        onClick={toggleIdle}
        className={`inline-flex h-8 items-center gap-1.5 rounded-md px-2 hover:bg-hover ${skipsIdle ? "text-accent" : "text-soft"}`}
      >
        <SkipForward size={15} aria-hidden />
        <span className="max-sm:sr-only">Skip idle</span>
      </button>
    </>
  );
}

export function useFullScreen(frame: RefObject<HTMLElement | null>): { isFull: boolean; toggle: () => void } {
  const [isFull, setFull] = useState(false);
  useEffect(() => {
    const onChange = () => setFull(frame.current !== null && document.fullscreenElement === frame.current);
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, [frame]);
  return {
    isFull,
    toggle: () =>
      void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen()),
  };
}

export function FullScreenButton({ isFull, toggle }: ReturnType<typeof useFullScreen>) {
  return (
    <IconButton label={isFull ? "Leave full screen (f)" : "Full screen (f)"} onClick={toggle}>
      {isFull ? <Minimize size={16} /> : <Maximize size={16} />}
    </IconButton>
  );
}
