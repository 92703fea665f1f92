/** One picture a twentieth of a second: players take shorter ones for a mistake, and nobody reads faster. */
export const pictureCs = 5;
const pictureUs = pictureCs * 10_000;

export type FilmPace = {
  /** From this moment of the recording on: what stood on the screen then is the first picture. */
  fromUs: number;
  /** How much faster than it was. */
  speed: number;
  /** In which nothing was shown for longer than that, that much is left. */
  idleMaxUs: number;
};

/** From a recording's time to a film's, for the moments at which something was shown, in order. */
export class FilmTime {
  readonly #pace: FilmPace;
  #lastUs: number;
  #filmUs = 0;

  constructor(pace: FilmPace) {
    this.#pace = pace;
    this.#lastUs = pace.fromUs;
  }

  /** The number of the first picture that shows what was shown at this moment. */
  pictureAt(timeUs: number): number {
    const gapUs = Math.max(0, timeUs - this.#lastUs);
    this.#lastUs = Math.max(this.#lastUs, timeUs);
    this.#filmUs += Math.min(gapUs, this.#pace.idleMaxUs) / this.#pace.speed;
    return Math.ceil(this.#filmUs / pictureUs);
  }
}
