import { type IndexDirectory, type IndexSealer, indexLimits } from "../index/mod.ts";

type Entry = IndexDirectory["text"][number];
/** One block that is being written. */
type Block<T> = { add(item: T): void; done(): Uint8Array };

/** Gathers what belongs to one part of an index and seals it block by block. */
export class BlockWriter<T> {
  readonly #part: "pictures" | "text" | "events";
  readonly #sealer: IndexSealer;
  readonly #begin: () => Block<T>;
  #block: Block<T> | undefined;
  #weight = 0;
  #sealing: Promise<void> = Promise.resolve();
  /** The last of them is not closed while there is a block. */
  readonly entries: Entry[] = [];
  readonly blocks: Uint8Array[] = [];
  bytes = 0;

  constructor(fields: { part: "pictures" | "text" | "events"; sealer: IndexSealer; begin: () => Block<T> }) {
    this.#part = fields.part;
    this.#sealer = fields.sealer;
    this.#begin = fields.begin;
  }

  /** What is of the time from `fromUs` to `toUs`. `weight` is counted against `weightMax` of a block. */
  add(item: T, { fromUs, toUs }: { fromUs: number; toUs: number }, weight: number, weightMax: number): void {
    if (this.#weight > 0 && this.#weight + weight > weightMax) this.#close();
    if (!this.#block) {
      this.#block = this.#begin();
      this.entries.push({ bytes: 0, count: 0, fromUs, toUs });
    }
    const entry = this.entries.at(-1) as Entry;
    entry.count++;
    if (fromUs < entry.fromUs) entry.fromUs = fromUs;
    if (toUs > entry.toUs) entry.toUs = toUs;
    this.#block.add(item);
    this.#weight += weight;
  }

  /** Resolves when all that was closed is sealed. */
  async sealed(): Promise<void> {
    await this.#sealing;
  }

  async finish(): Promise<void> {
    this.#close();
    await this.#sealing;
  }

  get isFull(): boolean {
    return this.entries.length >= indexLimits.blocksMax - 1;
  }

  #close(): void {
    if (!this.#block) return;
    const plain = this.#block.done();
    this.#block = undefined;
    this.#weight = 0;
    const n = this.entries.length - 1;
    const entry = this.entries[n] as Entry;
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

/** Of a part that is encoded at once. */
export function gathered<T>(encode: (items: readonly T[]) => Uint8Array): () => Block<T> {
  return () => {
    const items: T[] = [];
    return { add: (item) => void items.push(item), done: () => encode(items) };
  };
}
