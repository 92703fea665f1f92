import type { Clock, Timer } from "@gatehouse/kernel";
import { type Machine, completions, runLine } from "./commands.ts";
import { home } from "./file-tree.ts";
import { LineEditor } from "./line-editor.ts";
import { monitorFrame } from "./monitor.ts";

const welcome = `
\u001b[1mWelcome to the Gatehouse demo.\u001b[0m
Everything you type and see here was on disk, encrypted, before you saw it.
Try \u001b[1mhelp\u001b[0m, \u001b[1mcat README.md\u001b[0m or \u001b[1mtop\u001b[0m; \u001b[1mexit\u001b[0m leaves.

`;
const monitorIntervalMs = 700;

/** The make-believe shell of one session: keys in, screen out. */
export class DemoShell {
  readonly #write: (text: string) => void;
  readonly #leave: (status: number) => void;
  readonly #clock: Clock;
  readonly #machine: Machine;
  readonly #editor: LineEditor;
  readonly #decoder = new TextDecoder("utf-8");
  #rows: number;
  #monitor: Timer | undefined;
  #ticks = 0;
  #over = false;

  constructor(options: {
    write: (text: string) => void;
    leave: (status: number) => void;
    clock: Clock;
    size: { cols: number; rows: number };
  }) {
    this.#write = options.write;
    this.#leave = options.leave;
    this.#clock = options.clock;
    this.#rows = options.size.rows;
    const editor = new LineEditor({
      write: this.#write,
      prompt: () =>
        `\u001b[1;32mdemo@demo-01\u001b[0m:\u001b[1;34m${machine.cwd.replace(home, "~")}\u001b[0m$ `,
      complete: (typed) => completions(typed, machine.cwd),
    });
    const machine: Machine = {
      cwd: home,
      startedMs: options.clock.nowMs(),
      nowMs: () => options.clock.nowMs(),
      history: editor.history,
      cols: options.size.cols || 80,
    };
    this.#machine = machine;
    this.#editor = editor;
  }
  begin(): void {
    this.#print(welcome);
    this.#editor.begin();
  }
  /** One command without a terminal: its output and its status. */
  static run(command: string, clock: Clock): { text: string; status: number } {
    const nowMs = clock.nowMs();
    const result = runLine(command, {
      cwd: home,
      startedMs: nowMs,
      nowMs: () => nowMs,
      history: [],
      cols: 80,
    });
    switch (result.kind) {
      case "done":
      case "exit":
        // eslint-disable-next-line no-control-regex
        return { text: result.text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ""), status: result.status };
      case "monitor":
        return { text: "top: needs a terminal: ssh -t\n", status: 1 };
    }
  }
  resize(size: { cols: number; rows: number }): void {
    this.#machine.cols = size.cols || 80;
    this.#rows = size.rows;
    if (this.#monitor) this.#drawMonitor();
  }
  input(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes, { stream: true });
    while (text !== "" && !this.#over) {
      if (this.#monitor) {
        const left = Array.from(text).findIndex((key) => key === "q" || key === "\u0003");
        if (left < 0) return;
        text = Array.from(text)
          .slice(left + 1)
          .join("");
        this.#leaveMonitor();
        continue;
      }
      const { edited, rest } = this.#editor.feed(text);
      text = rest;
      if (edited?.kind === "line") this.#run(edited.text);
      else if (edited?.kind === "interrupt") this.#editor.begin();
      else if (edited?.kind === "end") this.#exit(0);
    }
  }
  /** The channel is gone. */
  close(): void {
    this.#over = true;
    this.#monitor?.cancel();
  }

  #run(text: string): void {
    const result = runLine(text, this.#machine);
    this.#print(result.text);
    switch (result.kind) {
      case "done":
        return this.#editor.begin();
      case "exit":
        return this.#exit(result.status);
      case "monitor":
        // The alternate screen, without a cursor; leaving it brings back what was there.
        this.#write("\u001b[?1049h\u001b[?25l");
        return this.#drawMonitor();
    }
  }
  #exit(status: number): void {
    this.#over = true;
    this.#print("Goodbye. Now play this session back.\n");
    this.#leave(status);
  }
  #print(text: string): void {
    this.#write(text.replaceAll("\n", "\r\n"));
  }
  #drawMonitor(): void {
    this.#monitor?.cancel();
    const size = { cols: this.#machine.cols, rows: this.#rows || 24 };
    this.#write(monitorFrame(size, this.#ticks++, this.#clock.nowMs()));
    this.#monitor = this.#clock.after(monitorIntervalMs, () => this.#drawMonitor());
  }
  #leaveMonitor(): void {
    this.#monitor?.cancel();
    this.#monitor = undefined;
    this.#write("\u001b[?25h\u001b[?1049l");
    this.#editor.begin();
  }
}
