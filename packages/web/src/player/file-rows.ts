import type { WireFrame } from "@gatehouse/contracts/rest";
import { numberOf, payload, textOf } from "./payload.ts";

/** One file operation from its first word to its last; a file that was opened is one row until it was closed. */
export type FileRow = {
  seq: number;
  timeUs: number;
  /** What was done, in a word. */
  did: string;
  path: string;
  /** The other name of a rename or link, the answer of a realpath. */
  target: string;
  bytesRead: number;
  bytesWritten: number;
  entries: number | undefined;
  sha256: string;
  /** Why the hash is not that of the whole file. */
  partial: string;
  outcome: { is: "done" } | { is: "refused"; why: string } | { is: "unanswered" } | { is: "open" };
  /** Asked about something and changed nothing. */
  isLookup: boolean;
};

const lookups = new Set(["stat", "realpath", "readlink", "readdir", "opendir", "extended"]);

function wordOf(op: string, read: number, written: number): string {
  if (op !== "open" && op !== "close") return op;
  if (read > 0 && written > 0) return "read and wrote";
  if (written > 0) return "wrote";
  return read > 0 ? "read" : "opened";
}

export function fileRowsOf(frames: readonly WireFrame[]): FileRow[] {
  const rows: FileRow[] = [];
  const open = new Map<number, { row: FileRow; op: string }>();
  for (const frame of frames) {
    if (frame.kind !== "file") continue;
    const said = payload(frame.data);
    const op = textOf(said["op"]);
    const operation = numberOf(said["operation"]) ?? -frame.seq;
    const known = open.get(operation);
    const row: FileRow = known?.row ?? {
      seq: frame.seq,
      timeUs: frame.timeUs,
      did: op,
      path: textOf(said["path"]),
      target: "",
      bytesRead: 0,
      bytesWritten: 0,
      entries: undefined,
      sha256: "",
      partial: "",
      outcome: { is: "unanswered" },
      isLookup: lookups.has(op),
    };
    const began = known?.op ?? op;
    if (!known) rows.push(row);
    open.set(operation, { row, op: began });

    row.target = textOf(said["target"]) || row.target;
    row.bytesRead = numberOf(said["bytesRead"]) ?? row.bytesRead;
    row.bytesWritten = numberOf(said["bytesWritten"]) ?? row.bytesWritten;
    row.entries = numberOf(said["entries"]) ?? row.entries;
    row.sha256 = textOf(said["sha256"]) || row.sha256;
    row.partial = textOf(said["partial"]) || row.partial;
    row.did = wordOf(began, row.bytesRead, row.bytesWritten);
    row.outcome = outcomeOf(row.outcome, op, said);
  }
  return rows;
}

function outcomeOf(
  before: FileRow["outcome"],
  op: string,
  said: Record<string, unknown>,
): FileRow["outcome"] {
  const result = said["result"] as { code?: unknown; message?: unknown } | undefined;
  // What was refused stays refused, whatever is said of it later.
  if (before.is === "refused" || said["phase"] === "request") return before;
  if (!result) return { is: "unanswered" };
  if (result.code !== 0)
    return { is: "refused", why: textOf(result.message) || `code ${String(result.code)}` };
  return op === "open" || op === "opendir" ? { is: "open" } : { is: "done" };
}
