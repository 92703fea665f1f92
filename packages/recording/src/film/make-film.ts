import type { Terminal } from "@xterm/headless";
import { concatBytes, utf8 } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import type { Keyframe } from "../index/mod.ts";
import { sliceBytes } from "../transcript/shown-lines.ts";
import { shownBy } from "../transcript/shown.ts";
import { unseenTerminal } from "../transcript/unseen-terminal.ts";
import { Drawing, filmPx } from "./drawing.ts";
import { NearestColors, filmColors, unchanged } from "./film-colors.ts";
import { type FilmAbout, filmComment } from "./film-progress.ts";
import { type FilmPace, FilmTime, pictureCs } from "./film-time.ts";
import { GifWriter } from "./gif-writer.ts";
import type { Glyphs } from "./glyphs.ts";
import { ScreenCells } from "./screen-cells.ts";
import type { FilmSurvey } from "./survey.ts";
import { Watermark } from "./watermark.ts";

/** Bytes leave in chunks of at least so many. */
const chunkBytes = 32 * 1024;
/** Writes to the terminal that are under way together. */
const waitingSlicesMax = 64;
/** As many as a player keeps, since a window that grows shows them again. */
const rowsKept = 2_000;

export type FilmOrder = {
  /** The terminal before the first of the frames. */
  begin: Pick<Keyframe, "cols" | "rows" | "state">;
  pace: FilmPace;
  survey: FilmSurvey;
  /** Over every picture. */
  watermark: string | undefined;
  /** Written into the file, for whoever has it later. */
  about: Omit<FilmAbout, "durationCs">;
};

/**
 * Makes an animated GIF of what was shown. Frames are those that were surveyed. Memory is a terminal and two pictures, however long it
 * is.
 */
export async function* makeFilm(
  frames: AsyncIterable<Pick<Frame, "kind" | "timeUs" | "stream" | "data">>,
  { begin, pace, survey, watermark, about }: FilmOrder,
  glyphs: Glyphs,
): AsyncGenerator<Uint8Array> {
  const colors = new NearestColors();
  const px = filmPx(survey);
  const cells = new ScreenCells({ ...survey, colors, glyphs });
  const drawing = new Drawing({
    ...survey,
    glyphs,
    colors,
    watermark: watermark === undefined ? undefined : new Watermark(watermark, glyphs, px),
  });
  const gif = new GifWriter({
    ...px,
    colors: filmColors,
    transparent: unchanged,
    comment: filmComment({ ...about, durationCs: survey.durationCs }),
  });
  const screen = new Screen(begin);
  let done: Uint8Array[] = [];
  let doneBytes = 0;
  const picture = async (number: number) => {
    cells.take(await screen.settled());
    const part = drawing.draw(cells);
    if (!part) return;
    gif.add(part, number * pictureCs);
    doneBytes += done[done.push(gif.take()) - 1]?.length ?? 0;
  };
  function* filled(least: number): Generator<Uint8Array> {
    if (doneBytes < least) return;
    yield concatBytes(done);
    done = [];
    doneBytes = 0;
  }
  try {
    await screen.write(utf8(begin.state));
    const time = new FilmTime(pace);
    let number = 0;
    for await (const frame of frames) {
      const shown = shownBy(frame);
      if (shown.what === "nothing") continue;
      const at = time.pictureAt(frame.timeUs);
      if (at > number) {
        await picture(number);
        yield* filled(chunkBytes);
        number = at;
      }
      if (shown.what === "size") await screen.resize(shown);
      else await screen.write(shown.bytes);
    }
    await picture(number);
    gif.end(survey.durationCs);
    doneBytes += done[done.push(gif.take()) - 1]?.length ?? 0;
    yield* filled(1);
  } finally {
    screen.dispose();
  }
}

/** A terminal that nobody sees. */
class Screen {
  readonly #terminal: Terminal;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(size: { cols: number; rows: number }) {
    this.#terminal = unseenTerminal(size, rowsKept);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      this.#last = new Promise((resolve) =>
        this.#terminal.write(bytes.subarray(at, at + sliceBytes), resolve),
      );
      if (++this.#waiting >= waitingSlicesMax) await this.settled();
    }
  }

  async resize({ cols, rows }: { cols: number; rows: number }): Promise<void> {
    (await this.settled()).resize(cols, rows);
  }

  /** The terminal, when all that was written is on it. */
  async settled(): Promise<Terminal> {
    await this.#last;
    this.#waiting = 0;
    return this.#terminal;
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}
