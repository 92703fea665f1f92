import { type Statement, statementsIn, valueText } from "@gatehouse/recording/query";
import { useMemo } from "react";
import { clockTime, duration } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import type { Reel } from "./reel.ts";

/** The statements, or nothing where a frame cannot be read: the page then says so. */
function readStatements(reel: Reel): Statement[] | undefined {
  try {
    return statementsIn(reel.frames);
  } catch {
    return undefined;
  }
}

/** What was run on a database: when, with which values, and what came of it. */
export function QueriesView({ reel }: { reel: Reel }) {
  const rows = useMemo(() => readStatements(reel), [reel]);
  if (rows === undefined) return <Empty title="The statements cannot be read" />;
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No statement was run" />;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
    <section tabIndex={0} aria-label="Statements" className="min-h-0 flex-1 overflow-auto">
      <table className="w-full">
        <thead className="sticky top-0 bg-paper text-xs text-faint">
          <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3">
            <th scope="col" className="text-end!">
              Time
            </th>
            <th scope="col">Statement</th>
            <th scope="col" className="text-end!">
              Rows
            </th>
            <th scope="col" className="text-end!">
              Took
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {rows.map((row) => (
            <tr
              key={`${row.stream}-${row.number}-${row.startedUs}`}
              className={`align-top [&>td]:px-3 [&>td]:py-1.5 ${row.error ? "text-danger" : ""}`}
            >
              <td className="text-end text-xs text-faint">{clockTime(row.startedUs)}</td>
              <td className="font-mono text-xs break-words whitespace-pre-wrap">
                {row.type === "cancel" ? "cancel" : row.text || "(not seen prepared)"}
                {row.values.length > 0 && (
                  <span className="block text-soft">
                    {row.values.map((value, i) => `$${i + 1}=${valueText(value)}`).join(", ")}
                  </span>
                )}
              </td>
              <td className="text-end whitespace-nowrap">{rowsOf(row)}</td>
              <td className="text-end whitespace-nowrap">
                {row.durationUs === undefined ? "–" : duration(row.durationUs / 1000)}
              </td>
              <td className="text-xs">{outcomeOf(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function rowsOf({ results }: Statement): string {
  const counted = results.flatMap(({ rows }) => rows ?? []);
  return counted.length === 0 ? "–" : String(counted.reduce((sum, rows) => sum + rows, 0));
}

function outcomeOf(row: Statement): string {
  if (row.error) return `${row.error.severity} ${row.error.code} ${row.error.message}`;
  if (row.discarded) return "not run: an error before it";
  if (row.suspended) return "rows are left";
  const tags = row.results.map(({ tag }) => tag).join(", ");
  return tags || (row.durationUs === undefined && row.type !== "cancel" ? "no outcome" : "");
}
