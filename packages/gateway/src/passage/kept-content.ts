import { toHex } from "@gatehouse/kernel";
import {
  type FrameKind,
  type QueryRows,
  type QueryValue,
  encodeQueryData,
  encodeQueryRows,
} from "@gatehouse/recording";

/** How much of what a database gave and got is kept, by a target's policy. */
export type KeepLimits = { rows: number; copyBytes: number };
type RecordFrame = (kind: FrameKind, data: Uint8Array) => Promise<void>;

const fatal = new TextDecoder("utf-8", { fatal: true });

/** How many rows were kept of what is fetched in several parts. */
export type Counted = { rows: number };

/** The rows of each result, from the first one on up to a limit. */
export class KeptRows {
  readonly #max: number;
  readonly #record: RecordFrame;
  #statement = 0;
  #result = 0;
  #from = 0;
  #count: Counted = { rows: 0 };
  #batch: QueryRows | undefined;
  #recorded: Promise<void>[] = [];

  constructor(max: number, record: RecordFrame) {
    this.#max = max;
    this.#record = record;
  }
  /** Whether the next row of this result is kept. What is `counted` before was kept of other parts of the same. */
  wants(statement: number, result: number, counted?: Counted): boolean {
    if (statement === 0) return false;
    if (statement !== this.#statement || result !== this.#result) {
      this.#close();
      this.#statement = statement;
      this.#result = result;
      this.#from = 0;
      this.#count = counted ?? { rows: 0 };
    }
    return this.#count.rows < this.#max;
  }
  /** One that is wanted. `columns` are kept with the first. */
  add(row: QueryValue[], columns: QueryRows["columns"]): void {
    this.#batch ??= {
      statement: this.#statement,
      result: this.#result,
      from: this.#from,
      rows: [],
      ...(this.#from === 0 && columns && { columns }),
    };
    this.#batch.rows.push(row);
    this.#from++;
    this.#count.rows++;
  }
  /** No more of this result: a row that is too large, or that cannot be read. */
  enough(): void {
    this.#count.rows = Infinity;
  }
  /** What is to be durable before the rows since the last call are shown. */
  kept(): Promise<void>[] {
    this.#close();
    return this.#recorded.splice(0);
  }
  #close(): void {
    if (this.#batch) this.#recorded.push(this.#record("query.rows", encodeQueryRows(this.#batch)));
    this.#batch = undefined;
  }
}

/** The content of copies in one direction, up to a limit each. */
export class KeptCopy {
  readonly #max: number;
  readonly #direction: "in" | "out";
  readonly #record: RecordFrame;
  #statement = 0;
  #offset = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #recorded: Promise<void>[] = [];

  constructor(max: number, direction: "in" | "out", record: RecordFrame) {
    this.#max = max;
    this.#direction = direction;
    this.#record = record;
  }
  add(statement: number, piece: Uint8Array): void {
    if (statement !== this.#statement) this.ended();
    this.#statement = statement;
    const kept = piece.subarray(0, Math.max(0, this.#max - this.#offset - this.#pendingBytes));
    if (kept.length === 0) return;
    this.#pending.push(kept);
    this.#pendingBytes += kept.length;
  }
  /** The next copy has a limit of its own. */
  ended(): void {
    this.#flush();
    this.#offset = 0;
  }
  /** What is to be durable before the pieces since the last call pass. */
  kept(): Promise<void>[] {
    this.#flush();
    return this.#recorded.splice(0);
  }
  #flush(): void {
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    const data = encodeQueryData({
      statement: this.#statement,
      direction: this.#direction,
      offset: this.#offset,
      data: shown(bytes),
    });
    this.#offset += bytes.length;
    this.#recorded.push(this.#record("query.data", data));
  }
}

function shown(bytes: Uint8Array): QueryValue {
  try {
    return { text: fatal.decode(bytes) };
  } catch {
    return { hex: toHex(bytes) };
  }
}
