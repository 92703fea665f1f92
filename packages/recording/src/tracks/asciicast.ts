import type { Frame, SessionFacts } from "../frame.ts";
import { decodePause, decodeTerminate, decodeWatch } from "./session-payloads.ts";
import { decodeExit, decodeRequest, decodeResize } from "./terminal-payloads.ts";

export type AsciicastOptions = {
  /** https://docs.asciinema.org/manual/asciicast/v2/ and v3: times since the start, or since the event before. */
  version: 2 | 3;
  /** What was typed, too. It may hold passwords that no echo ever showed. */
  input?: boolean;
  /** Which stream's terminal; by default the first that asked for one, or the first that printed. */
  stream?: number;
  /** Stands behind the title. */
  note?: string | undefined;
};

type Size = { cols: number; rows: number };

/**
 * Writes the terminal of a session as an asciicast, line by line, each with its line feed: what the target printed,
 * what the gate said, size changes, and marks where somebody paused or joined. Characters that were split between two
 * frames are put together; bytes that are not UTF-8 show as U+FFFD. An event never comes before its frame, so it can be written
 * from a live recording.
 */
export async function* asciicast(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
  facts: SessionFacts,
  options: AsciicastOptions,
): AsyncGenerator<string> {
  const cast = new Cast(facts, options);
  for await (const frame of frames) yield* cast.linesOf(frame);
  yield* cast.end();
}

class Cast {
  readonly #facts: SessionFacts;
  readonly #options: AsciicastOptions;
  readonly #decoders = {
    o: new TextDecoder("utf-8", { ignoreBOM: true }),
    i: new TextDecoder("utf-8", { ignoreBOM: true }),
  };
  #stream: number | undefined;
  #size: Size;
  #term: string | undefined;
  #begun = false;
  #lastUs = 0;

  constructor(facts: SessionFacts, options: AsciicastOptions) {
    this.#facts = facts;
    this.#options = options;
    this.#stream = options.stream;
    this.#size = shown(facts.size, { cols: 80, rows: 24 });
  }

  *linesOf(frame: Frame): Generator<string> {
    const { kind, data, timeUs } = frame;
    if (kind === "notice") return yield* this.#text("o", timeUs, data);
    if (kind === "pause" || kind === "resume")
      return yield* this.#event(timeUs, "m", `${kind}: ${decodePause(data).user.name}`);
    if (kind === "terminate") {
      const { user, reason } = decodeTerminate(data);
      return yield* this.#event(timeUs, "m", `terminate: ${user.name}: ${reason}`);
    }
    if (kind === "join" || kind === "leave")
      return yield* this.#event(timeUs, "m", `${kind}: ${decodeWatch(data).user.name}`);
    if (kind === "request" && this.#isOwn(frame)) {
      const { pty } = decodeRequest(data);
      if (!pty) return;
      this.#stream ??= frame.stream;
      this.#term = pty.term;
      // A notice may have begun the cast already; then the size comes as a change.
      if (this.#begun) return yield* this.#resize(timeUs, pty);
      this.#size = shown(pty, this.#size);
      return yield* this.#begin();
    }
    if (kind === "output" || (kind === "input" && this.#options.input)) {
      this.#stream ??= frame.stream;
      if (this.#isOwn(frame)) yield* this.#text(kind === "output" ? "o" : "i", timeUs, data);
      return;
    }
    if (!this.#isOwn(frame)) return;
    if (kind === "resize") yield* this.#resize(timeUs, decodeResize(data));
    if (kind === "exit" && this.#options.version === 3) {
      const exit = decodeExit(data);
      // The format has a number only; shells say 128 and the signal, which we would have to guess.
      yield* this.#event(timeUs, "x", "status" in exit ? String(exit.status) : "255");
    }
  }

  *end(): Generator<string> {
    yield* this.#begin();
    for (const code of ["o", "i"] as const) {
      const rest = this.#decoders[code].decode();
      if (rest !== "") yield* this.#event(this.#lastUs, code, rest);
    }
  }

  #isOwn(frame: Frame): boolean {
    return this.#stream === undefined || frame.stream === this.#stream;
  }

  *#text(code: "o" | "i", timeUs: number, data: Uint8Array): Generator<string> {
    const text = this.#decoders[code].decode(data, { stream: true });
    if (text !== "") yield* this.#event(timeUs, code, text);
  }

  *#resize(timeUs: number, size: Size): Generator<string> {
    const next = shown(size, this.#size);
    if (this.#begun && next.cols === this.#size.cols && next.rows === this.#size.rows) return;
    this.#size = next;
    if (this.#begun) yield* this.#event(timeUs, "r", `${next.cols}x${next.rows}`);
    else yield* this.#begin();
  }

  *#event(timeUs: number, code: string, text: string): Generator<string> {
    yield* this.#begin();
    const sinceUs = this.#options.version === 2 ? timeUs : timeUs - this.#lastUs;
    this.#lastUs = timeUs;
    yield `${JSON.stringify([sinceUs / 1e6, code, text])}\n`;
  }

  *#begin(): Generator<string> {
    if (this.#begun) return;
    this.#begun = true;
    const { cols, rows } = this.#size;
    const { note } = this.#options;
    const { startedAt, login, target, command } = this.#facts;
    const about = {
      timestamp: Math.floor(Date.parse(startedAt) / 1000),
      title: `${login}@${target.name}${note === undefined ? "" : ` (${note})`}`,
      ...(command === undefined ? {} : { command }),
    };
    const term = this.#term ?? "xterm-256color";
    yield `${JSON.stringify(
      this.#options.version === 2
        ? { version: 2, width: cols, height: rows, ...about, env: { TERM: term } }
        : { version: 3, term: { cols, rows, type: term }, ...about },
    )}\n`;
  }
}

/** A side of 0 means "unknown" (RFC 4254 §6.2), and a player cannot show it; nor can it a claim of four billion. */
function shown(size: Size | undefined, otherwise: Size): Size {
  const side = (claimed: number | undefined, other: number) =>
    claimed === undefined || claimed === 0 ? other : Math.min(claimed, 10_000);
  return { cols: side(size?.cols, otherwise.cols), rows: side(size?.rows, otherwise.rows) };
}
