import { SerializeAddon } from "@xterm/addon-serialize";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import type { Screen } from "./showing.ts";

/** Fixed in both designs: people remember what their terminal looked like, and every pair is readable on this ground. */
const palette = {
  background: "#0c1015",
  foreground: "#d7dde5",
  cursor: "#d7dde5",
  cursorAccent: "#0c1015",
  selectionBackground: "#33507f",
  black: "#3b4452",
  red: "#f07178",
  green: "#7fd08a",
  yellow: "#e6bf6a",
  blue: "#7ba4ff",
  magenta: "#c99af0",
  cyan: "#63c9d6",
  white: "#c6ced8",
  brightBlack: "#7d8896",
  brightRed: "#ff9098",
  brightGreen: "#9be5a5",
  brightYellow: "#ffd98a",
  brightBlue: "#a3c0ff",
  brightMagenta: "#dfb8ff",
  brightCyan: "#8ae3ee",
  brightWhite: "#ffffff",
  scrollbarSliderBackground: "#ffffff14",
  scrollbarSliderHoverBackground: "#ffffff30",
  scrollbarSliderActiveBackground: "#ffffff40",
} as const;

const fontFamily = '"JetBrains Mono Variable", ui-monospace, Menlo, Consolas, monospace';
const naturalFontPx = 14;
const fitFontPx = { min: 5, max: 22 } as const;

/**
 * A terminal that only shows. It answers nothing: what a recording asks of a terminal (its type, its clipboard, a link to
 * open) was asked of somebody else's.
 */
export class TerminalScreen implements Screen {
  readonly #terminal: Terminal;
  readonly #serializer = new SerializeAddon();
  readonly #host: HTMLElement;
  #fits = true;

  constructor(host: HTMLElement) {
    this.#host = host;
    this.#terminal = new Terminal({
      disableStdin: true,
      cursorBlink: false,
      cursorInactiveStyle: "block",
      scrollback: 2000,
      fontFamily,
      fontSize: naturalFontPx,
      theme: palette,
      linkHandler: { activate: () => undefined },
      windowOptions: {},
      // For the widths of characters.
      allowProposedApi: true,
    });
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = "11";
    this.#terminal.loadAddon(this.#serializer);
    this.#terminal.open(host);
    // The keys are the player's, and the hidden input must not catch the focus on the way.
    this.#terminal.attachCustomKeyEventHandler(() => false);
    if (this.#terminal.textarea) {
      this.#terminal.textarea.tabIndex = -1;
      this.#terminal.textarea.disabled = true;
    }
  }

  /** The font must be there before cells are measured. */
  static async open(host: HTMLElement): Promise<TerminalScreen> {
    await document.fonts.load(`${naturalFontPx}px "JetBrains Mono Variable"`).catch(() => []);
    return new TerminalScreen(host);
  }

  reset({ cols, rows }: { cols: number; rows: number }): void {
    this.#terminal.reset();
    this.resize({ cols, rows });
  }
  resize({ cols, rows }: { cols: number; rows: number }): void {
    if (this.#terminal.cols !== cols || this.#terminal.rows !== rows) this.#terminal.resize(cols, rows);
    this.refit();
  }
  write(data: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(data, resolve));
  }
  /** What is selected, else all that is on the screen, as text. */
  text(): string {
    if (this.#terminal.hasSelection()) return this.#terminal.getSelection();
    const { active } = this.#terminal.buffer;
    const lines = Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? "",
    );
    return lines.join("\n").trimEnd();
  }
  serialize(): string {
    return this.#serializer.serialize({ scrollback: 200 });
  }
  /** `fits`: as large as there is room for. Else the natural size, and the room scrolls. */
  setFit(fits: boolean): void {
    this.#fits = fits;
    this.refit();
  }
  refit(): void {
    const cells = this.#host.querySelector<HTMLElement>(".xterm-screen");
    const room = this.#host.parentElement;
    if (!cells || !room || cells.offsetWidth === 0) return;
    const now = this.#terminal.options.fontSize ?? naturalFontPx;
    const scale = Math.min(room.clientWidth / cells.offsetWidth, room.clientHeight / cells.offsetHeight);
    const wanted = this.#fits
      ? Math.min(fitFontPx.max, Math.max(fitFontPx.min, Math.floor(now * scale * 4) / 4))
      : naturalFontPx;
    if (wanted !== now) this.#terminal.options.fontSize = wanted;
  }
  dispose(): void {
    this.#terminal.dispose();
  }
}
