/* oxlint-disable no-control-regex -- terminals speak in control characters */
import type { WireFrame } from "@gatehouse/contracts/rest";
import { plainText } from "./moments.ts";

/** A line that was shown, and when the last of it was: at that moment it can be read. */
export type ShownLine = {
  timeUs: number;
  text: string;
  /** Drawn by a full-screen program: where its pieces stood is not known here. They are found, and not read in a row. */
  isDrawn: boolean;
};

const lineCharsMax = 2000;
const linesMax = 200_000;

// A control sequence, a string up to its end, or one that is not finished yet (ECMA-48 §5.3 to §5.6).
const sequence =
  /\u001b(?:\[([0-?]*)[ -/]*([@-~])|[\]P^_X][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-OQ-WYZ\\`-~])/y;

/** One line as an ordinary prompt edits it: keys go back, overwrite, erase and insert. */
class Line {
  #cells: string[] = [];
  #column = 0;
  timeUs = -1;

  put(char: string, timeUs: number): void {
    if (char !== " ") this.timeUs = timeUs;
    while (this.#cells.length < this.#column) this.#cells.push(" ");
    if (this.#column < lineCharsMax) this.#cells[this.#column++] = char;
  }
  return(): void {
    this.#column = 0;
  }
  back(by = 1): void {
    this.#column = Math.max(0, this.#column - by);
  }
  edit(final: string, parameters: string): void {
    const count = Math.min(lineCharsMax, Number.parseInt(parameters, 10) || (final === "K" ? 0 : 1));
    if (final === "K" && count === 0) this.#cells.length = Math.min(this.#cells.length, this.#column);
    else if (final === "K" && count === 2) this.#cells = [];
    else if (final === "C") this.#column = Math.min(lineCharsMax, this.#column + count);
    else if (final === "D") this.back(count);
    else if (final === "G") this.#column = count - 1;
    else if (final === "P") this.#cells.splice(this.#column, count);
    else if (final === "@") this.#cells.splice(this.#column, 0, ...Array.from({ length: count }, () => " "));
  }
  take(): string {
    const text = this.#cells.join("").trimEnd();
    this.#cells = [];
    this.#column = 0;
    return text;
  }
}

/** What a terminal showed, line by line, with times. Derived for reading and finding; the screen beside it is the truth. */
export function transcriptOf(frames: readonly WireFrame[]): ShownLine[] {
  const lines: ShownLine[] = [];
  const decoder = new TextDecoder();
  const line = new Line();
  let rest = "";
  let isDrawn = false;
  const end = (timeUs: number) => {
    const shownUs = line.timeUs < 0 ? timeUs : line.timeUs;
    const text = line.take();
    line.timeUs = -1;
    if (text !== "") lines.push({ timeUs: shownUs, text, isDrawn: false });
  };
  for (const frame of frames) {
    if (frame.kind !== "output" && frame.kind !== "notice") continue;
    if (lines.length >= linesMax) break;
    const said = rest + decoder.decode(frame.data, { stream: true });
    rest = "";
    for (let at = 0; at < said.length;) {
      if (isDrawn) {
        const left = /\u001b\[\?(?:47|1047|1049)l/.exec(said.slice(at));
        // A sequence that the next frame ends may be the one that leaves.
        if (!left) rest = /\u001b(?:\[[0-?]*)?$/.exec(said.slice(at))?.[0] ?? "";
        const drawn = left ? said.slice(at, at + left.index) : said.slice(at, said.length - rest.length);
        for (const text of plainText(drawn.replaceAll(/\u001b\[[0-9;]*[Hf]/g, "\n")).split(/[\r\n]+/))
          if (text.trim() !== "")
            lines.push({ timeUs: frame.timeUs, text: text.trim().slice(0, lineCharsMax), isDrawn: true });
        if (!left) break;
        at += left.index + left[0].length;
        isDrawn = false;
        continue;
      }
      const char = said[at] as string;
      if (char === "\u001b") {
        sequence.lastIndex = at;
        const match = sequence.exec(said);
        if (!match) {
          // Its end comes with the next frame; what never ends is let go.
          if (said.length - at < 4096) rest = said.slice(at);
          break;
        }
        at += match[0].length;
        if (match[2] === "h" && /^\?(?:47|1047|1049)$/.test(match[1] ?? "")) {
          end(frame.timeUs);
          isDrawn = true;
        } else if (match[2] !== undefined) line.edit(match[2], match[1] ?? "");
        continue;
      }
      if (char === "\n") end(frame.timeUs);
      else if (char === "\r") line.return();
      else if (char === "\b") line.back();
      else if (char === "\t") line.put(" ", frame.timeUs);
      else if (char >= " " && char !== "\u007f") {
        const whole = String.fromCodePoint(said.codePointAt(at) ?? 0);
        line.put(whole, frame.timeUs);
        at += whole.length;
        continue;
      }
      at++;
    }
  }
  end(frames.at(-1)?.timeUs ?? 0);
  return lines;
}

/** The lines that hold the words, in any case. A full-screen program draws the same again and again: only the first counts. */
export function findIn(lines: readonly ShownLine[], words: string): ShownLine[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return [];
  let lastDrawn = "";
  return lines.filter(({ text, isDrawn }) => {
    if (!isDrawn) lastDrawn = "";
    if (!text.toLowerCase().includes(wanted)) return false;
    if (isDrawn && text === lastDrawn) return false;
    if (isDrawn) lastDrawn = text;
    return true;
  });
}
