import { assert, ByteReader, ByteWriter, fromUtf8 } from "@gatehouse/kernel";

/** One line of text that stood on the screen. */
export type IndexedLine = {
  /** When it stood there as it is: it can be read at this moment. */
  fromUs: number;
  /** When it was last seen so: it scrolled off, was cleared, or became another. */
  toUs: number;
  text: string;
};

const lossy = new TextDecoder();

/** A longer line goes on in the next entry. */
export const lineCharsMax = 4_096;

/** One whose text is the ASCII from `start` to `end`. */
export type AsciiLine = Omit<IndexedLine, "text"> & { bytes: Uint8Array; start: number; end: number };

/** In the order in which lines left the screen, so times may go back: a difference is written with its sign (zigzag). */
export class LinesWriting {
  readonly #writer = new ByteWriter(64 * 1024);
  #lastUs = 0;

  add(line: IndexedLine | AsciiLine): void {
    const { fromUs, toUs } = line;
    assert(toUs >= fromUs, "a line goes after it came");
    const difference = fromUs - this.#lastUs;
    this.#lastUs = fromUs;
    this.#writer.varint(difference < 0 ? -2 * difference - 1 : 2 * difference);
    this.#writer.varint(toUs - fromUs);
    if ("text" in line) this.#writer.text(line.text);
    else this.#writer.varint(line.end - line.start).putPart(line.bytes, line.start, line.end);
  }

  done(): Uint8Array {
    return this.#writer.done();
  }
}

/** All that stands in a block as one text, each line between line feeds: what is not in it is in none of them. */
export function textOfLines(block: Uint8Array): string {
  // A copy: of a Buffer, `slice` would be none.
  const text = new Uint8Array(block);
  for (let at = 0; at < text.length;) {
    let length = 0;
    // Both times, and then how long the line is.
    for (let n = 0; n < 3; n++) {
      length = 0;
      for (let scale = 1, byte = 0x80; byte >= 0x80; scale *= 128) {
        byte = text[at] ?? 0;
        length += (byte & 0x7f) * scale;
        text[at++] = 0x0a;
      }
    }
    at += length;
  }
  return lossy.decode(text);
}

/** Throws `protocol` where the block is cut short, and `invalid` for what is not UTF-8. */
export function decodeLines(bytes: Uint8Array): IndexedLine[] {
  const reader = new ByteReader(bytes, "index.text");
  const lines: IndexedLine[] = [];
  let lastUs = 0;
  while (reader.remaining > 0) {
    const folded = reader.varint();
    const fromUs = lastUs + (folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2);
    lastUs = fromUs;
    const toUs = fromUs + reader.varint();
    lines.push({ fromUs, toUs, text: fromUtf8(reader.take(reader.varint())) });
  }
  return lines;
}
