import { SerializeAddon } from "@xterm/addon-serialize";
import type { Terminal } from "@xterm/headless";
import { assert } from "@gatehouse/kernel";
import { type Attributes, sgrOf } from "./sgr.ts";

type Charset = Readonly<Record<string, string>>;
type InnerBuffer = {
  x: number;
  y: number;
  ybase: number;
  scrollTop: number;
  scrollBottom: number;
  savedX: number;
  savedY: number;
  savedCurAttrData: Attributes;
  savedCharset: Charset | undefined;
  tabs: Readonly<Record<number, boolean | undefined>>;
};
/**
 * What the terminal keeps to itself, in the one version that is pinned (docs/decisions/0040). The serializer restores what is on the
 * screen; margins, tab stops, character sets, the saved cursor and whether it is shown decide what the next byte does.
 */
type Inner = {
  buffers: { normal: InnerBuffer; alt: InnerBuffer };
  coreService: { isCursorHidden: boolean };
  _charsetService: { charset: Charset | undefined; glevel: number; _charsets: (Charset | undefined)[] };
  _inputHandler: {
    _curAttrData: Attributes;
    _parser: { currentState: number; precedingJoinState: number };
    _utf8Decoder: { interim: Uint8Array };
  };
};

/** DEC Special Graphics, as ncurses draws lines with; told by its horizontal line. */
const isLineDrawing = (charset: Charset): boolean => charset["q"] === "\u2500";
const isBritish = (charset: Charset): boolean => charset["#"] === "\u00a3";

/** Reads the whole state of a terminal. */
export class TerminalState {
  readonly #terminal: Terminal;
  readonly #inner: Inner;
  readonly #serializer = new SerializeAddon();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.loadAddon(this.#serializer);
    this.#inner = (terminal as unknown as { _core: Inner })._core;
    const { buffers, _charsetService, _inputHandler, coreService } = this.#inner;
    assert(
      typeof buffers.normal.scrollTop === "number" &&
        typeof buffers.alt.savedX === "number" &&
        Array.isArray(_charsetService._charsets) &&
        typeof _inputHandler._parser.currentState === "number" &&
        typeof _inputHandler._parser.precedingJoinState === "number" &&
        _inputHandler._utf8Decoder.interim instanceof Uint8Array &&
        typeof coreService.isCursorHidden === "boolean",
      "the terminal's library is the version that is known here",
    );
  }

  /**
   * Whether what was written ended between characters and control sequences, where `next` are the bytes that will follow: they must
   * not lean on the character before them, as a combining mark and REP (ECMA-48 §8.3.103) do.
   */
  isWholeBefore(next: Uint8Array): boolean {
    const { _parser, _utf8Decoder } = this.#inner._inputHandler;
    if (_parser.currentState !== 0 || _utf8Decoder.interim.some((byte) => byte !== 0)) return false;
    if (_parser.precedingJoinState === 0 || next.length === 0) return true;
    if ((next[0] as number) >= 0x80) return false;
    // oxlint-disable-next-line no-control-regex -- terminals speak in control characters
    return !/^\u001b(?:$|\[\d*(?:$|b))/.test(String.fromCharCode(...next.subarray(0, 12)));
  }

  /** What brings an empty terminal of this size to this state; undefined in a state that cannot be told in sequences. */
  sequences(scrollback: number): string | undefined {
    const { buffers, coreService } = this.#inner;
    const isAlternate = this.#terminal.buffer.active.type === "alternate";
    const charsets = this.#charsets();
    if (charsets === undefined) return undefined;
    const whole = this.#serializer.serialize({ scrollback, excludeModes: true });
    const entering = "\u001b[?1049h\u001b[H";
    const cut = isAlternate ? whole.indexOf(entering) : whole.length;
    const normal = this.#buffer(buffers.normal, whole.slice(0, cut));
    if (normal === undefined) return undefined;
    let all = normal;
    if (isAlternate) {
      const alternate = this.#buffer(buffers.alt, whole.slice(cut + entering.length));
      if (alternate === undefined) return undefined;
      // Not 1049, which would save the cursor anew.
      all += `${cursorTo(buffers.normal)}\u001b[?47h\u001b[H${alternate}`;
    }
    const active = isAlternate ? buffers.alt : buffers.normal;
    const origin = this.#terminal.modes.originMode ? active.scrollTop : 0;
    return (
      all +
      charsets +
      this.#modes() +
      (coreService.isCursorHidden ? "\u001b[?25l" : "\u001b[?25h") +
      cursorTo(active, origin) +
      sgrOf(this.#inner._inputHandler._curAttrData)
    );
  }

  /** One of the two buffers, with its margins, tab stops and saved cursor. Leaves plain style. */
  #buffer(buffer: InnerBuffer, content: string): string | undefined {
    const { cols, rows } = this.#terminal;
    // A full row waits for its next character to wrap: no sequence says so.
    if (buffer.x >= cols) return undefined;
    let all = `${content}\u001b[0m`;
    const stops = Object.keys(buffer.tabs)
      .map(Number)
      .filter((col) => col < cols && buffer.tabs[col] === true);
    if (stops.length !== Math.ceil(cols / 8) || stops.some((col) => col % 8 !== 0)) {
      all += "\u001b[3g";
      for (const col of stops) all += `\u001b[1;${col + 1}H\u001bH`;
    }
    if (buffer.scrollTop !== 0 || buffer.scrollBottom !== rows - 1)
      all += `\u001b[${buffer.scrollTop + 1};${buffer.scrollBottom + 1}r`;
    const saved = { x: buffer.savedX, y: Math.max(0, buffer.savedY - buffer.ybase) };
    const charset = buffer.savedCharset;
    if (charset && !isLineDrawing(charset)) return undefined;
    return (
      all +
      cursorTo(saved) +
      sgrOf(buffer.savedCurAttrData) +
      (charset ? "\u001b(0\u001b7\u001b(B" : "\u001b7") +
      "\u001b[0m"
    );
  }

  #charsets(): string | undefined {
    const { charset, glevel, _charsets } = this.#inner._charsetService;
    if (charset !== _charsets[glevel] || glevel > 1) return undefined;
    let all = "";
    for (const [g, one] of _charsets.entries()) {
      if (!one) continue;
      const final = isLineDrawing(one) ? "0" : isBritish(one) ? "A" : undefined;
      const intermediate = ["(", ")", "*", "+"][g];
      if (final === undefined || intermediate === undefined) return undefined;
      all += `\u001b${intermediate}${final}`;
    }
    return glevel === 1 ? `${all}\u000e` : all;
  }

  #modes(): string {
    const { modes, options } = this.#terminal;
    let all = "";
    if (modes.applicationCursorKeysMode) all += "\u001b[?1h";
    if (modes.bracketedPasteMode) all += "\u001b[?2004h";
    if (modes.insertMode) all += "\u001b[4h";
    if (modes.originMode) all += "\u001b[?6h";
    if (modes.reverseWraparoundMode) all += "\u001b[?45h";
    if (!modes.wraparoundMode) all += "\u001b[?7l";
    // LNM, which the library keeps as an option that a reset leaves.
    return all + (options.convertEol === true ? "\u001b[20h" : "\u001b[20l");
  }
}

function cursorTo({ x, y }: { x: number; y: number }, origin = 0): string {
  return `\u001b[${y - origin + 1};${x + 1}H`;
}
