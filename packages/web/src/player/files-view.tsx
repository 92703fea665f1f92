import type { WireFrame } from "@gatehouse/contracts/rest";
import { useMemo } from "react";
import { Identifier } from "../ui/elements.tsx";
import { bytes, clockTime } from "../ui/format.ts";
import { Empty, SkeletonRows } from "../ui/states.tsx";
import { numberOf, payload, textOf } from "./payload.ts";
import type { Reel } from "./reel.ts";

type Row = {
  seq: number;
  timeUs: number;
  op: string;
  path: string;
  target: string;
  moved: string;
  entries: number | undefined;
  sha256: string;
  failure: string | undefined;
};

/** What each operation did, in a word; a close says what passed while the file was open. */
function rowOf({ seq, timeUs, data }: WireFrame): Row {
  const said = payload(data);
  const read = numberOf(said["bytesRead"]) ?? 0;
  const written = numberOf(said["bytesWritten"]) ?? 0;
  const result = (said["result"] ?? {}) as { code?: unknown; message?: unknown };
  const op = textOf(said["op"]);
  return {
    seq,
    timeUs,
    op: op === "close" && written > 0 ? "wrote" : op === "close" && read > 0 ? "read" : op,
    path: textOf(said["path"]),
    target: textOf(said["target"]),
    moved: [read > 0 ? `↓ ${bytes(read)}` : "", written > 0 ? `↑ ${bytes(written)}` : ""]
      .filter(Boolean)
      .join(" "),
    entries: numberOf(said["entries"]),
    sha256: textOf(said["sha256"]),
    failure: result.code === 0 ? undefined : textOf(result.message) || `code ${String(result.code)}`,
  };
}

/** File operations as a table. */
export function FilesView({ reel }: { reel: Reel }) {
  const rows = useMemo(() => reel.frames.filter((frame) => frame.kind === "file").map(rowOf), [reel]);
  if (rows.length === 0)
    return reel.state === "loading" ? <SkeletonRows /> : <Empty title="No file was touched" />;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
    <section tabIndex={0} aria-label="File operations" className="min-h-0 flex-1 overflow-auto">
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
          {rows.map((row) => (
            <tr
              key={row.seq}
              className={`align-top [&>td]:px-3 [&>td]:py-1.5 ${row.failure ? "text-danger" : ""}`}
            >
              <td className="text-end text-xs text-faint">{clockTime(row.timeUs)}</td>
              <td className="whitespace-nowrap">{row.op}</td>
              <td className="font-mono text-xs leading-5 break-all">
                {row.path}
                {row.target && <span className="text-soft"> → {row.target}</span>}
                {row.failure && <span className="block font-sans">refused: {row.failure}</span>}
              </td>
              <td className="text-end whitespace-nowrap text-soft">
                {row.moved || (row.entries === undefined ? "" : `${row.entries} names`)}
              </td>
              <td className="max-md:hidden">{row.sha256 && <Identifier text={row.sha256} what="hash" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
