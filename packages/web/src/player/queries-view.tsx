import { type Statement, keptLines, statementsIn, valueText } from "@gatehouse/recording/query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../ui/elements.tsx";
import { Committed } from "../ui/filters.tsx";
import { clockTime, count, duration } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import type { Reel } from "./reel.ts";
import { StatementStrip } from "./statement-strip.tsx";
import { textPieces } from "./statement-text.ts";

/** Rows that stand in the page at first, and that each wish for more adds: a migration may run a hundred thousand. */
const rowsStep = 500;
/** Of what was kept, in one row of the page. */
const keptLinesMax = 1000;
const slowUs = 1_000_000;

/** The statements, or nothing where a frame cannot be read: the page then says so. */
function readStatements(reel: Reel): Statement[] | undefined {
  try {
    return statementsIn(reel.frames);
  } catch {
    return undefined;
  }
}

const kinds = ["all", "failed", "slow"] as const;
type Kind = (typeof kinds)[number];
const kindWords: Record<Kind, string> = { all: "All", failed: "Failed", slow: "Over a second" };

function holds(row: Statement, words: string): boolean {
  const wanted = words.toLowerCase();
  return (
    row.text.toLowerCase().includes(wanted) ||
    row.values.some((value) => valueText(value).toLowerCase().includes(wanted)) ||
    outcomeOf(row).toLowerCase().includes(wanted)
  );
}

/** What was run on a database: when, with which values, and what came of it. */
export function QueriesView({
  reel,
  startUs,
  find,
  onFind,
  onPlace,
}: {
  reel: Reel;
  startUs: number | undefined;
  /** Words that a statement, one of its values or its outcome must hold. */
  find: string;
  onFind: (words: string) => void;
  onPlace: (timeUs: number) => void;
}) {
  const rows = useMemo(() => readStatements(reel), [reel]);
  const [kind, setKind] = useState<Kind>("all");
  const [timeUs, setTimeUs] = useState(startUs ?? -1);
  const fitting = useMemo(
    () =>
      (rows ?? []).filter(
        (row) =>
          (kind === "all" || (kind === "failed" ? row.error : (row.durationUs ?? 0) >= slowUs)) &&
          (find === "" || holds(row, find)),
      ),
    [rows, kind, find],
  );
  if (rows === undefined) return <Empty title="The statements cannot be read" />;
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No statement was run" />;
  const choose = (us: number) => {
    const row = fitting.findLast((one) => one.startedUs <= us) ?? fitting[0];
    if (!row) return;
    setTimeUs(row.startedUs);
    onPlace(row.startedUs);
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div role="group" aria-label="Statements shown" className="flex flex-wrap items-center gap-2 px-3 py-2">
        <Committed label="Text, value or outcome" value={find} onCommit={onFind} className="w-56" />
        {kinds.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={kind === one}
            onClick={() => setKind(one)}
            className="h-8 rounded-md px-2 text-soft hover:bg-hover aria-pressed:bg-chosen aria-pressed:text-ink"
          >
            {kindWords[one]}
          </button>
        ))}
        <p role="status" className="ml-auto text-xs text-soft">
          {fitting.length === rows.length
            ? `${count(rows.length)} statements`
            : `${count(fitting.length)} of ${count(rows.length)}`}
        </p>
      </div>
      <StatementStrip rows={fitting} endUs={reel.endUs} timeUs={Math.max(0, timeUs)} onChoose={choose} />
      {fitting.length === 0 ? (
        <Empty title="No statement fits">
          <p>Take the words or the choice away to see all of them.</p>
        </Empty>
      ) : (
        <StatementTable rows={fitting} timeUs={timeUs} onChoose={choose} />
      )}
    </div>
  );
}

function StatementTable({
  rows,
  timeUs,
  onChoose,
}: {
  rows: readonly Statement[];
  timeUs: number;
  onChoose: (timeUs: number) => void;
}) {
  const room = useRef<HTMLElement>(null);
  const [wanted, setWanted] = useState(rowsStep);
  const current = rows.findLastIndex((row) => row.startedUs <= timeUs);
  // What somebody was led to is there, however far down.
  const shown = Math.max(wanted, current + 20);
  useEffect(() => {
    const row = room.current?.querySelectorAll("tbody tr")[current];
    row?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    <section
      ref={room}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
      tabIndex={0}
      aria-label="Statements"
      className="min-h-0 flex-1 overflow-auto"
    >
      <table className="w-full">
        <thead className="sticky top-0 bg-paper text-xs text-faint">
          <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3">
            <th scope="col" className="text-end!">
              Time
            </th>
            <th scope="col">Statement</th>
            <th scope="col" className="text-end! max-sm:hidden">
              Rows
            </th>
            <th scope="col" className="text-end! max-sm:hidden">
              Took
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {rows.slice(0, shown).map((row, index) => (
            <tr
              key={`${row.stream}-${row.number}-${row.startedUs}`}
              aria-current={index === current || undefined}
              className="align-top aria-current:bg-chosen [&>td]:px-3 [&>td]:py-1.5"
            >
              <td className="text-end">
                <button
                  type="button"
                  title="A link to this moment"
                  onClick={() => onChoose(row.startedUs)}
                  className="figures rounded text-xs text-faint hover:text-ink hover:underline"
                >
                  {clockTime(row.startedUs)}
                </button>
              </td>
              <td className="font-mono text-xs break-words whitespace-pre-wrap">
                <StatementText row={row} />
                <Kept row={row} />
              </td>
              <td className="figures text-end whitespace-nowrap max-sm:hidden">{rowsOf(row)}</td>
              <td className="figures text-end whitespace-nowrap max-sm:hidden">
                {row.durationUs === undefined ? "–" : tookWords(row.durationUs)}
              </td>
              <td className={`text-xs ${row.error ? "text-danger" : "text-soft"}`}>{outcomeOf(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <div className="grid place-items-center p-3">
          <Button onClick={() => setWanted(shown + rowsStep)}>More: {count(rows.length - shown)} left</Button>
        </div>
      )}
    </section>
  );
}

/** With each value where it was bound; those that stand nowhere in the text follow it. */
function StatementText({ row }: { row: Statement }) {
  if (row.type === "cancel") return "cancel";
  if (row.text === "") return "(not seen prepared)";
  const pieces = textPieces(row.text, row.values.length);
  const placed = new Set(pieces.map(({ parameter }) => parameter));
  const others = row.values.flatMap((value, i) =>
    placed.has(i + 1) ? [] : [`$${i + 1}=${valueText(value)}`],
  );
  return (
    <>
      {pieces.map(({ at, text, parameter }) => {
        const value = parameter === undefined ? undefined : row.values[parameter - 1];
        return value ? (
          <span key={at} title={text} className="rounded-sm bg-sunken px-0.5 text-accent">
            {valueText(value)}
          </span>
        ) : (
          <span key={at}>{text}</span>
        );
      })}
      {row.cut && <span className="text-attention"> (cut in the recording)</span>}
      {others.length > 0 && <span className="block text-soft">{others.join(", ")}</span>}
    </>
  );
}

/** What the recording kept of rows and copies, where the target's policy says so. */
function Kept({ row }: { row: Statement }) {
  const lines = keptLines(row);
  if (lines.length === 0) return null;
  return (
    <details className="mt-1">
      <summary className="cursor-pointer text-soft">Kept content: {count(lines.length)} lines</summary>
      <pre className="mt-1 max-h-64 overflow-auto rounded bg-sunken p-2 text-xs">
        {lines.slice(0, keptLinesMax).join("\n")}
        {lines.length > keptLinesMax && `\n(${count(lines.length - keptLinesMax)} more in an export)`}
      </pre>
    </details>
  );
}

/** Most statements take less than a second, so tenths of one would say nothing. */
function tookWords(us: number): string {
  if (us >= slowUs) return duration(us / 1000);
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}

function rowsOf({ results }: Statement): string {
  const counted = results.flatMap(({ rows }) => rows ?? []);
  return counted.length === 0 ? "–" : count(counted.reduce((sum, rows) => sum + rows, 0));
}

function outcomeOf(row: Statement): string {
  if (row.error) return `${row.error.severity} ${row.error.code} ${row.error.message}`;
  if (row.discarded) return "not run: an error before it";
  if (row.suspended) return "rows are left";
  const tags = row.results.map(({ tag }) => tag).join(", ");
  return tags || (row.durationUs === undefined && row.type !== "cancel" ? "no outcome" : "");
}
