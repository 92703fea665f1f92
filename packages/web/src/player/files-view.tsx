import { useMemo, useState } from "react";
import { Identifier } from "../ui/elements.tsx";
import { bytes, clockTime } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import { type FileRow, fileRowsOf } from "./file-rows.ts";
import type { Reel } from "./reel.ts";

/** File operations as a table: what was moved and changed; what only asked is there when it is asked for. */
export function FilesView({ reel }: { reel: Reel }) {
  const [all, setAll] = useState(false);
  const rows = useMemo(() => fileRowsOf(reel.frames), [reel]);
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No file was touched" />;
  const shown = all ? rows : rows.filter((row) => !row.isLookup);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
    <section tabIndex={0} aria-label="File operations" className="min-h-0 flex-1 overflow-auto">
      <label className="flex h-9 items-center gap-2 border-b px-3 text-soft">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => setAll(event.target.checked)}
          className="accent-accent"
        />
        Also what only asked ({rows.length - rows.filter((row) => !row.isLookup).length})
      </label>
      <table className="w-full">
        <thead className="sticky top-0 bg-paper text-xs text-faint">
          <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3">
            <th scope="col" className="text-end!">
              At
            </th>
            <th scope="col">Did</th>
            <th scope="col">Path</th>
            <th scope="col" className="text-end!">
              Bytes
            </th>
            <th scope="col" className="max-md:hidden">
              SHA-256
            </th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {shown.map((row) => (
            <FileLine key={row.seq} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FileLine({ row }: { row: FileRow }) {
  const { outcome } = row;
  return (
    <tr
      className={`align-top [&>td]:px-3 [&>td]:py-1.5 ${outcome.is === "refused" && !row.isLookup ? "text-danger" : ""}`}
    >
      <td className="figures text-end text-xs leading-5 text-faint">{clockTime(row.timeUs)}</td>
      <td className="whitespace-nowrap">{row.did}</td>
      <td className="font-mono text-xs leading-5 break-all">
        {row.path}
        {row.target && <span className="text-soft"> → {row.target}</span>}
        {outcome.is === "refused" && <span className="block font-sans">refused: {outcome.why}</span>}
        {outcome.is === "unanswered" && (
          <span className="block font-sans text-attention">never answered</span>
        )}
        {outcome.is === "open" && !row.isLookup && (
          <span className="block font-sans text-attention">not closed</span>
        )}
      </td>
      <td className="figures text-end whitespace-nowrap text-soft">
        {row.bytesRead > 0 && <span className="block">↓ {bytes(row.bytesRead)}</span>}
        {row.bytesWritten > 0 && <span className="block">↑ {bytes(row.bytesWritten)}</span>}
        {row.entries !== undefined && `${row.entries} names`}
      </td>
      <td className="max-md:hidden">
        {row.sha256 && <Identifier text={row.sha256} what="hash" />}
        {row.partial && (
          <span className="block text-xs text-attention">not of the whole file: {row.partial}</span>
        )}
      </td>
    </tr>
  );
}
