/** What a film says of itself, as a comment in front of its first picture. */
export type FilmAbout = {
  session: string;
  target: string;
  person: string;
  startedAt: string;
  /** Which part of the recording it is, in microseconds. */
  fromUs: number;
  toUs?: number;
  durationCs: number;
};

/** JSON, in the ASCII that a comment may have. */
export function filmComment(about: FilmAbout): string {
  return JSON.stringify(about).replaceAll(
    /[^ -~]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const [extension, image, trailer] = [0x21, 0x2c, 0x3b];
const [graphicControl, comment] = [0xf9, 0xfe];
const keptMax = 8192;
type Expected = "header" | "block" | "label" | "length" | "kept" | "descriptor";

/** Follows a film as it comes, and tells how far in it the bytes are: nobody knows how many there will be. */
export class FilmProgress {
  #expected: Expected = "header";
  readonly #held: number[] = [];
  #needed = 13;
  #skipped = 0;
  #label = 0;
  #kept: number[] = [];
  #durationCs: number | undefined;
  #atCs = 0;

  /** From 0 to 1; undefined for what does not say how long it is. */
  get share(): number | undefined {
    return this.#durationCs === undefined ? undefined : Math.min(1, this.#atCs / this.#durationCs);
  }

  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const left = Math.min(this.#skipped, bytes.length - at);
      this.#skipped -= left;
      at += left;
      if (at >= bytes.length) return;
      this.#held.push(bytes[at++] ?? 0);
      if (this.#held.length < this.#needed) continue;
      this.#step(this.#held.splice(0));
    }
  }

  /** GIF89a, appendix B. */
  #step(held: readonly number[]): void {
    const [first = 0] = held;
    switch (this.#expected) {
      case "header":
        return this.#next("block", 1, tableBytes(held[10] ?? 0));
      case "block":
        if (first === extension) return this.#next("label", 1);
        if (first === image) return this.#next("descriptor", 9);
        // Behind the end nothing is expected.
        return first === trailer ? this.#next("block", 1, Infinity) : this.#next("block", 1);
      case "label":
        this.#label = first;
        this.#kept = [];
        return this.#next("length", 1);
      case "descriptor":
        this.#label = 0;
        return this.#next("length", 1, tableBytes(held[8] ?? 0) + 1);
      case "length":
        if (first === 0) {
          this.#told();
          return this.#next("block", 1);
        }
        return this.#isKept() ? this.#next("kept", first) : this.#next("length", 1, first);
      case "kept":
        this.#kept.push(...held);
        return this.#next("length", 1);
    }
  }

  #isKept(): boolean {
    return (this.#label === graphicControl || this.#label === comment) && this.#kept.length < keptMax;
  }

  #told(): void {
    if (this.#label === graphicControl) this.#atCs += (this.#kept[1] ?? 0) | ((this.#kept[2] ?? 0) << 8);
    if (this.#label !== comment || this.#durationCs !== undefined) return;
    try {
      const { durationCs } = JSON.parse(String.fromCharCode(...this.#kept)) as Partial<FilmAbout>;
      if (typeof durationCs === "number" && durationCs > 0) this.#durationCs = durationCs;
    } catch {
      // Somebody else's comment.
    }
  }

  #next(expected: Expected, needed: number, skipped = 0): void {
    this.#expected = expected;
    this.#needed = needed;
    this.#skipped = skipped;
  }
}

/** A table of colours, where the flags of what has one say so. */
function tableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}
