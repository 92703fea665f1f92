import { type Statement, statementsIn } from "@gatehouse/recording/query";
import { StepBack, StepForward } from "lucide-react";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { Committed } from "../ui/filters.tsx";
import { count } from "../ui/format.ts";
import { useShortcuts } from "../ui/shortcuts.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import {
  FullScreenButton,
  NowButton,
  PaceControls,
  PlayButton,
  Position,
  useFullScreen,
  usePace,
} from "./controls.tsx";
import type { Noted } from "./noted-lane.tsx";
import { advance } from "./playback.ts";
import type { Reel } from "./reel.ts";
import { StatementDetail } from "./statement-detail.tsx";
import { StatementList } from "./statement-list.tsx";
import { StatementStrip } from "./statement-strip.tsx";
import { type Only, fittingRows, only, quietStretches, rowAt } from "./statement-words.ts";
import { Watermark } from "./watermark.tsx";

const stepUs = 5_000_000;
const tickEveryMs = 100;
const onlyWords: Record<Only, string> = { failed: "Failed", slow: "Over a second" };

/** The statements, or nothing where a frame cannot be read: the page then says so. */
function readStatements(reel: Reel): Statement[] | undefined {
  try {
    return statementsIn(reel.frames);
  } catch {
    return undefined;
  }
}

/** What was run on a database: when, with which values, and what came of it; played as it went, or read as a list. */
export function QueriesPlayer({
  reel,
  startUs,
  find,
  kind,
  isLive,
  noted,
  seek,
  onFind,
  onKind,
  onMoment,
  onPlace,
}: {
  reel: Reel;
  startUs: number | undefined;
  /** Words that a statement, one of its values or its outcome must hold. */
  find: string;
  kind: Only | undefined;
  /** More is coming: the newest stands at the end, until somebody goes back. */
  isLive: boolean;
  noted: readonly Noted[];
  /** Somebody chose a moment elsewhere on the page. */
  seek: { timeUs: number } | undefined;
  onFind: (words: string) => void;
  onKind: (kind: Only | undefined) => void;
  onMoment: (timeUs: number) => void;
  onPlace: (timeUs: number | undefined) => void;
}) {
  const rows = useMemo(() => readStatements(reel), [reel]);
  if (rows === undefined)
    return (
      <Empty title="The statements cannot be read">
        <p>The recording is complete. Export it as JSON to read every frame.</p>
      </Empty>
    );
  if (rows.length === 0 && reel.state === "loading") return <SkeletonRows />;
  if (rows.length === 0 && !isLive) return <Empty title="No statement was run" />;
  return (
    <Player
      rows={rows}
      endUs={Math.max(reel.endUs, rows.at(-1)?.startedUs ?? 0)}
      {...{ startUs, find, kind, isLive, noted, seek, onFind, onKind, onMoment, onPlace }}
    />
  );
}

function Player({
  rows,
  endUs,
  startUs,
  find,
  kind,
  isLive,
  noted,
  seek,
  onFind,
  onKind,
  onMoment,
  onPlace,
}: Omit<Parameters<typeof QueriesPlayer>[0], "reel"> & { rows: Statement[]; endUs: number }) {
  const frame = useRef<HTMLElement>(null);
  const [at, setAt] = useState(startUs ?? -1);
  const [isPlaying, setPlaying] = useState(false);
  const [wantsNewest, setWantsNewest] = useState(startUs === undefined);
  const pace = usePace();
  const full = useFullScreen(frame);
  const follows = isLive && wantsNewest;
  const timeUs = follows ? endUs : Math.min(at, endUs);
  const fitting = useMemo(() => fittingRows(rows, find, kind), [rows, find, kind]);
  const idle = useMemo(() => quietStretches(rows, endUs), [rows, endUs]);
  // Statements may begin at the same microsecond, so one that was chosen is remembered itself.
  const [chosen, setChosen] = useState<Statement>();
  const chosenAt = chosen?.startedUs === timeUs ? fitting.indexOf(chosen) : -1;
  const current = chosenAt >= 0 ? chosenAt : rowAt(fitting, timeUs);

  const goTo = (us: number, row?: Statement) => {
    const moment = Math.min(Math.max(0, us), endUs);
    setAt(moment);
    setChosen(row);
    setWantsNewest(moment >= endUs);
    onMoment(moment);
    onPlace(isLive && moment >= endUs ? undefined : moment);
  };
  const choose = (index: number) => {
    const row = fitting[index];
    if (row) goTo(row.startedUs, row);
  };
  const step = (by: 1 | -1) => choose(Math.min(fitting.length - 1, Math.max(0, current + by)));
  const [sought, setSought] = useState(seek);
  if (seek !== sought) {
    setSought(seek);
    setAt(Math.min(seek?.timeUs ?? at, endUs));
    setChosen(undefined);
    setWantsNewest(false);
  }
  const tellSought = useEffectEvent((us: number) => {
    onMoment(us);
    onPlace(us);
  });
  useEffect(() => {
    if (seek) tellSought(seek.timeUs);
  }, [seek]);

  const tick = useEffectEvent((elapsedMs: number) => {
    const next = advance(Math.max(0, at), elapsedMs, pace.speed, pace.skipsIdle ? idle : undefined, endUs);
    setAt(next);
    setChosen(undefined);
    onMoment(next);
    if (next < endUs) return;
    setPlaying(false);
    onPlace(isLive ? undefined : next);
  });
  useEffect(() => {
    if (!isPlaying) return;
    let lastMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      // A tab that was hidden is not made up for.
      tick(Math.min(250, nowMs - lastMs));
      lastMs = nowMs;
    }, tickEveryMs);
    return () => clearInterval(timer);
  }, [isPlaying]);
  const toggle = () => {
    if (follows) {
      setAt(endUs);
      setWantsNewest(false);
      return;
    }
    if (isPlaying) onPlace(at);
    else if (at >= endUs) setAt(0);
    setPlaying(!isPlaying);
  };
  useShortcuts({
    " ": toggle,
    ArrowLeft: () => goTo(timeUs - stepUs),
    ArrowRight: () => goTo(timeUs + stepUs),
    Home: () => goTo(0),
    End: () => goTo(endUs),
    ",": () => step(-1),
    ".": () => step(1),
    k: () => step(-1),
    j: () => step(1),
    N: () => step(-1),
    n: () => step(1),
    "<": () => pace.shift(-1),
    ">": () => pace.shift(1),
    i: pace.toggleIdle,
    f: full.toggle,
  });
  const isMoving = isPlaying || follows;
  const row = fitting[current];
  return (
    <section ref={frame} aria-label="Player" className="relative flex min-h-0 flex-1 flex-col bg-paper">
      <div
        role="group"
        aria-label="Statements shown"
        className="flex flex-wrap items-center gap-1 px-3 py-2 sm:gap-2"
      >
        <Committed
          label="Text, value or outcome"
          value={find}
          onCommit={onFind}
          className="w-56 max-sm:w-full"
        />
        {[undefined, ...only].map((one) => (
          <button
            key={one ?? "all"}
            type="button"
            aria-pressed={kind === one}
            onClick={() => onKind(one)}
            className="h-8 rounded-md px-2 text-soft hover:bg-hover aria-pressed:bg-chosen aria-pressed:text-ink"
          >
            {one === undefined ? "All" : onlyWords[one]}
          </button>
        ))}
        <p role="status" className="figures ml-auto text-xs text-soft">
          {fitting.length === rows.length
            ? `${count(rows.length)} ${rows.length === 1 ? "statement" : "statements"}`
            : `${count(fitting.length)} of ${count(rows.length)}`}
        </p>
      </div>
      {fitting.length === 0 ? (
        <div className="min-h-0 flex-1">
          {rows.length === 0 ? (
            <Empty title="No statement yet">
              <p>Each stands here as it is run.</p>
            </Empty>
          ) : (
            <Empty title="No statement fits">
              <p>Take the words or the choice away to see all of them.</p>
            </Empty>
          )}
        </div>
      ) : (
        <StatementList
          rows={fitting}
          current={current}
          playedTo={isPlaying ? timeUs : undefined}
          onChoose={choose}
        />
      )}
      {row && <StatementDetail row={row} />}
      <StatementStrip
        rows={rows}
        fitting={fitting}
        idle={idle}
        noted={noted}
        endUs={endUs}
        timeUs={Math.max(0, timeUs)}
        onSeek={(us) => goTo(us)}
      />
      <div className="flex h-12 shrink-0 items-center gap-0.5 px-2 sm:gap-1">
        <PlayButton isMoving={isMoving} onToggle={toggle} />
        <IconButton label="Previous statement (,)" onClick={() => step(-1)}>
          <StepBack size={16} />
        </IconButton>
        <IconButton label="Next statement (.)" onClick={() => step(1)}>
          <StepForward size={16} />
        </IconButton>
        <Position timeUs={Math.max(0, timeUs)} endUs={endUs} />
        {isLive && <NowButton follows={follows} onNow={() => goTo(endUs)} />}
        <div className="ml-auto flex items-center gap-0.5 sm:gap-1">
          <PaceControls {...pace} />
          <FullScreenButton {...full} />
        </div>
      </div>
      {/* In full screen only the player is seen. */}
      <Watermark />
    </section>
  );
}
