import type { IBuffer, IBufferLine } from "@xterm/headless";
import { contentMask, wordsOf } from "./cell-words.ts";

/** Lines of plain ASCII are gathered here and decoded together: a string of its own for each costs more than the terminal itself. */
const gathered = new Uint8Array(64 * 1024);
const decoder = new TextDecoder();

/** Lays a row at `at`, without its blanks at the end where it is the last of its line. The end of it, or -1 where it does not fit or is not ASCII. */
function gather(line: IBufferLine, isLast: boolean, at: number): number {
  const words = wordsOf(line);
  if (!words) return -1;
  let cells = line.length;
  if (isLast) while (cells > 0 && ((words[3 * cells - 3] as number) & contentMask) === 0) cells--;
  if (at + cells > gathered.length) return -1;
  for (let cell = 0; cell < cells; cell++) {
    const content = (words[3 * cell] as number) & contentMask;
    if (content > 0x7f) return -1;
    gathered[at + cell] = content === 0 ? 0x20 : content;
  }
  return at + cells;
}

/** The lines of these rows: a wrapped row continues the one above it. */
export function linesIn(buffer: IBuffer, from: number, end: number): string[] {
  const lines: string[] = [];
  /** Of the lines that are gathered: which, and where each begins and ends. */
  let spans: number[] = [];
  let used = 0;
  const decode = () => {
    if (spans.length === 0) return;
    const text = decoder.decode(gathered.subarray(0, used));
    for (let i = 0; i < spans.length; i += 3)
      lines[spans[i] as number] = text.slice(spans[i + 1], spans[i + 2]);
    spans = [];
    used = 0;
  };
  let next = buffer.getLine(from);
  for (let row = from; row < end && next;) {
    const first = row;
    let at = used;
    for (let line: IBufferLine | undefined = next; line; line = next) {
      next = ++row < end ? buffer.getLine(row) : undefined;
      const isLast: boolean = next?.isWrapped !== true;
      if (at >= 0) at = gather(line, isLast, at);
      if (isLast) break;
    }
    if (at < 0) lines.push(lineOf(buffer, first, row));
    else spans.push(lines.push("") - 1, used, at);
    if (at >= 0) used = at;
    // A line that does not fit any longer was read by itself; those after it begin anew.
    if (used > gathered.length / 2) decode();
  }
  decode();
  return lines;
}

function lineOf(buffer: IBuffer, from: number, end: number): string {
  let text = "";
  // Where a row goes on below, its blanks at the end are part of the line.
  for (let row = from; row < end; row++)
    text += buffer.getLine(row)?.translateToString(row === end - 1) ?? "";
  return text;
}
