import { useMemo, useState } from "react";
import { Identifier } from "../ui/elements.tsx";
import { bytes } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import { type FileRow, fileRowsOf } from "./file-rows.ts";
import type { Reel } from "./reel.ts";
import { type Led, type Step, StepTime, Stepped } from "./stepped.tsx";

/** File operations as a table: what was moved and changed; what only asked is there when it is asked for. */
export function FilesView({ reel, ...led }: Led & { reel: Reel }) {
  const [all, setAll] = useState(false);
  const rows = useMemo(() => fileRowsOf(reel.frames), [reel]);
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No file was touched" />;
  return <FileTable rows={rows} all={all} onAll={setAll} endUs={reel.endUs} {...led} />;
}

function FileTable({
  rows,
  all,
  onAll,
  endUs,
  ...led
}: Led & { rows: readonly FileRow[]; all: boolean; onAll: (all: boolean) => void; endUs: number }) {
  const shown = useMemo(() => (all ? rows : rows.filter((row) => !row.isLookup)), [rows, all]);
  const steps = useMemo(() => shown.map(stepOf), [shown]);
  return (
    <Stepped what="operation" steps={steps} endUs={endUs} {...led}>
      {(current, choose) => (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        <section tabIndex={0} aria-label="File operations" className="min-h-0 flex-1 overflow-auto">
          <label className="flex h-9 items-center gap-2 border-b px-3 text-soft">
            <input
              type="checkbox"
              checked={all}
              onChange={(event) => onAll(event.target.checked)}
              className="accent-accent"
            />
            Also what only asked ({rows.length - rows.filter((row) => !row.isLookup).length})
          </label>
          <table className="w-full">
            <thead className="sticky top-0 bg-paper text-xs text-faint">
              <tr className="[&>th]:h-8 [&>th]:border-b [&>th]:px-3 max-sm:[&>th]:px-2">
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
              {shown.map((row, i) => (
                <FileLine key={row.seq} row={row} isCurrent={i === current} onChoose={() => choose(i)} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Stepped>
  );
}

function stepOf({ timeUs, did, path, outcome, isLookup }: FileRow): Step {
  return { timeUs, text: `${did} ${path}`, isBad: outcome.is === "refused" && !isLookup };
}

function FileLine({ row, isCurrent, onChoose }: { row: FileRow; isCurrent: boolean; onChoose: () => void }) {
  const { outcome } = row;
  return (
    // The whole row is a larger place to click; the button in it is what the keyboard and a reader of the page use.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <tr
      aria-current={isCurrent || undefined}
      onClick={onChoose}
      className={`scroll-mt-9 cursor-pointer align-top hover:bg-hover aria-current:bg-chosen [&>td]:px-3 [&>td]:py-1.5 max-sm:[&>td]:px-2 ${outcome.is === "refused" && !row.isLookup ? "text-danger" : ""}`}
    >
      <td className="text-end">
        <StepTime timeUs={row.timeUs} onChoose={onChoose} />
      </td>
      <td className="whitespace-nowrap">{row.did}</td>
      <td className="font-mono text-xs leading-5">
        <span className="break-all">{row.path}</span>
        {row.target && <span className="break-all text-soft"> → {row.target}</span>}
        {outcome.is === "refused" && (
          <span className="block font-sans break-words">refused: {outcome.why}</span>
        )}
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
