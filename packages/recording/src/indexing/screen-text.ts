import type { Terminal } from "@xterm/headless";
import { type IndexedLine, lineCharsMax } from "../index/mod.ts";
import { linesIn } from "../transcript/lines-in.ts";
import type { Gone } from "../transcript/shown-lines.ts";

/** A screen has no more lines than people's have rows. */
const toldMax = 1_000;

type Seen = { fromUs: number; seenUs: number };

/**
 * The text of a screen with its times. Lines that scroll off are told of by whoever takes them; what is overwritten in place is seen by
 * looking at the screen whenever it stands still. A line that grows, as one that is being typed does, is one line.
 */
export class ScreenText {
  readonly #terminal: Terminal;
  readonly #tell: (line: IndexedLine) => void;
  readonly #seen: Record<"normal" | "alternate", Map<string, Seen>> = {
    normal: new Map(),
    alternate: new Map(),
  };
  /** Told since the last look: what one of them begins with was the same line, growing. */
  #told: string[] = [];

  constructor(terminal: Terminal, tell: (line: IndexedLine) => void) {
    this.#terminal = terminal;
    this.#tell = tell;
  }

  /** Takes the screen as it stands. */
  look(nowUs: number): void {
    const buffer = this.#terminal.buffer.active;
    // A full-screen program has ended: its last screen is gone.
    if (buffer.type === "normal") this.#flush("alternate");
    const before = this.#seen[buffer.type];
    const now = new Map<string, Seen>();
    let top = buffer.baseY;
    while (top > 0 && buffer.getLine(top)?.isWrapped) top--;
    for (const text of linesIn(buffer, top, buffer.baseY + this.#terminal.rows)) {
      if (isBlank(text) || now.has(text)) continue;
      now.set(text, { fromUs: before.get(text)?.fromUs ?? nowUs, seenUs: nowUs });
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
   * A line is gone, and nobody looked at it before: it was there at `readUs` at the latest. What was cleared and is there again at the
   * next look did not go.
   */
  gone(text: string, why: Gone, nowUs: number, readUs: number): void {
    if (isBlank(text)) return;
    const seen = this.#seen[why === "scrolled" ? "normal" : this.#terminal.buffer.active.type];
    const known = seen.size === 0 ? undefined : seen.get(text);
    if (known) {
      if (why === "cleared") return;
      seen.delete(text);
    }
    if (this.#told.length < toldMax) this.#told.push(text);
    this.#put(text, known?.fromUs ?? readUs, nowUs);
  }

  finish(): void {
    this.#flush("alternate");
    this.#flush("normal");
  }

  #flush(which: "normal" | "alternate"): void {
    for (const [text, { fromUs, seenUs }] of this.#seen[which]) this.#put(text, fromUs, seenUs);
    this.#seen[which].clear();
  }

  #put(text: string, fromUs: number, toUs: number): void {
    const seenUs = Math.max(fromUs, toUs);
    if (text.length <= lineCharsMax) return this.#tell({ fromUs, toUs: seenUs, text: text.toWellFormed() });
    for (let at = 0; at < text.length; at += lineCharsMax)
      this.#tell({ fromUs, toUs: seenUs, text: text.slice(at, at + lineCharsMax).toWellFormed() });
  }
}

/** Most lines begin with a letter, and then nothing else of them needs to be looked at. */
function isBlank(text: string): boolean {
  const first = text.charCodeAt(0);
  return !(first > 0x20 && first < 0x7f) && text.trim() === "";
}
