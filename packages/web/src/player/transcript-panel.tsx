import { ChevronDown, ChevronUp, Search } from "lucide-react";
import { useQueries } from "@tanstack/react-query";
import { type ReactNode, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { queries } from "../gateway.ts";
import { IconButton } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { Empty, InlineProblem } from "../ui/states.tsx";
import type { Index } from "./material.ts";
import type { ShownLine } from "./transcript.ts";

const rowPx = 24;
const overscanRows = 20;

/** The words to look for, and a step through where they stand. */
export function FindBar({
  words,
  hits,
  isSearching = false,
  hasMore = false,
  timeUs,
  onFind,
  onChoose,
}: {
  words: string;
  hits: readonly Pick<ShownLine, "timeUs">[];
  isSearching?: boolean;
  /** There are more than are here. */
  hasMore?: boolean;
  timeUs: number;
  onFind: (words: string) => void;
  onChoose: (timeUs: number) => void;
}) {
  const place = hits.filter((hit) => hit.timeUs <= timeUs).length;
  const step = (by: 1 | -1) => {
    const next =
      by === 1
        ? (hits.find((hit) => hit.timeUs > timeUs + 1) ?? hits[0])
        : (hits.findLast((hit) => hit.timeUs < timeUs - 1) ?? hits.at(-1));
    if (next) onChoose(next.timeUs);
  };
  return (
    <search className="flex h-10 shrink-0 items-center gap-1 border-b px-3">
      <Search size={14} aria-hidden className="shrink-0 text-faint" />
      <input
        type="search"
        aria-label="Find in this recording"
        placeholder="Find in this recording, or /regex/"
        defaultValue={words}
        spellCheck={false}
        autoComplete="off"
        onKeyDown={(event) => {
          const wanted = event.currentTarget.value.trim();
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key !== "Enter") return;
          if (wanted === words) step(event.shiftKey ? -1 : 1);
          else onFind(wanted);
        }}
        onChange={(event) => {
          if (event.target.value === "") onFind("");
        }}
        className="h-7 min-w-0 flex-1 bg-transparent px-1 placeholder:text-faint"
      />
      {words !== "" && (
        <>
          <p role="status" className="figures text-xs whitespace-nowrap text-soft">
            {isSearching
              ? "searching…"
              : hits.length === 0
                ? "not found"
                : `${place} of ${hits.length}${hasMore ? "+" : ""}`}
          </p>
          <IconButton label="Previous place (N)" disabled={hits.length === 0} onClick={() => step(-1)}>
            <ChevronUp size={15} />
          </IconButton>
          <IconButton label="Next place (n)" disabled={hits.length === 0} onClick={() => step(1)}>
            <ChevronDown size={15} />
          </IconButton>
        </>
      )}
    </search>
  );
}

/**
 * What was shown, line by line, or with words to find only the lines that hold them. It follows the player and leads it.
 * Only the rows in sight are made: a recording may have a hundred thousand.
 */
export function TranscriptList({ lines, words, timeUs, onChoose }: Shown) {
  if (lines.length > 0)
    return (
      <Rows
        count={lines.length}
        lineAt={(i) => lines[i]}
        current={lastUpTo(lines, timeUs)}
        words={words}
        onChoose={onChoose}
      />
    );
  return (
    <Empty title={words === "" ? "Nothing was shown" : "Not found"}>
      {words !== "" && <p>No line that was shown holds these words.</p>}
    </Empty>
  );
}

type Shown = {
  lines: readonly Line[];
  words: string;
  timeUs: number;
  onChoose: (timeUs: number) => void;
};

/** The lines as the index has them: only the blocks in sight and the one that is played are read. */
export function IndexedTranscript({
  sessionId,
  index: { durationUs, text, textEndsUs },
  after,
  timeUs,
  onChoose,
}: {
  sessionId: string;
  index: Index;
  /** The lines that came after it, in a session that goes on. */
  after: readonly Line[];
  timeUs: number;
  onChoose: (timeUs: number) => void;
}) {
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const starts = useMemo(() => startsOf(text), [text]);
  // Lines are there in the order in which they left the screen: the first block that ends after the moment holds it.
  const next = text.findIndex(({ toUs }) => toUs >= timeUs);
  const playedBlock = next < 0 ? text.length - 1 : next;
  const wanted = [
    ...new Set([
      playedBlock,
      ...starts.flatMap((start, n) =>
        start < sight.last && start + (text[n]?.lines ?? 0) > sight.first ? [n] : [],
      ),
    ]),
  ].filter((n) => n >= 0);
  const blocks = useQueries({ queries: wanted.map((n) => queries.text(sessionId, n, durationUs)) });
  const failed = blocks.find(({ isError }) => isError);
  const linesOf = (n: number) => blocks[wanted.indexOf(n)]?.data?.lines;
  const count = (starts.at(-1) ?? 0) + (text.at(-1)?.lines ?? 0);
  if (count === 0) return <TranscriptList lines={after} words="" timeUs={timeUs} onChoose={onChoose} />;
  const played = linesOf(playedBlock);
  const row = played ? lastBefore(played.length, (i) => (played[i]?.fromUs ?? 0) <= timeUs) : undefined;
  const rowAfter = lastUpTo(after, timeUs);
  const current = rowAfter >= 0 ? count + rowAfter : row && (starts[playedBlock] ?? 0) + row;
  return (
    <>
      {failed && (
        <InlineProblem error={failed.error}>The lines that could not be read are left blank.</InlineProblem>
      )}
      <Rows
        count={count + after.length}
        lineAt={(i) => {
          if (i >= count) return after[i - count];
          const n = lastBefore(starts.length, (at) => (starts[at] ?? 0) <= i);
          const line = linesOf(n)?.[i - (starts[n] ?? 0)];
          return line && { timeUs: line.fromUs, text: line.text };
        }}
        current={current}
        words=""
        onChoose={onChoose}
        onSight={setSight}
      />
      {textEndsUs !== null && (
        <p className="px-3 py-2 text-xs text-faint">
          There was too much text: what came after {clockTime(textEndsUs)} is not in this list.
        </p>
      )}
    </>
  );
}

/** The place of each block's first line. */
function startsOf(text: Index["text"]): number[] {
  const starts: number[] = [];
  let sum = 0;
  for (const { lines } of text) {
    starts.push(sum);
    sum += lines;
  }
  return starts;
}

/** `found`: where in it the words stand. */
type Line = { timeUs: number; text: string; found?: { at: number; length: number } };

function Rows({
  count,
  lineAt,
  current,
  words,
  onChoose,
  onSight,
}: {
  count: number;
  /** Undefined for one that is not here yet. */
  lineAt: (i: number) => Line | undefined;
  current: number | undefined;
  words: string;
  onChoose: (timeUs: number) => void;
  onSight?: (sight: { first: number; last: number }) => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const look = useEffectEvent((room: HTMLElement) => {
    const first = Math.max(0, Math.floor(room.scrollTop / rowPx) - overscanRows);
    const rows = Math.ceil(Math.min(room.clientHeight, 2000) / rowPx) + 2 * overscanRows;
    if (first === sight.first && first + rows === sight.last) return;
    setSight({ first, last: first + rows });
    onSight?.({ first, last: first + rows });
  });
  useEffect(() => {
    const room = list.current?.parentElement;
    if (!room) return;
    const onScroll = () => look(room);
    look(room);
    room.addEventListener("scroll", onScroll, { passive: true });
    const watch = new ResizeObserver(onScroll);
    watch.observe(room);
    return () => {
      room.removeEventListener("scroll", onScroll);
      watch.disconnect();
    };
  }, []);
  useEffect(() => {
    const room = list.current?.parentElement;
    if (!room || current === undefined || room.scrollHeight <= room.clientHeight) return;
    room.scrollTo({ top: current * rowPx - room.clientHeight / 2, behavior: "auto" });
  }, [current]);
  const shown = Array.from({ length: Math.max(0, Math.min(count, sight.last) - sight.first) }, (_, i) => {
    const index = sight.first + i;
    return { index, line: lineAt(index) };
  });
  return (
    <ol ref={list} className="relative" style={{ height: count * rowPx }}>
      {shown.map(({ index, line }) => (
        <li key={index} className="absolute inset-x-0" style={{ top: index * rowPx, height: rowPx }}>
          {line && (
            <button
              type="button"
              aria-current={index === current || undefined}
              title={line.text}
              onClick={() => onChoose(line.timeUs)}
              className="flex size-full items-baseline gap-3 border-l-2 border-transparent px-3 text-start hover:bg-hover aria-current:border-accent aria-current:bg-chosen"
            >
              <span className="figures w-11 shrink-0 text-end text-2xs leading-6 text-faint">
                {clockTime(line.timeUs)}
              </span>
              <span className="truncate font-mono text-xs leading-6 whitespace-pre">
                {marked(line.text, line.found ?? words)}
              </span>
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}

function lastUpTo(lines: readonly Line[], timeUs: number): number {
  return lastBefore(lines.length, (i) => (lines[i]?.timeUs ?? 0) <= timeUs);
}

/** The last place of those up to which this holds; -1 where it holds of none. */
function lastBefore(count: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The words in the line stand out; a line is shown from a little before them. */
function marked(text: string, words: string | { at: number; length: number }): ReactNode {
  const wanted = typeof words === "string" ? words.trim() : "";
  const place =
    typeof words === "string"
      ? { at: wanted === "" ? -1 : text.toLowerCase().indexOf(wanted.toLowerCase()), length: wanted.length }
      : words;
  const { at } = place;
  if (at < 0) return text;
  const from = at > 24 ? at - 16 : 0;
  const end = at + place.length;
  return (
    <>
      {from > 0 && "…"}
      {text.slice(from, at)}
      <mark className="rounded-sm bg-attention-paper text-attention">{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
