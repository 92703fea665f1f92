import type { IDisposable, IMarker, Terminal } from "@xterm/headless";
import { type IndexEvent, eventCharsMax } from "../index/mod.ts";

type Beginning = { marker: IMarker; column: number };

/** A command line of more rows than this was not meant to be one. */
const rowsMax = 200;

/**
 * Which lines were run. A shell with its integration on tells it (OSC 133: `B` where the prompt ends, `C` before the command's output).
 * Where none does, it is guessed: what stands after the place where the first key of a line was pressed, once Enter was pressed and
 * the cursor goes on to the next line. What was typed is not looked at but for Enter, so what was not echoed is in nothing.
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
    if (this.#enteredUs !== undefined || !(data.includes(0x0d) || data.includes(0x0a))) return;
    this.#enteredUs = timeUs;
    this.#listening = this.#terminal.onLineFeed(() => this.#put(timeUs, "guessed"));
  }

  /** Lines are wrapped anew: where one began is not known any longer. */
  forget(): void {
    this.#beginning?.marker.dispose();
    this.#beginning = undefined;
    this.#enteredUs = undefined;
    this.#listening?.dispose();
    this.#listening = undefined;
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
    const text = this.#beginning && this.#textFrom(this.#beginning);
    this.forget();
    if (text !== undefined && text !== "")
      this.#tell({ timeUs, kind: "command", text: text.slice(0, eventCharsMax).toWellFormed(), source });
  }

  /** From there to the cursor. */
  #textFrom({ marker, column }: Beginning): string | undefined {
    const buffer = this.#terminal.buffer.active;
    if (marker.line < 0 || buffer.type !== "normal") return undefined;
    const cursorRow = buffer.baseY + buffer.cursorY;
    const end = Math.min(marker.line + rowsMax, cursorRow);
    let text = buffer.getLine(marker.line)?.translateToString(true, column) ?? "";
    for (let row = marker.line + 1; row <= end; row++) {
      const line = buffer.getLine(row);
      if (!line || (row === cursorRow && !line.isWrapped)) break;
      text += `${line.isWrapped ? "" : "\n"}${line.translateToString(true)}`;
    }
    return text.trim();
  }
}
