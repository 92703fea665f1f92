import type { Statement } from "@gatehouse/recording/query";
import { LockKeyhole } from "lucide-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { preciseTime } from "../ui/format.ts";
import { StatementText } from "./statement-text.tsx";
import { hasRun, outcomeWords, rowsWords, tookWords } from "./statement-words.ts";

const rowPx = 34;
const headPx = 32;
const overscanRows = 20;
/** What fits into a row, however wide: the whole text stands below it. */
const rowCharsMax = 400;

/** The statements as a table of which only the rows in sight are made: a migration may run a hundred thousand. */
export function StatementList({
  rows,
  current,
  playedTo,
  onChoose,
}: {
  rows: readonly Statement[];
  current: number;
  /** Of a recording that is played: what comes after is not there yet. */
  playedTo: number | undefined;
  onChoose: (index: number) => void;
}) {
  const room = useRef<HTMLElement>(null);
  const [sight, setSight] = useState({ first: 0, last: 60 });
  const look = useEffectEvent(() => {
    const { scrollTop = 0, clientHeight = 0 } = room.current ?? {};
    const first = Math.max(0, Math.floor(scrollTop / rowPx) - overscanRows);
    const last = first + Math.ceil(Math.min(clientHeight, 4000) / rowPx) + 2 * overscanRows;
    if (first !== sight.first || last !== sight.last) setSight({ first, last });
  });
  useEffect(() => {
    if (!room.current) return;
    const watch = new ResizeObserver(() => look());
    watch.observe(room.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const { current: list } = room;
    if (!list || current < 0) return;
    const top = current * rowPx;
    const inSight = list.clientHeight - headPx - rowPx;
    // Only as far as it takes to see it: the list must not move under somebody's hand.
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + inSight) list.scrollTop = top - inSight;
  }, [current]);
  const shown = rows.slice(sight.first, sight.last);
  const after = Math.max(0, rows.length - sight.last);
  return (
    <section
      ref={room}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
      tabIndex={0}
      aria-label="Statements"
      onScroll={() => look()}
      className="relative min-h-0 flex-1 overflow-auto"
    >
      <table className="w-full table-fixed" aria-rowcount={rows.length + 1}>
        <thead className="sticky top-0 z-10 bg-paper text-xs text-faint">
          <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3" aria-rowindex={1}>
            <th scope="col" className="w-24 text-end!">
              Time
            </th>
            <th scope="col">Statement</th>
            <th scope="col" className="w-20 text-end! max-sm:hidden">
              Rows
            </th>
            <th scope="col" className="w-20 text-end!">
              Took
            </th>
            <th scope="col" className="w-1/5 max-sm:hidden">
              Outcome
            </th>
          </tr>
        </thead>
        <tbody>
          {sight.first > 0 && (
            <tr aria-hidden style={{ height: sight.first * rowPx }}>
              {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label -- room for the rows above, and nothing else */}
              <td colSpan={5} />
            </tr>
          )}
          {shown.map((row, i) => {
            const index = sight.first + i;
            const isToCome = playedTo !== undefined && row.startedUs > playedTo;
            return (
              // The whole row is a larger place to click; the button in it is what the keyboard and a reader of the page use.
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
              <tr
                key={index}
                aria-rowindex={index + 2}
                aria-current={index === current || undefined}
                onClick={() => onChoose(index)}
                style={{ height: rowPx }}
                className={`cursor-pointer hover:bg-hover aria-current:bg-chosen [&>td]:border-b [&>td]:px-3 ${isToCome ? "opacity-45" : ""}`}
              >
                <td className="text-end">
                  <button
                    type="button"
                    title="Go to this statement"
                    onClick={(event) => {
                      event.stopPropagation();
                      onChoose(index);
                    }}
                    className="figures rounded text-xs text-faint hover:text-ink hover:underline"
                  >
                    {preciseTime(row.startedUs)}
                  </button>
                </td>
                <td
                  className={`truncate font-mono text-xs ${row.error ? "text-danger" : hasRun(row) ? "" : "text-soft"}`}
                  title={row.text.length > 60 ? row.text.slice(0, 1000) : undefined}
                >
                  {row.masked && (
                    <LockKeyhole
                      size={12}
                      aria-label="Secrets are masked"
                      className="mr-1 inline align-[-1px] text-attention"
                    />
                  )}
                  <StatementText row={row} charsMax={rowCharsMax} />
                </td>
                <td className="figures text-end whitespace-nowrap max-sm:hidden">{rowsWords(row)}</td>
                <td className="figures text-end whitespace-nowrap">{tookWords(row)}</td>
                <td
                  className={`truncate text-xs max-sm:hidden ${row.error ? "text-danger" : "text-soft"}`}
                  title={outcomeWords(row)}
                >
                  {outcomeWords(row)}
                </td>
              </tr>
            );
          })}
          {after > 0 && (
            <tr aria-hidden style={{ height: after * rowPx }}>
              {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label -- and for those below */}
              <td colSpan={5} />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}
