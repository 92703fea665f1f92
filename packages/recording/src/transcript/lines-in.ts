import type { IBuffer, IBufferLine } from "@xterm/headless";
import { contentMask, wordsOf } from "./cell-words.ts";

const batchBytes = 64 * 1024;
const decoder = new TextDecoder();

/**
 * Some lines of a buffer, read together: a string of its own for each costs more than showing it did. Those of plain ASCII lie in
 * `bytes`, and become text when somebody asks. It is filled again with the next lines, so what is kept of it is copied.
 */
export class LineBatch {
  readonly bytes = new Uint8Array(batchBytes);
  count = 0;
  /** Two for each line: where it begins and ends in `bytes`, or -1. What is beyond the count is of lines before. */
  readonly #spans: number[] = [];
  readonly #others = new Map<number, string>();
  #used = 0;
  #decoded: string | undefined;

  /** Where the line begins in `bytes`; -1 for one that is not ASCII, or too long. */
  start(n: number): number {
    return this.#spans[2 * n] as number;
  }

  end(n: number): number {
    return this.#spans[2 * n + 1] as number;
  }

  text(n: number): string {
    const start = this.start(n);
    if (start < 0) return this.#others.get(n) ?? "";
    this.#decoded ??= decoder.decode(this.bytes.subarray(0, this.#used));
    return this.#decoded.slice(start, this.end(n));
  }

  isBlank(n: number): boolean {
    const end = this.end(n);
    if (end < 0) return this.text(n).trim() === "";
    for (let at = this.start(n); at < end; at++) if (this.bytes[at] !== 0x20) return false;
    return true;
  }

  clear(): void {
    this.count = 0;
    if (this.#others.size > 0) this.#others.clear();
    this.#used = 0;
    this.#decoded = undefined;
  }

  /** Whether another screen of lines fits. */
  get hasRoom(): boolean {
    return this.#used <= batchBytes / 2;
  }

  /** The line in these rows. */
  read(buffer: IBuffer, from: number, end: number, first: IBufferLine): void {
    let at = this.#used;
    let line: IBufferLine | undefined = first;
    for (let row = from; row < end && at >= 0; line = buffer.getLine(++row))
      at = line ? this.#gather(line, row === end - 1, at) : -1;
    const n = this.count++;
    this.#spans[2 * n] = at < 0 ? -1 : this.#used;
    this.#spans[2 * n + 1] = at;
    if (at < 0) this.#others.set(n, lineOf(buffer, from, end));
    else this.#used = at;
    this.#decoded = undefined;
  }

  /** Lays a row at `at`, without its blanks at the end where it is the last of its line. The end of it, or -1 where it does not fit or is not ASCII. */
  #gather(line: IBufferLine, isLast: boolean, at: number): number {
    const words = wordsOf(line);
    if (!words) return -1;
    let cells = line.length;
    if (isLast) cells = writtenCells(words, cells);
    const { bytes } = this;
    if (at + cells > bytes.length) return -1;
    let all = 0;
    for (let cell = 0, word = 0; cell < cells; cell++, word += 3) {
      const content = (words[word] as number) & contentMask;
      all |= content;
      bytes[at + cell] = content === 0 ? 0x20 : content;
    }
    return all > 0x7f ? -1 : at + cells;
  }
}

/** How many of so many cells are left without the blanks at the end. Those are most of a short line: four are looked at together. */
function writtenCells(words: Uint32Array, cells: number): number {
  let at = 3 * cells - 3;
  while (at >= 9) {
    const any = (words[at] as number) | (words[at - 3] as number);
    const more = (words[at - 6] as number) | (words[at - 9] as number);
    if (((any | more) & contentMask) !== 0) break;
    at -= 12;
  }
  while (at >= 0 && ((words[at] as number) & contentMask) === 0) at -= 3;
  return at / 3 + 1;
}

const batch = new LineBatch();

/** Hands out the lines of these rows, some at a time: a wrapped row continues the one above it. Whoever takes them reads no others meanwhile. */
export function eachLine(buffer: IBuffer, from: number, end: number, take: (lines: LineBatch) => void): void {
  batch.clear();
  let next = buffer.getLine(from);
  for (let row = from; row < end && next;) {
    const [first, line]: [number, IBufferLine] = [row, next];
    do next = ++row < end ? buffer.getLine(row) : undefined;
    while (next?.isWrapped === true);
    batch.read(buffer, first, row, line);
    if (batch.hasRoom) continue;
    take(batch);
    batch.clear();
  }
  if (batch.count > 0) take(batch);
}

export function linesIn(buffer: IBuffer, from: number, end: number): string[] {
  const all: string[] = [];
  eachLine(buffer, from, end, (lines) => {
    for (let n = 0; n < lines.count; n++) all.push(lines.text(n));
  });
  return all;
}

function lineOf(buffer: IBuffer, from: number, end: number): string {
  let text = "";
  // Where a row goes on below, its blanks at the end are part of the line.
  for (let row = from; row < end; row++)
    text += buffer.getLine(row)?.translateToString(row === end - 1) ?? "";
  return text;
}
