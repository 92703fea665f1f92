/**
 * film: what a terminal showed, as an animated picture.
 *
 * Owns: which moments are pictures, how a screen is drawn, with which glyphs and colours, and the GIF they make.
 * Never: reads a store or a disk, holds more than two pictures, or is part of the format: it is derived, and proves nothing. What was
 * typed and not shown is not in it. Its own door, so that who only reads recordings does not load a terminal.
 */
export type { FilmPace } from "./film-time.ts";
export { type FilmSurvey, filmLimits, surveyFilm } from "./survey.ts";
export { Glyphs } from "./glyphs.ts";
export { type FilmOrder, makeFilm } from "./make-film.ts";

/** Where the glyphs lie, packed by Brotli. */
export const glyphsFile = new URL("glyphs.bin", import.meta.url);
