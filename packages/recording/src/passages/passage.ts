import type { Frame, SessionFacts } from "../frame.ts";
import type { RecordingIndex } from "../index/mod.ts";
import { type Statement, StatementReading, statementLine, statements } from "../tracks/query/mod.ts";
import { transcribe } from "../transcript/mod.ts";
import { sizeAtFirst } from "../transcript/shown.ts";
import { TrigramFilterMaking } from "./trigram-filter.ts";

/** `screen`: what was shown; `statement`: what was run on a database; `command`: what was asked to run; `input`: what was typed. */
export const passageSources = ["screen", "statement", "command", "input"] as const;
export type PassageSource = (typeof passageSources)[number];

/** Something that can be read at a moment of a recording. */
export type Passage = { timeUs: number; source: PassageSource; text: string };

/** A line that is typed on and on is cut here. */
const typedCharsMax = 4_096;

/** What was asked to run instead of a shell. */
export function* commandText({ command }: SessionFacts): Generator<Passage> {
  if (command !== undefined) yield { timeUs: 0, source: "command", text: command };
}

/**
 * What was shown or, of a database, run: out of the index, from the passage of this number on, each with its own. Much of what `mayHold`
 * says no to, asked of many passages together, is left out.
 */
export async function* indexedText(
  facts: SessionFacts,
  index: RecordingIndex,
  from: number,
  mayHold?: (text: string) => boolean,
): AsyncGenerator<Passage & { n: number }> {
  const source = facts.track === "query" ? "statement" : "screen";
  for await (const { n, fromUs, text } of index.numberedLines(from, mayHold))
    yield { n, timeUs: fromUs, source, text };
}

/** What was shown, played anew: a moment is when the line left the screen. */
export async function* shownText(facts: SessionFacts, frames: AsyncIterable<Frame>): AsyncGenerator<Passage> {
  let timeUs = 0;
  async function* timed() {
    for await (const frame of frames) {
      timeUs = frame.timeUs;
      yield frame;
    }
  }
  for await (const text of transcribe(timed(), sizeAtFirst(facts.size)))
    yield { timeUs, source: "screen", text };
}

/** Statements as who sees these frames may read them. */
export async function* statementText(frames: AsyncIterable<Frame>): AsyncGenerator<Passage> {
  for await (const statement of statements(frames))
    yield { timeUs: statement.startedUs, source: "statement", text: statementLine(statement) };
}

/** Statements that the lane of what was typed has more of than the other: their secrets. */
class SecretStatements {
  readonly #whole = new StatementReading();
  readonly #masked = new StatementReading();

  *take(frame: Frame): Generator<Passage> {
    const masked = frame.kind === "query.secret" ? [] : this.#masked.take(frame);
    yield* this.#more(this.#whole.take(frame), masked);
  }

  *finish(): Generator<Passage> {
    yield* this.#more([...this.#whole.unanswered()], [...this.#masked.unanswered()]);
  }

  /** Both are of the same statements. */
  *#more(all: readonly Statement[], masked: readonly Statement[]): Generator<Passage> {
    for (const [i, whole] of all.entries()) {
      const text = statementLine(whole);
      const other = masked[i];
      if (other && statementLine(other) === text) continue;
      yield { timeUs: whole.startedUs, source: "input", text };
    }
  }
}

/** What was typed, a line at a time, as it was after what was taken back. */
class TypedLines {
  readonly #lines = new Map<number, { timeUs: number; text: string; decoder: TextDecoder }>();

  /** The lines that end with this frame. */
  *take({ kind, stream, timeUs, data }: Frame): Generator<Passage> {
    if (kind !== "input" && kind !== "stdin") return;
    const line = this.#lines.get(stream) ?? { timeUs, text: "", decoder: new TextDecoder() };
    this.#lines.set(stream, line);
    for (const char of line.decoder.decode(data, { stream: true })) {
      if (line.text === "") line.timeUs = timeUs;
      if (char === "\r" || char === "\n" || line.text.length >= typedCharsMax) {
        if (line.text !== "") yield { timeUs: line.timeUs, source: "input", text: line.text };
        line.text = char === "\r" || char === "\n" ? "" : char;
      } else if (char === "\u007f" || char === "\b") line.text = Array.from(line.text).slice(0, -1).join("");
      else line.text += char;
    }
  }

  *finish(): Generator<Passage> {
    for (const { timeUs, text } of this.#lines.values())
      if (text !== "") yield { timeUs, source: "input", text };
  }
}

/** What the lane of what was typed has, frame by frame. */
function hiddenPassages({ track }: SessionFacts): TypedLines | SecretStatements {
  return track === "query" ? new SecretStatements() : new TypedLines();
}

/** What was typed, and the secrets of statements: what the input lane has and the other has not. */
export async function* hiddenText(
  facts: SessionFacts,
  frames: AsyncIterable<Frame>,
): AsyncGenerator<Passage> {
  const hidden = hiddenPassages(facts);
  for await (const frame of frames) yield* hidden.take(frame);
  yield* hidden.finish();
}

/** The filter of it. */
export class HiddenText {
  readonly #making = new TrigramFilterMaking();
  readonly #hidden: ReturnType<typeof hiddenPassages>;

  constructor(facts: SessionFacts) {
    this.#hidden = hiddenPassages(facts);
  }

  take(frame: Frame): void {
    for (const { text } of this.#hidden.take(frame)) this.#making.add(text);
  }

  finish(): TrigramFilterMaking {
    for (const { text } of this.#hidden.finish()) this.#making.add(text);
    return this.#making;
  }
}
