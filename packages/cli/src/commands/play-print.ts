import { toBase64 } from "@gatehouse/kernel";
import { transcribe } from "@gatehouse/recording/transcript";
import { stringify } from "yaml";
import type { Cli } from "../cli.ts";
import { writeAll } from "../output/mod.ts";
import type { PlayFrame, PlaySource } from "../player/mod.ts";

const text = new TextDecoder();

/** One frame: its bytes in base64, and as text for who only looks. */
function wordsOf(frame: PlayFrame): Record<string, unknown> {
  const { seq, timeUs, kind, stream, data } = frame;
  return { seq, timeUs, kind, stream, data: toBase64(data), text: text.decode(data) };
}

/** Every frame, one JSON object or one YAML entry each; or the lines that were shown. Waits for nothing but the reader. */
export async function printFrames(
  source: PlaySource,
  format: "json" | "yaml" | "text",
  cli: Cli,
): Promise<void> {
  if (format === "text") {
    for await (const line of transcribe(source.frames(), source.size)) {
      if (cli.signal.aborted) return;
      await writeAll(cli.stdout, `${line}\n`);
    }
    return;
  }
  for await (const frame of source.frames()) {
    if (cli.signal.aborted) return;
    const words = wordsOf(frame);
    await writeAll(cli.stdout, format === "json" ? `${JSON.stringify(words)}\n` : stringify([words]));
  }
}
