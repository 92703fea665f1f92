import { trigramsIn } from "./fold.ts";

/** Raise it when the same text would give another filter: those there are are made anew. */
export const filterVersion = 1;

/** 32 bytes that only who has the key can make of a trigram (HMAC-SHA256). Keys differ by recording and lane. */
export type TrigramMac = (trigram: string) => Uint8Array;

/** A bit for each of these words of a MAC: with ten bits for a trigram one question in about a hundred is answered wrongly. */
const words = 7;
const bitsEach = 10;
/** Sizes are rounded up, so that they tell no more than about how much text there is. */
const roundBytes = 128;
/** Distinct trigrams beyond which narrowing is not worth its place: what is random has all of them. */
const trigramsMax = 500_000;

const asciiBits = 7;
/** What each character of ASCII folds to. */
const lowered = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x41 && code <= 0x5a ? code | 0x20 : code,
);

/** Gathers the trigrams of a text, line by line. */
export class TrigramFilterMaking {
  /** Most text is ASCII: one bit for each of its trigrams. */
  readonly #ascii = new Uint8Array(1 << (3 * asciiBits - 3));
  readonly #others = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A find lies within one text. */
  add(text: string): void {
    if (this.#count >= trigramsMax || this.#addText(text)) return;
    for (const trigram of trigramsIn(text)) {
      if (isAscii(trigram)) this.#addText(trigram);
      else if (!this.#others.has(trigram)) {
        this.#others.add(trigram);
        this.#count++;
      }
    }
  }

  /** The same of a text that is the ASCII from `start` to `end`. */
  addAscii(bytes: Uint8Array, start: number, end: number): void {
    if (this.#count >= trigramsMax || end - start < 3) return;
    const ascii = this.#ascii;
    const folded = (i: number) => lowered[bytes[i] as number] as number;
    let at = (folded(start) << asciiBits) | folded(start + 1);
    for (let i = start + 2; i < end; i++) {
      at = ((at << asciiBits) | folded(i)) & 0x1f_ffff;
      if (((ascii[at >>> 3] as number) & (1 << (at & 7))) === 0) this.#note(at);
    }
  }

  /** Empty where there is too much to narrow: such a filter may hold everything. */
  finish(mac: TrigramMac): Uint8Array {
    if (this.#count >= trigramsMax) return new Uint8Array(0);
    const bytes = Math.max(1, Math.ceil((this.#count * bitsEach) / 8 / roundBytes)) * roundBytes;
    const filter = new Uint8Array(bytes);
    for (const trigram of this.#all())
      for (const bit of bitsOf(mac(trigram), bytes))
        filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
    return filter;
  }

  /** False at the first character that is not ASCII: those before fold to themselves, so what was added is right. */
  #addText(text: string): boolean {
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      at = ((at << asciiBits) | (lowered[code] as number)) & 0x1f_ffff;
      if (i >= 2 && ((this.#ascii[at >>> 3] as number) & (1 << (at & 7))) === 0) this.#note(at);
    }
    return true;
  }

  #note(at: number): void {
    this.#ascii[at >>> 3] = (this.#ascii[at >>> 3] as number) | (1 << (at & 7));
    this.#count++;
  }

  *#all(): Generator<string> {
    // Most of it is empty, and looked at four bytes at a time.
    const words = new Uint32Array(this.#ascii.buffer);
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      for (let at = 32 * word; at < 32 * (word + 1); at++)
        if (((this.#ascii[at >>> 3] as number) & (1 << (at & 7))) !== 0)
          yield String.fromCharCode(at >>> 14, (at >>> 7) & 127, at & 127);
    }
    yield* this.#others;
  }
}

/** False only where the text that the filter was made of does not have this trigram. */
export function filterMayHold(filter: Uint8Array, mac: Uint8Array): boolean {
  if (filter.length === 0) return true;
  for (const bit of bitsOf(mac, filter.length))
    if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  return true;
}

function* bitsOf(mac: Uint8Array, bytes: number): Generator<number> {
  const view = new DataView(mac.buffer, mac.byteOffset, mac.byteLength);
  for (let word = 0; word < words; word++) yield view.getUint32(4 * word) % (8 * bytes);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
