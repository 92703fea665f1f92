import type { Terminal } from "@xterm/headless";
import { type AsciiLine, type IndexedLine, lineCharsMax } from "../index/mod.ts";
import { type LineBatch, linesIn } from "../transcript/lines-in.ts";
import type { Gone } from "../transcript/shown-lines.ts";

/** A screen has no more lines than people's have rows. */
const toldMax = 1_000;

type Seen = { fromUs: number; seenUs: number };

/** Lines of a screen by their text. Most that are asked for are not there, which their length tells without making a string of them. */
class SeenLines extends Map<string, Seen> {
  /** How many have each length, or one that is 256 more. */
  readonly #lengths = new Uint16Array(256);

  put(text: string, seen: Seen): void {
    this.set(text, seen);
    this.#count(text, 1);
  }

  remove(text: string): void {
    if (this.delete(text)) this.#count(text, -1);
  }

  of(lines: LineBatch, n: number): Seen | undefined {
    const end = lines.end(n);
    if (this.size === 0 || (end >= 0 && this.#lengths[(end - lines.start(n)) & 255] === 0)) return undefined;
    return this.get(lines.text(n));
  }

  #count(text: string, by: number): void {
    const at = text.length & 255;
    this.#lengths[at] = (this.#lengths[at] as number) + by;
  }
}

/**
 * The text of a screen with its times. Lines that scroll off are told of by whoever takes them; what is overwritten in place is seen by
 * looking at the screen whenever it stands still. A line that grows, as one that is being typed does, is one line.
 */
export class ScreenText {
  readonly #terminal: Terminal;
  readonly #tell: (line: IndexedLine | AsciiLine) => void;
  readonly #seen = { normal: new SeenLines(), alternate: new SeenLines() };
  /** Told since the last look: what one of them begins with was the same line, growing. */
  #told: string[] = [];

  constructor(terminal: Terminal, tell: (line: IndexedLine | AsciiLine) => void) {
    this.#terminal = terminal;
    this.#tell = tell;
  }

  /** Takes the screen as it stands. */
  look(nowUs: number): void {
    const buffer = this.#terminal.buffer.active;
    // A full-screen program has ended: its last screen is gone.
    if (buffer.type === "normal") this.#flush("alternate");
    const before = this.#seen[buffer.type];
    const now = new SeenLines();
    let top = buffer.baseY;
    while (top > 0 && buffer.getLine(top)?.isWrapped) top--;
    for (const text of linesIn(buffer, top, buffer.baseY + this.#terminal.rows)) {
      if (text.trim() === "" || now.has(text)) continue;
      now.put(text, { fromUs: before.get(text)?.fromUs ?? nowUs, seenUs: nowUs });
    }
    const isGrown = (text: string) => {
      for (const one of now.keys()) if (one.startsWith(text)) return true;
      return this.#told.some((one) => one.startsWith(text));
    };
    for (const [text, seen] of before)
      if (!now.has(text) && !isGrown(text)) this.#put(text, seen.fromUs, seen.seenUs);
    this.#seen[buffer.type] = now;
    this.#told = [];
  }

  /**
   * Lines are gone, and of those that nobody looked at before is known that they were there at `readUs` at the latest. What was cleared
   * and is there again at the next look did not go.
   */
  gone(lines: LineBatch, why: Gone, nowUs: number, readUs: number): void {
    const seen = this.#seen[why === "scrolled" ? "normal" : this.#terminal.buffer.active.type];
    for (let n = 0; n < lines.count; n++) {
      if (lines.isBlank(n)) continue;
      const known = seen.of(lines, n);
      if (known) {
        if (why === "cleared") continue;
        seen.remove(lines.text(n));
      }
      if (this.#told.length < toldMax) this.#told.push(lines.text(n));
      const fromUs = known?.fromUs ?? readUs;
      const start = lines.start(n);
      const end = lines.end(n);
      if (start < 0 || end - start > lineCharsMax) this.#put(lines.text(n), fromUs, nowUs);
      else this.#tell({ fromUs, toUs: Math.max(fromUs, nowUs), bytes: lines.bytes, start, end });
    }
  }

  finish(): void {
    this.#flush("alternate");
    this.#flush("normal");
  }

  #flush(which: "normal" | "alternate"): void {
    for (const [text, { fromUs, seenUs }] of this.#seen[which]) this.#put(text, fromUs, seenUs);
    this.#seen[which] = new SeenLines();
  }

  #put(text: string, fromUs: number, toUs: number): void {
    const seenUs = Math.max(fromUs, toUs);
    if (text.length <= lineCharsMax) return this.#tell({ fromUs, toUs: seenUs, text: text.toWellFormed() });
    for (let at = 0; at < text.length; at += lineCharsMax)
      this.#tell({ fromUs, toUs: seenUs, text: text.slice(at, at + lineCharsMax).toWellFormed() });
  }
}
