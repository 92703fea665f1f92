import type { Session } from "@gatehouse/contracts/rest";
import type { Watched } from "@gatehouse/contracts/watch-session";
import { statementLine, statements } from "@gatehouse/recording";
import { shownBy } from "@gatehouse/recording/transcript";
import type { Cli } from "../cli.ts";
import { shownText, writeAll } from "../output/mod.ts";
import { type PlayFrame, type WatchSource, formatMoment } from "../player/mod.ts";
import { frameWords } from "./play-print.ts";

/** A live session without a screen: every frame as JSON, a database's statements in lines, else what is shown, as it comes. */
export async function printWatched(
  source: WatchSource,
  session: Session,
  format: "pty" | "json",
  cli: Cli,
): Promise<void> {
  const { watermark } = source;
  if (watermark !== undefined)
    await writeAll(
      cli.stdout,
      format === "json" ? `${JSON.stringify({ watermark })}\n` : `${shownText(watermark)}\n`,
    );
  const frames = framesOf(source.watched(cli.signal));
  if (format === "json") {
    for await (const frame of frames) await writeAll(cli.stdout, `${JSON.stringify(frameWords(frame))}\n`);
    return;
  }
  if (session.track === "query") {
    cli.stderr.write(`looking on at ${source.title}; Ctrl-C quits, and the session goes on\n`);
    for await (const statement of statements(frames))
      await writeAll(cli.stdout, `${formatMoment(statement.startedUs)}  ${statementLine(statement)}\n`);
    return;
  }
  for await (const frame of frames) {
    const shown = shownBy(frame);
    if (shown.what === "bytes") await writeAll(cli.stdout, shown.bytes);
  }
}

async function* framesOf(watched: AsyncIterable<Watched>): AsyncGenerator<PlayFrame> {
  for await (const one of watched) if (one.what === "frame") yield one.frame;
}
