import { ChevronDown, ChevronUp, Search } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { IconButton } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { Empty } from "../ui/states.tsx";
import type { ShownLine } from "./transcript.ts";

const rowPx = 24;
const overscanRows = 20;

/** The words to look for, and a step through where they stand. */
export function FindBar({
  words,
  hits,
  timeUs,
  onFind,
  onChoose,
}: {
  words: string;
  hits: readonly ShownLine[];
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
        placeholder="Find in this recording"
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
            {hits.length === 0 ? "not found" : `${place} of ${hits.length}`}
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
export function TranscriptList(shown: Shown) {
  if (shown.lines.length > 0) return <Rows {...shown} />;
  return (
    <Empty title={shown.words === "" ? "Nothing was shown" : "Not found"}>
      {shown.words !== "" && <p>No line that was shown holds these words.</p>}
    </Empty>
  );
}

type Shown = {
  lines: readonly ShownLine[];
  words: string;
  timeUs: number;
  onChoose: (timeUs: number) => void;
};

function Rows({ lines, words, timeUs, onChoose }: Shown) {
  const list = useRef<HTMLOListElement>(null);
  const [sight, setSight] = useState({ first: 0, count: 60 });
  const current = lastUpTo(lines, timeUs);
  useEffect(() => {
    const room = list.current?.parentElement;
    if (!room) return;
    const look = () =>
      setSight({
        first: Math.max(0, Math.floor(room.scrollTop / rowPx) - overscanRows),
        count: Math.ceil(Math.min(room.clientHeight, 2000) / rowPx) + 2 * overscanRows,
      });
    look();
    room.addEventListener("scroll", look, { passive: true });
    return () => room.removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    const room = list.current?.parentElement;
    if (!room || room.scrollHeight <= room.clientHeight) return;
    room.scrollTo({ top: current * rowPx - room.clientHeight / 2, behavior: "auto" });
  }, [current]);
  const last = Math.min(lines.length, sight.first + sight.count);
  return (
    <ol ref={list} className="relative" style={{ height: lines.length * rowPx }}>
      {lines.slice(sight.first, last).map((line, i) => {
        const index = sight.first + i;
        return (
          <li key={index} className="absolute inset-x-0" style={{ top: index * rowPx, height: rowPx }}>
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
                {marked(line.text, words)}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

function lastUpTo(lines: readonly ShownLine[], timeUs: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lines[middle]?.timeUs ?? 0) <= timeUs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The words in the line stand out; a line is shown from a little before them. */
function marked(text: string, words: string): ReactNode {
  const at = words === "" ? -1 : text.toLowerCase().indexOf(words.trim().toLowerCase());
  if (at < 0) return text;
  const from = at > 24 ? at - 16 : 0;
  const end = at + words.trim().length;
  return (
    <>
      {from > 0 && "…"}
      {text.slice(from, at)}
      <mark className="rounded-sm bg-attention-paper text-attention">{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
