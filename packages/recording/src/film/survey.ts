import { GatehouseError } from "@gatehouse/kernel";
import type { Frame } from "../frame.ts";
import { boundedSize, shownBy } from "../transcript/shown.ts";
import { type FilmPace, FilmTime, pictureCs } from "./film-time.ts";

/** What a film may have. Beyond it nobody looks, and few programs open it. */
export const filmLimits = {
  colsMax: 320,
  rowsMax: 100,
  picturesMax: 50_000,
  durationCsMax: 2 * 60 * 60 * 100,
};
/** The last picture stays for so long before the film begins anew. */
export const lastPictureCs = 300;

/** What is known of a film before it is made. */
export type FilmSurvey = {
  /** The largest that the terminal is in it. */
  cols: number;
  rows: number;
  /** At most: one in which nothing changed is none. */
  pictures: number;
  durationCs: number;
};

/** Goes through what will be in a film, without drawing it. Rejects with `too_large` where it would be more than anybody can look at. */
export async function surveyFilm(
  frames: AsyncIterable<Pick<Frame, "kind" | "timeUs" | "stream" | "data">>,
  begin: { cols: number; rows: number },
  pace: FilmPace,
): Promise<FilmSurvey> {
  const time = new FilmTime(pace);
  let size = boundedSize(begin);
  let [cols, rows] = [0, 0];
  let [last, pictures] = [0, 1];
  for await (const frame of frames) {
    const shown = shownBy(frame);
    if (shown.what === "nothing") continue;
    // The size at the beginning counts, and those before it do not.
    if (frame.timeUs >= pace.fromUs && cols === 0) [cols, rows] = [size.cols, size.rows];
    if (shown.what === "size") size = boundedSize(shown);
    if (cols > 0) [cols, rows] = [Math.max(cols, size.cols), Math.max(rows, size.rows)];
    const at = time.pictureAt(frame.timeUs);
    if (at > last) pictures++;
    last = at;
  }
  const survey = {
    cols: Math.max(cols, size.cols),
    rows: Math.max(rows, size.rows),
    pictures,
    durationCs: last * pictureCs + lastPictureCs,
  };
  checkFilm(survey);
  return survey;
}

function checkFilm({ cols, rows, pictures, durationCs }: FilmSurvey): void {
  const { colsMax, rowsMax, picturesMax, durationCsMax } = filmLimits;
  const refuse = (message: string, hint: string) => {
    throw new GatehouseError({ code: "too_large", op: "film.survey", message, hint });
  };
  if (cols > colsMax || rows > rowsMax)
    refuse(
      `the terminal has ${cols} columns and ${rows} rows, a film at most ${colsMax} and ${rowsMax}`,
      "Choose a time in which it was smaller, or export it as asciicast.",
    );
  const less = "Choose a shorter time, or a higher speed.";
  if (durationCs > durationCsMax)
    refuse(`the film would take ${minutes(durationCs)}, at most ${minutes(durationCsMax)} are made`, less);
  if (pictures > picturesMax)
    refuse(`the film would have ${pictures} pictures, at most ${picturesMax} are made`, less);
}

function minutes(cs: number): string {
  return `${Math.ceil(cs / 6_000)} minutes`;
}
