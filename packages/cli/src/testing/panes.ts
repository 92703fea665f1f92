/** Real terminals (tmux has them) with a command in each, typed to and looked at by a test. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
/** For a test's `skip`. */
export const withoutTmux = hasTmux
  ? false
  : "tmux is not installed, and this needs a real terminal to look at";

/** The terminals of one test file; `folder` is where their commands run. */
export class Panes {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }
  /** When the command has ended, its code is on the screen. */
  open(name: string, size: { cols: number; rows: number }, command: string): Pane {
    const line = `cd ${this.#folder}; stty -a > ${name}.before; ${command}; echo "code $?"; stty -a > ${name}.after; exec sleep 60`;
    this.#tmux("new-session", "-d", "-s", name, "-x", String(size.cols), "-y", String(size.rows), line);
    return new Pane(name, (...words) => this.#tmux(...words));
  }
  /** Whether the command left the terminal's modes as it found them. */
  sameModes(name: string): boolean {
    const read = (when: string) => {
      try {
        return readFileSync(join(this.#folder, `${name}.${when}`), "utf8");
      } catch {
        return "";
      }
    };
    return read("before") !== "" && read("before") === read("after");
  }
  close(): void {
    if (hasTmux) spawnSync("tmux", ["-S", join(this.#folder, "tmux"), "kill-server"]);
  }
  #tmux(...words: string[]): string {
    return execFileSync("tmux", ["-S", join(this.#folder, "tmux"), "-f", "/dev/null", ...words], {
      encoding: "utf8",
    });
  }
}

export class Pane {
  readonly #name: string;
  readonly #tmux: (...words: string[]) => string;
  constructor(name: string, tmux: (...words: string[]) => string) {
    this.#name = name;
    this.#tmux = tmux;
  }
  keys(...keys: string[]): void {
    this.#tmux("send-keys", "-t", this.#name, ...keys);
  }
  lines(): string[] {
    return this.#tmux("capture-pane", "-p", "-t", this.#name).split("\n");
  }
  resize(cols: number, rows: number): void {
    this.#tmux("resize-window", "-t", this.#name, "-x", String(cols), "-y", String(rows));
  }
  is(what: string): string {
    return this.#tmux("display-message", "-p", "-t", this.#name, what).trim();
  }
  /** Waits for the screen, for there is no other sign of what a terminal has drawn. */
  async until(what: (lines: string[]) => boolean, why: string): Promise<string[]> {
    const deadlineMs = performance.now() + 15_000;
    for (;;) {
      const lines = this.lines();
      if (what(lines)) return lines;
      if (performance.now() > deadlineMs) assert.fail(`${why}; the screen is:\n${lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}
