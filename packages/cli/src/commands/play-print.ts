import { toBase64 } from "@gatehouse/kernel";
import { type Statement, statementLine, statements } from "@gatehouse/recording";
import { transcribe } from "@gatehouse/recording/transcript";
import { stringify } from "yaml";
import type { Cli } from "../cli.ts";
import { shownText, writeAll } from "../output/mod.ts";
import { type PlayFrame, type PlaySource, statementText } from "../player/mod.ts";

const lossy = new TextDecoder();

/** One frame: its bytes in base64, and as text for who only looks. */
export function frameWords(frame: PlayFrame): Record<string, unknown> {
  const { seq, timeUs, kind, stream, data } = frame;
  return { seq, timeUs, kind, stream, data: toBase64(data), text: lossy.decode(data) };
}

/** Written together: a call for each line would take longer than making it. */
const chunkChars = 32 * 1024;

/** Which statements are printed; all where nothing is said. */
export type StatementFilter = { find?: string; failed?: boolean };

/** Every frame, one JSON object or one YAML entry each; or the lines that were shown. Waits for nothing but the reader. */
export async function printFrames(
  source: PlaySource,
  format: "json" | "yaml" | "text",
  cli: Cli,
  filter: StatementFilter = {},
): Promise<void> {
  let text = headOf(source, format);
  for await (const piece of piecesOf(source, format, filter)) {
    if (cli.signal.aborted) return;
    text += piece;
    if (text.length < chunkChars) continue;
    await writeAll(cli.stdout, text);
    text = "";
  }
  if (text !== "") await writeAll(cli.stdout, text);
}

/** What stands before it where a watermark is due. */
function headOf({ watermark }: PlaySource, format: "json" | "yaml" | "text"): string {
  if (watermark === undefined) return "";
  switch (format) {
    case "json":
      return `${JSON.stringify({ watermark })}\n`;
    case "yaml":
      return stringify([{ watermark }]);
    case "text":
      return `# ${shownText(watermark)}\n`;
  }
}

async function* piecesOf(
  source: PlaySource,
  format: "json" | "yaml" | "text",
  filter: StatementFilter,
): AsyncGenerator<string> {
  if (format === "text" && source.track === "query") {
    for await (const statement of statements(source.frames())) {
      if (fits(statement, filter)) yield statementText(statement);
    }
    return;
  }
  if (format === "text") {
    for await (const line of transcribe(source.frames(), source.size)) yield `${line}\n`;
    return;
  }
  for await (const frame of source.frames()) {
    const words = frameWords(frame);
    yield format === "json" ? `${JSON.stringify(words)}\n` : stringify([words]);
  }
}

function fits(statement: Statement, { find, failed }: StatementFilter): boolean {
  if (failed && !statement.error) return false;
  return find === undefined || statementLine(statement).toLowerCase().includes(find.toLowerCase());
}
