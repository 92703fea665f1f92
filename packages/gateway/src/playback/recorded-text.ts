import type { RecordingHits } from "@gatehouse/contracts/rest";
import { type Frame, type SessionFacts, statementLine, statements } from "@gatehouse/recording";
import type { RecordingIndex } from "@gatehouse/recording/index";
import { transcribe } from "@gatehouse/recording/transcript";

/** Something that can be read at a moment of a recording. */
export type Passage = Pick<RecordingHits["hits"][number], "timeUs" | "source" | "text">;

const screenSize = { cols: 80, rows: 24 };
/** A line that is typed on and on is cut here. */
const typedCharsMax = 4_096;

/** What was shown: out of the index, else played anew, and then a moment is when the line left the screen. */
export async function* shownText(
  facts: SessionFacts,
  index: RecordingIndex | undefined,
  frames: () => AsyncIterable<Frame>,
): AsyncGenerator<Passage> {
  if (index) {
    for await (const { fromUs, text } of index.lines()) yield { timeUs: fromUs, source: "screen", text };
    return;
  }
  let timeUs = 0;
  async function* timed() {
    for await (const frame of frames()) {
      timeUs = frame.timeUs;
      yield frame;
    }
  }
  for await (const text of transcribe(timed(), facts.size ?? screenSize))
    yield { timeUs, source: "screen", text };
}

export async function* statementText(frames: AsyncIterable<Frame>): AsyncGenerator<Passage> {
  for await (const statement of statements(frames))
    yield { timeUs: statement.startedUs, source: "statement", text: statementLine(statement) };
}

/** What was typed, a line at a time, as it was after what was taken back. */
export async function* typedText(frames: AsyncIterable<Frame>): AsyncGenerator<Passage> {
  const lines = new Map<number, { timeUs: number; text: string; decoder: TextDecoder }>();
  for await (const { kind, stream, timeUs, data } of frames) {
    if (kind !== "input" && kind !== "stdin") continue;
    const line = lines.get(stream) ?? { timeUs, text: "", decoder: new TextDecoder() };
    lines.set(stream, line);
    for (const char of line.decoder.decode(data, { stream: true })) {
      if (line.text === "") line.timeUs = timeUs;
      if (char === "\r" || char === "\n" || line.text.length >= typedCharsMax) {
        if (line.text !== "") yield { timeUs: line.timeUs, source: "input", text: line.text };
        line.text = char === "\r" || char === "\n" ? "" : char;
      } else if (char === "\u007f" || char === "\b") line.text = Array.from(line.text).slice(0, -1).join("");
      else line.text += char;
    }
  }
  for (const { timeUs, text } of lines.values()) if (text !== "") yield { timeUs, source: "input", text };
}
