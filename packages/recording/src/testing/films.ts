import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { concatBytes } from "@gatehouse/kernel";
import { GifReader } from "omggif";
import { Drawing, filmPx } from "../film/drawing.ts";
import { NearestColors, filmColors } from "../film/film-colors.ts";
import { FilmTime } from "../film/film-time.ts";
import { type FilmPace, Glyphs, glyphsFile, makeFilm, surveyFilm } from "../film/mod.ts";
import { ScreenCells } from "../film/screen-cells.ts";
import { Watermark } from "../film/watermark.ts";
import type { Frame } from "../frame.ts";
import { type ShownFrame, shownBy } from "../transcript/shown.ts";
import { unseenTerminal } from "../transcript/unseen-terminal.ts";
import { facts } from "./facts.ts";

export const glyphs = new Glyphs(brotliDecompressSync(readFileSync(glyphsFile)));
const size = facts.size ?? { cols: 80, rows: 24 };
export const plainPace: FilmPace = { fromUs: 0, speed: 1, idleMaxUs: 2_000_000 };

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

export async function filmOf(frames: readonly Frame[], pace: FilmPace = plainPace, watermark?: string) {
  const begin = { ...size, state: "" };
  const survey = await surveyFilm(each(frames), begin, pace);
  const about = {
    session: facts.sessionId,
    target: facts.target.name,
    person: "Zoë",
    startedAt: facts.startedAt,
    fromUs: pace.fromUs,
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of makeFilm(each(frames), { begin, pace, survey, watermark, about }, glyphs))
    chunks.push(chunk);
  return { survey, chunks, bytes: concatBytes(chunks) };
}

/** The picture that somebody sees at these moments, which must ascend, each in red, green, blue and how much of it. */
export function* seenAt(bytes: Uint8Array, momentsCs: readonly number[]): Generator<Uint8Array> {
  const reader = new GifReader(bytes);
  const seen = new Uint8Array(reader.width * reader.height * 4);
  let [picture, untilCs] = [-1, 0];
  for (const momentCs of momentsCs) {
    for (
      ;
      untilCs <= momentCs && picture + 1 < reader.numFrames();
      untilCs += reader.frameInfo(picture).delay
    )
      reader.decodeAndBlitFrameRGBA(++picture, seen);
    yield seen;
  }
}

/** The same, drawn whole from a terminal that played up to there. */
export async function* playedTo(
  frames: readonly (ShownFrame & { timeUs: number })[],
  momentsCs: readonly number[],
  options: { cols: number; rows: number; pace?: FilmPace; watermark?: string },
): AsyncGenerator<Uint8Array> {
  const { pace = plainPace, watermark } = options;
  const colors = new NearestColors();
  const cells = new ScreenCells({ ...options, colors, glyphs });
  const time = new FilmTime(pace);
  const terminal = unseenTerminal(size, 2000);
  const written = () => new Promise<void>((done) => terminal.write("", done));
  const numbers = frames.map((frame) =>
    shownBy(frame).what === "nothing" ? 0 : time.pictureAt(frame.timeUs),
  );
  let next = 0;
  for (const momentCs of momentsCs) {
    for (; next < frames.length && (numbers[next] ?? 0) * 5 <= momentCs; next++) {
      const shown = shownBy(frames[next] as ShownFrame);
      if (shown.what === "bytes") terminal.write(shown.bytes);
      if (shown.what !== "size") continue;
      await written();
      terminal.resize(shown.cols, shown.rows);
    }
    await written();
    cells.take(terminal);
    const words = watermark === undefined ? undefined : new Watermark(watermark, glyphs, filmPx(options));
    const part = new Drawing({ ...options, glyphs, colors, watermark: words }).draw(cells);
    const seen = new Uint8Array((part?.pixels.length ?? 0) * 4);
    for (const [at, color] of (part?.pixels ?? []).entries()) {
      const rgb = filmColors[color] ?? 0;
      seen.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], 4 * at);
    }
    yield seen;
  }
  terminal.dispose();
}
