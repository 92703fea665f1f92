import type { IDisposable, IMarker, Terminal } from "@xterm/headless";
import { type IndexEvent, eventCharsMax } from "../index/mod.ts";

type Beginning = { marker: IMarker; column: number };

/** A command line of more rows than this was not meant to be one. */
const rowsMax = 200;

/**
 * Which lines were run. A shell with its integration on tells it (OSC 133: `B` where the prompt ends, `C` before the command's output).
 * Where none does, it is guessed: what stands after the place where the first key of a line was pressed, once Enter was pressed and
 * the cursor goes on to the next line. Only what was shown is ever told. What was typed is held against it alone: where plain keys were
 * not echoed, as those of a password, what stands there instead is no command but a program's answer.
 */
export class Commands {
  readonly #terminal: Terminal;
  readonly #tell: (event: IndexEvent) => void;
  readonly #nowUs: () => number;
  #isTold = false;
  #beginning: Beginning | undefined;
  #enteredUs: number | undefined;
  /** While a line was entered. Listening costs something with every line. */
  #listening: IDisposable | undefined;
  #keys = new Keys();
  /** What of the line stood above a notice. */
  #above = "";
  #isAside = false;

  constructor(terminal: Terminal, nowUs: () => number, tell: (event: IndexEvent) => void) {
    this.#terminal = terminal;
    this.#nowUs = nowUs;
    this.#tell = tell;
    terminal.parser.registerOscHandler(133, (said) => {
      this.#said(said);
      return false;
    });
  }

  /** Something was typed at this moment of the screen. */
  typed(data: Uint8Array, timeUs: number): void {
    if (this.#isTold || this.#terminal.buffer.active.type !== "normal") return;
    // ^C and ^D begin anew.
    if (data.length === 1 && (data[0] === 0x03 || data[0] === 0x04)) return this.forget();
    this.#beginning ??= this.#here();
    if (this.#enteredUs !== undefined) return;
    this.#keys.press(data);
    if (!(data.includes(0x0d) || data.includes(0x0a))) return;
    this.#enteredUs = timeUs;
    this.#listening = this.#terminal.onLineFeed(() => {
      if (!this.#isAside) this.#put(timeUs, "guessed");
    });
  }

  /** Somebody else has something to say between what is typed: the line goes on where that ends. */
  aside(isOver: boolean): void {
    this.#isAside = !isOver;
    if (!this.#beginning) return;
    if (!isOver) this.#above += this.#textFrom(this.#beginning, { toCursor: true }) ?? "";
    this.#beginning.marker.dispose();
    this.#beginning = this.#here();
  }

  /** Lines are wrapped anew: where one began is not known any longer. */
  forget(): void {
    this.#beginning?.marker.dispose();
    this.#beginning = undefined;
    this.#enteredUs = undefined;
    this.#listening?.dispose();
    this.#listening = undefined;
    this.#keys = new Keys();
    this.#above = "";
  }

  #said(said: string): void {
    switch (said[0]) {
      case "A":
      case "B":
        this.#isTold = true;
        this.forget();
        if (said[0] === "B") this.#beginning = this.#here();
        return;
      case "C":
        this.#put(this.#nowUs(), "shell");
        return;
      default:
    }
  }

  #here(): Beginning | undefined {
    if (this.#terminal.buffer.active.type !== "normal") return undefined;
    const marker = this.#terminal.registerMarker(0);
    return marker && { marker, column: this.#terminal.buffer.active.cursorX };
  }

  #put(timeUs: number, source: "shell" | "guessed"): void {
    const below = this.#beginning && this.#textFrom(this.#beginning);
    const text = below === undefined ? undefined : (this.#above + below).trim();
    const isEchoed = source === "shell" || this.#keys.areIn(text ?? "");
    this.forget();
    if (text !== undefined && text !== "" && isEchoed)
      this.#tell({ timeUs, kind: "command", text: text.slice(0, eventCharsMax).toWellFormed(), source });
  }

  /** From there to the line that the cursor is on; of that too, where the cursor is yet in it. */
  #textFrom({ marker, column }: Beginning, { toCursor = false } = {}): string | undefined {
    const buffer = this.#terminal.buffer.active;
    if (marker.line < 0 || buffer.type !== "normal") return undefined;
    const cursorRow = buffer.baseY + buffer.cursorY;
    const end = Math.min(marker.line + rowsMax, cursorRow);
    const read = (row: number, from: number) =>
      toCursor && row === cursorRow
        ? buffer.getLine(row)?.translateToString(false, from, buffer.cursorX)
        : buffer.getLine(row)?.translateToString(true, from);
    let text = read(marker.line, column) ?? "";
    for (let row = marker.line + 1; row <= end; row++) {
      const line = buffer.getLine(row);
      if (!line || (row === cursorRow && !line.isWrapped)) break;
      text += `${line.isWrapped ? "" : "\n"}${read(row, 0) ?? ""}`;
    }
    return text;
  }
}

/** The keys of a line, as far as they are plain: one that moves, completes or recalls makes what is run another thing. */
class Keys {
  readonly #decoder = new TextDecoder();
  #text: string | undefined = "";

  press(data: Uint8Array): void {
    for (const char of this.#decoder.decode(data, { stream: true })) {
      if (this.#text === undefined || char === "\r" || char === "\n") return;
      if (char === "\u007f" || char === "\b") this.#text = this.#text.slice(0, -1);
      else if (char === "\u0015") this.#text = "";
      else this.#text = char < " " ? undefined : this.#text + char;
    }
  }

  /** Whether they were echoed, as far as that can be told. */
  areIn(shown: string): boolean {
    if (this.#text === undefined) return true;
    const bare = (text: string) => text.replaceAll(/\s+/g, "");
    const keys = bare(this.#text);
    return keys !== "" && bare(shown).includes(keys);
  }
}
