import { Check, Copy, Play, Scan, StepBack, StepForward, ZoomIn } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { useShortcuts } from "../ui/shortcuts.ts";
import { InlineProblem } from "../ui/states.tsx";
import {
  FullScreenButton,
  NowButton,
  PaceControls,
  PlayButton,
  Position,
  useFullScreen,
  usePace,
} from "./controls.tsx";
import type { Material } from "./material.ts";
import type { Moment } from "./moments.ts";
import type { Noted } from "./noted-lane.tsx";
import { advance } from "./playback.ts";
import type { Showing, Tape } from "./showing.ts";
import { TerminalScreen } from "./terminal-screen.ts";
import { Watermark } from "./watermark.tsx";
import { Timeline } from "./timeline.tsx";

/** How often the page around the screen learns of the moment. The screen itself follows each picture. */
const tellEveryMs = 120;
const stepUs = 5_000_000;
const waitingAfterMs = 250;

export type Seek = { timeUs: number; turn: number };

export function TerminalPlayer({
  material,
  picturesOf,
  startUs,
  autoplay,
  isLive,
  moments,
  hits,
  noted,
  seek,
  onMoment,
  onPlace,
}: {
  material: Material;
  /** The session whose index has pictures, where the screen itself is not shown over the timeline. */
  picturesOf: string | undefined;
  startUs: number;
  autoplay: boolean;
  /** More is coming: what is shown is the newest, until somebody goes back. */
  isLive: boolean;
  moments: readonly Moment[];
  hits: readonly number[];
  /** Of the audit log. */
  noted: readonly Noted[];
  /** Somebody chose a moment elsewhere on the page. */
  seek: Seek | undefined;
  /** The moment that is shown, a few times a second. */
  onMoment: (timeUs: number) => void;
  /** Where it came to rest, for the address bar; nothing while it follows what is live. */
  onPlace: (timeUs: number | undefined) => void;
}) {
  const { tape, endUs, bars, idle, isLoading } = material;
  const isSilent = !material.isEmpty && !isLoading && bars.every((bar) => bar === 0);
  const stage = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const screen = useRef<TerminalScreen>(undefined);
  const showing = useRef<Showing>(undefined);
  const at = useRef(startUs);

  const [toldUs, setTimeUs] = useState(startUs);
  // A link may name a moment that there is not.
  const timeUs = Math.min(toldUs, endUs);
  const [readyTape, setReadyTape] = useState<Tape>();
  const isReady = readyTape === tape;
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
  const pace = usePace();
  const { speed, skipsIdle } = pace;
  const [fits, setFits] = useState(true);
  const full = useFullScreen(frame);

  const [problem, setProblem] = useState<unknown>();
  const [isWaiting, setWaiting] = useState(false);

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
      showing.current = tape.showOn(opened);
      setReadyTape(tape);
    });
    return () => {
      isGone = true;
      screen.current?.dispose();
      screen.current = undefined;
      showing.current = undefined;
    };
  }, [tape]);

  const show = useCallback(
    (us: number) => {
      at.current = Math.min(Math.max(0, us), endUs);
      head.current?.style.setProperty("--at", String(at.current / Math.max(1, endUs)));
      const shown = showing.current?.show(at.current);
      if (!shown) return;
      // Nothing is said of what takes no time.
      const timer = setTimeout(() => setWaiting(true), waitingAfterMs);
      shown
        .then(() => setProblem(undefined), setProblem)
        .finally(() => {
          clearTimeout(timer);
          setWaiting(false);
        });
    },
    [endUs],
  );
  const tell = useCallback(() => {
    setTimeUs(at.current);
    onMoment(at.current);
  }, [onMoment]);
  const goTo = useCallback(
    (moment: number) => {
      // As the address has it, so that a link shows the same screen; never before what was asked for.
      const us = Math.ceil(moment / 1000) * 1000;
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
    show(follows ? endUs : at.current);
    if (follows) tell();
  }, [isReady, material, show, follows, endUs, tell]);

  useEffect(() => {
    if (seek) goTo(seek.timeUs);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- each choice once
  }, [seek]);

  useEffect(() => {
    if (!isPlaying || !isReady || problem !== undefined) return;
    let request = 0;
    let lastMs = performance.now();
    let toldMs = 0;
    const step = (nowMs: number) => {
      request = requestAnimationFrame(step);
      // A tab that was hidden is not made up for.
      const elapsedMs = Math.min(250, nowMs - lastMs);
      lastMs = nowMs;
      const next = advance(at.current, elapsedMs, speed, skipsIdle ? idle : undefined, endUs);
      // The moment waits where what is here ends; what comes after is read meanwhile.
      const reachUs = showing.current?.reachUs(at.current) ?? 0;
      show(next < reachUs ? next : Math.max(at.current, Math.min(reachUs, endUs)));
      showing.current?.ahead(at.current);
      if (nowMs - toldMs >= tellEveryMs) {
        toldMs = nowMs;
        tell();
      }
      if (at.current >= endUs && !isLoading) {
        setPlaying(false);
        tell();
        setWantsNewest(true);
        onPlace(isLive ? undefined : at.current);
      }
    };
    request = requestAnimationFrame(step);
    return () => cancelAnimationFrame(request);
  }, [isPlaying, isReady, problem, speed, skipsIdle, idle, endUs, isLoading, isLive, show, tell, onPlace]);

  useEffect(() => {
    screen.current?.setFit(fits);
    const room = stage.current;
    if (!room) return;
    const watch = new ResizeObserver(() => screen.current?.refit());
    watch.observe(room);
    return () => watch.disconnect();
  }, [fits, isReady]);

  const toggle = () => {
    if (follows) {
      setWantsNewest(false);
      onPlace(at.current);
      return;
    }
    if (isPlaying) goTo(at.current);
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
  useShortcuts({
    " ": toggle,
    ArrowLeft: () => goTo(at.current - stepUs),
    ArrowRight: () => goTo(at.current + stepUs),
    Home: () => goTo(0),
    End: () => goTo(endUs),
    ",": () => jump(-1),
    ".": () => jump(1),
    "<": () => pace.shift(-1),
    ">": () => pace.shift(1),
    n: () => toHit(1),
    N: () => toHit(-1),
    c: copy,
    i: pace.toggleIdle,
    f: full.toggle,
  });

  const isMoving = isPlaying || follows;
  return (
    <section ref={frame} aria-label="Player" className="flex min-h-0 flex-1 flex-col bg-paper">
      <div className="relative flex min-h-0 flex-1 flex-col">
        <div
          ref={stage}
          className={`player-screen relative min-h-0 flex-1 bg-terminal p-1.5 ${fits ? "overflow-hidden" : "overflow-auto"}`}
        >
          <div className="grid size-full place-items-center">
            <div ref={host} />
          </div>
          {material.isEmpty && isLoading && (
            <p role="status" className="absolute inset-0 grid place-items-center text-[#8893a1]">
              Opening the recording…
            </p>
          )}
          {isSilent && (
            <p role="status" className="absolute inset-0 grid place-items-center text-[#8893a1]">
              {isLive ? "Nothing was shown so far" : "Nothing was shown in this session"}
            </p>
          )}
          {isWaiting && (
            <p
              role="status"
              className="absolute top-2 right-3 rounded bg-[#0c1015]/80 px-2 py-0.5 text-xs text-[#8893a1]"
            >
              Reading…
            </p>
          )}
          {!isPlaying && !isLive && isReady && timeUs === 0 && !material.isEmpty && !isSilent && (
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
        <Watermark />
      </div>
      {problem !== undefined && (
        <div className="px-3 pt-2">
          <InlineProblem error={problem}>
            <button
              type="button"
              onClick={() => show(at.current)}
              className="font-medium underline underline-offset-2"
            >
              Read it again
            </button>
          </InlineProblem>
        </div>
      )}
      <Timeline
        material={material}
        picturesOf={picturesOf}
        moments={moments}
        hits={hits}
        noted={noted}
        timeUs={timeUs}
        head={head}
        onSeek={goTo}
      />
      <div className="flex h-12 items-center gap-0.5 px-2 sm:gap-1">
        <PlayButton isMoving={isMoving} onToggle={toggle} />
        <IconButton label="Previous moment (,)" onClick={() => jump(-1)} className="max-sm:hidden">
          <StepBack size={16} />
        </IconButton>
        <IconButton label="Next moment (.)" onClick={() => jump(1)} className="max-sm:hidden">
          <StepForward size={16} />
        </IconButton>
        <Position timeUs={timeUs} endUs={endUs} />
        {isLive && <NowButton follows={follows} onNow={() => goTo(endUs)} />}
        <div className="ml-auto flex items-center gap-0.5 sm:gap-1">
          <PaceControls {...pace} />
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
          <FullScreenButton {...full} />
        </div>
      </div>
    </section>
  );
}
