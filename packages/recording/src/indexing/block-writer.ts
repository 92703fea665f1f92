import { type IndexDirectory, type IndexSealer, indexLimits } from "../index/mod.ts";

type Entry = IndexDirectory["text"][number];

/** Gathers what belongs to one part of an index and seals it block by block. */
export class BlockWriter<T> {
  readonly #part: "pictures" | "text" | "events";
  readonly #sealer: IndexSealer;
  readonly #encode: (items: readonly T[]) => Uint8Array;
  readonly #span: (item: T) => { fromUs: number; toUs: number };
  #items: T[] = [];
  #weight = 0;
  #sealing: Promise<void> = Promise.resolve();
  readonly entries: Entry[] = [];
  readonly blocks: Uint8Array[] = [];
  bytes = 0;

  constructor(fields: {
    part: "pictures" | "text" | "events";
    sealer: IndexSealer;
    encode: (items: readonly T[]) => Uint8Array;
    span: (item: T) => { fromUs: number; toUs: number };
  }) {
    this.#part = fields.part;
    this.#sealer = fields.sealer;
    this.#encode = fields.encode;
    this.#span = fields.span;
  }

  /** `weight` is counted against `weightMax` of a block. */
  add(item: T, weight: number, weightMax: number): void {
    if (this.#weight > 0 && this.#weight + weight > weightMax) this.#close();
    this.#items.push(item);
    this.#weight += weight;
  }

  /** Resolves when all that was closed is sealed. */
  async sealed(): Promise<void> {
    await this.#sealing;
  }

  async finish(): Promise<void> {
    if (this.#items.length > 0) this.#close();
    await this.#sealing;
  }

  get isFull(): boolean {
    return this.entries.length >= indexLimits.blocksMax - 1;
  }

  #close(): void {
    const items = this.#items;
    this.#items = [];
    this.#weight = 0;
    let fromUs = Number.MAX_SAFE_INTEGER;
    let toUs = 0;
    for (const item of items) {
      const span = this.#span(item);
      fromUs = Math.min(fromUs, span.fromUs);
      toUs = Math.max(toUs, span.toUs);
    }
    const entry: Entry = { bytes: 0, count: items.length, fromUs, toUs };
    const n = this.entries.push(entry) - 1;
    const plain = this.#encode(items);
    this.#sealing = this.#sealing.then(async () => {
      const sealed = await this.#sealer.seal(this.#part, n, plain);
      entry.bytes = sealed.length;
      this.bytes += sealed.length;
      this.blocks.push(sealed);
    });
    // Whoever waits for it is told; until then it is nobody's.
    this.#sealing.catch(() => undefined);
  }
}
