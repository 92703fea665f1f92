import {
  Check,
  Copy,
  Maximize,
  Minimize,
  Pause,
  Play,
  Radio,
  Scan,
  SkipForward,
  StepBack,
  StepForward,
  ZoomIn,
} from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { useShortcuts } from "../ui/shortcuts.ts";
import { idleStretches } from "./activity.ts";
import type { Moment } from "./moments.ts";
import { type Keyframe, Playback, advance, speeds } from "./playback.ts";
import type { Reel } from "./reel.ts";
import { TerminalScreen } from "./terminal-screen.ts";
import { Timeline } from "./timeline.tsx";

/** How often the page around the screen learns of the moment. The screen itself follows each picture. */
const tellEveryMs = 120;
const stepUs = 5_000_000;

export type Seek = { timeUs: number; turn: number };

export function TerminalPlayer({
  reel,
  startSize,
  endUs,
  startUs,
  autoplay,
  isLive,
  moments,
  hits,
  seek,
  onMoment,
  onPlace,
}: {
  reel: Reel;
  startSize: { cols: number; rows: number };
  /** The recording's length; may be known before its frames are. */
  endUs: number;
  startUs: number;
  autoplay: boolean;
  /** More is coming: what is shown is the newest, until somebody goes back. */
  isLive: boolean;
  moments: readonly Moment[];
  hits: readonly number[];
  /** Somebody chose a moment elsewhere on the page. */
  seek: Seek | undefined;
  /** The moment that is shown, a few times a second. */
  onMoment: (timeUs: number) => void;
  /** Where it came to rest, for the address bar; nothing while it follows what is live. */
  onPlace: (timeUs: number | undefined) => void;
}) {
  const stage = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const screen = useRef<TerminalScreen>(undefined);
  const playback = useRef<Playback>(undefined);
  const at = useRef(startUs);
  const [keyframes] = useState<Keyframe[]>([]);

  const [timeUs, setTimeUs] = useState(startUs);
  const [isReady, setReady] = useState(false);
  const [isPlaying, setPlaying] = useState(autoplay && !isLive);
  const [wantsNewest, setWantsNewest] = useState(autoplay || startUs === 0);
  const follows = isLive && wantsNewest;
  const [wasLive, setWasLive] = useState(isLive);
  if (wasLive !== isLive) {
    setWasLive(isLive);
    if (isLive) {
      setWantsNewest(true);
      setPlaying(false);
    }
  }
  const [speed, setSpeed] = useState<number>(1);
  const [skipsIdle, setSkipsIdle] = useState(true);
  const [fits, setFits] = useState(true);
  const [isFull, setFull] = useState(false);

  const idle = useMemo(
    () => (reel.state === "loading" ? [] : idleStretches(reel.frames, endUs)),
    [reel, endUs],
  );

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let isGone = false;
    void TerminalScreen.open(element).then((opened) => {
      if (isGone) {
        opened.dispose();
        return;
      }
      screen.current = opened;
      playback.current = new Playback(opened, keyframes);
      setReady(true);
    });
    return () => {
      isGone = true;
      screen.current?.dispose();
      screen.current = undefined;
      playback.current = undefined;
      setReady(false);
    };
  }, [keyframes]);

  const show = useCallback(
    (us: number) => {
      at.current = Math.min(Math.max(0, us), endUs);
      head.current?.style.setProperty("--at", String(at.current / Math.max(1, endUs)));
      void playback.current?.show(at.current);
    },
    [endUs],
  );
  const tell = useCallback(() => {
    setTimeUs(at.current);
    onMoment(at.current);
  }, [onMoment]);
  const goTo = useCallback(
    (us: number) => {
      show(us);
      tell();
      setWantsNewest(us >= endUs);
      onPlace(isLive && us >= endUs ? undefined : at.current);
    },
    [show, tell, onPlace, isLive, endUs],
  );

  // What has come in is shown as far as the moment goes.
  useEffect(() => {
    if (!isReady) return;
    playback.current?.feed(reel.frames, startSize);
    show(follows ? endUs : at.current);
    if (follows) tell();
  }, [isReady, reel, startSize, show, follows, endUs, tell]);

  useEffect(() => {
    if (seek) goTo(seek.timeUs);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- each choice once
  }, [seek]);

  useEffect(() => {
    if (!isPlaying || !isReady) return;
    let request = 0;
    let lastMs = performance.now();
    let toldMs = 0;
    const step = (nowMs: number) => {
      request = requestAnimationFrame(step);
      // A tab that was hidden is not made up for.
      const elapsedMs = Math.min(250, nowMs - lastMs);
      lastMs = nowMs;
      const next = advance(at.current, elapsedMs, speed, skipsIdle ? idle : undefined, endUs);
      // While frames still come in, the moment waits at the last one.
      show(reel.state === "loading" ? Math.min(next, Math.max(at.current, reel.endUs)) : next);
      if (nowMs - toldMs >= tellEveryMs) {
        toldMs = nowMs;
        tell();
      }
      if (at.current >= endUs && reel.state !== "loading") {
        setPlaying(false);
        tell();
        setWantsNewest(true);
        onPlace(isLive ? undefined : at.current);
      }
    };
    request = requestAnimationFrame(step);
    return () => cancelAnimationFrame(request);
  }, [isPlaying, isReady, speed, skipsIdle, idle, endUs, reel, isLive, show, tell, onPlace]);

  useEffect(() => {
    screen.current?.setFit(fits);
    const room = stage.current;
    if (!room) return;
    const watch = new ResizeObserver(() => screen.current?.refit());
    watch.observe(room);
    return () => watch.disconnect();
  }, [fits, isReady]);

  useEffect(() => {
    const onChange = () => setFull(document.fullscreenElement === frame.current);
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, []);

  const toggle = () => {
    if (follows) {
      setWantsNewest(false);
      onPlace(at.current);
      return;
    }
    if (isPlaying) onPlace(at.current);
    else if (at.current >= endUs) show(0);
    setPlaying(!isPlaying);
  };
  const jump = (direction: 1 | -1) => {
    const beyond = 400_000;
    const next =
      direction === 1
        ? moments.find((one) => one.timeUs > at.current + 1)
        : moments.findLast((one) => one.timeUs < at.current - beyond);
    if (next) goTo(next.timeUs);
    else if (direction === -1) goTo(0);
  };
  const toHit = (direction: 1 | -1) => {
    const next =
      direction === 1 ? hits.find((us) => us > at.current + 1) : hits.findLast((us) => us < at.current - 1);
    if (next !== undefined) goTo(next);
  };
  const [wasCopied, setCopied] = useState(false);
  const copy = () => {
    const text = screen.current?.text();
    if (!text) return;
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  };
  const shift = (by: 1 | -1) => {
    const index = (speeds as readonly number[]).indexOf(speed) + by;
    setSpeed(speeds[Math.min(speeds.length - 1, Math.max(0, index))] ?? 1);
  };
  const toggleFull = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen());
  useShortcuts({
    " ": toggle,
    ArrowLeft: () => goTo(at.current - stepUs),
    ArrowRight: () => goTo(at.current + stepUs),
    Home: () => goTo(0),
    End: () => goTo(endUs),
    ",": () => jump(-1),
    ".": () => jump(1),
    "<": () => shift(-1),
    ">": () => shift(1),
    n: () => toHit(1),
    N: () => toHit(-1),
    c: copy,
    i: () => setSkipsIdle((skips) => !skips),
    f: toggleFull,
  });

  const isMoving = isPlaying || follows;
  return (
    <section ref={frame} aria-label="Player" className="flex min-h-0 flex-1 flex-col bg-paper">
      <div
        ref={stage}
        className={`player-screen relative min-h-0 flex-1 bg-terminal p-1.5 ${fits ? "overflow-hidden" : "overflow-auto"}`}
      >
        <div className="grid size-full place-items-center">
          <div ref={host} />
        </div>
        {reel.frames.length === 0 && reel.state === "loading" && (
          <p role="status" className="absolute inset-0 grid place-items-center text-[#8893a1]">
            Opening the recording…
          </p>
        )}
        {!isPlaying && !isLive && isReady && timeUs === 0 && reel.frames.length > 0 && (
          <button
            type="button"
            onClick={toggle}
            aria-label="Play from the beginning"
            className="absolute inset-0 m-auto grid size-14 place-items-center rounded-full bg-accent text-accent-ink"
          >
            <Play size={24} aria-hidden className="ml-1" />
          </button>
        )}
      </div>
      <Timeline
        reel={reel}
        endUs={endUs}
        idle={idle}
        startSize={startSize}
        keyframes={keyframes}
        moments={moments}
        hits={hits}
        timeUs={timeUs}
        head={head}
        onSeek={goTo}
      />
      <div className="flex h-12 items-center gap-0.5 px-2 sm:gap-1">
        <IconButton label={isMoving ? "Pause (Space)" : "Play (Space)"} onClick={toggle} className="text-ink">
          {isMoving ? <Pause size={18} /> : <Play size={18} />}
        </IconButton>
        <IconButton label="Previous moment (,)" onClick={() => jump(-1)} className="max-sm:hidden">
          <StepBack size={16} />
        </IconButton>
        <IconButton label="Next moment (.)" onClick={() => jump(1)} className="max-sm:hidden">
          <StepForward size={16} />
        </IconButton>
        <p className="figures ml-1 text-xs whitespace-nowrap">
          <span data-testid="position">{clockTime(timeUs)}</span>
          <span className="text-faint"> / {clockTime(endUs)}</span>
        </p>
        {isLive && (
          <button
            type="button"
            aria-pressed={follows}
            title="Show what happens now (End)"
            onClick={() => goTo(endUs)}
            className="ml-1 inline-flex h-7 items-center gap-1.5 rounded-md px-2 text-soft hover:bg-hover aria-pressed:text-accent"
          >
            <Radio size={14} aria-hidden /> Now
          </button>
        )}
        <div className="ml-auto flex items-center gap-0.5 sm:gap-1">
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
            onClick={() => setSkipsIdle(!skipsIdle)}
            className={`inline-flex h-8 items-center gap-1.5 rounded-md px-2 hover:bg-hover ${skipsIdle ? "text-accent" : "text-soft"}`}
          >
            <SkipForward size={15} aria-hidden />
            <span className="max-sm:sr-only">Skip idle</span>
          </button>
          <IconButton
            label="Copy what is selected, or the screen (c)"
            onClick={copy}
            className="max-sm:hidden"
          >
            {wasCopied ? <Check size={16} className="text-verified" /> : <Copy size={16} />}
          </IconButton>
          <IconButton
            label={fits ? "Natural size" : "Fit to the room"}
            aria-pressed={!fits}
            onClick={() => setFits(!fits)}
          >
            {fits ? <ZoomIn size={16} /> : <Scan size={16} />}
          </IconButton>
          <IconButton label={isFull ? "Leave full screen (f)" : "Full screen (f)"} onClick={toggleFull}>
            {isFull ? <Minimize size={16} /> : <Maximize size={16} />}
          </IconButton>
        </div>
      </div>
    </section>
  );
}
