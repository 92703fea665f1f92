import { type Hash, createHash } from "node:crypto";
import { ByteRanges, type FileOperation } from "@gatehouse/recording";

/** What names a file in an operation. */
export type FileName = Pick<FileOperation, "path" | "pathBytes">;
export type OpenFlag = NonNullable<FileOperation["flags"]>[number];
/** What passed through a file, as an operation tells it. */
export type Transfer = Pick<
  FileOperation,
  "ranges" | "rangesExact" | "bytesRead" | "bytesWritten" | "sha256" | "partial"
>;

/** A handle that the target gave out, and what passed through it. */
export class OpenFile {
  readonly operation: number;
  readonly name: FileName;
  readonly upload: Passage;
  readonly download: Passage;
  readonly #flags: readonly OpenFlag[];
  /** Nothing of an earlier content is left: truncated when opened, newly made, or cut to what was written. */
  #fresh: boolean;
  /** The size that the target told last. */
  size: number | undefined;
  /** The end of the file was met at this offset. */
  endAt: number | undefined;
  /** Of a directory handle: names delivered. */
  entries: number | undefined;

  constructor(operation: number, name: FileName, flags: readonly OpenFlag[], kind: "file" | "directory") {
    this.operation = operation;
    this.name = name;
    this.#flags = flags;
    this.#fresh = flags.includes("truncate") || (flags.includes("create") && flags.includes("exclusive"));
    this.entries = kind === "directory" ? 0 : undefined;
    this.upload = new Passage("bytesWritten");
    this.download = new Passage("bytesRead");
    if (flags.includes("append")) this.upload.spoil("appended");
  }
  /** The target cut the file to `size`. */
  truncated(size: number): void {
    if (size === this.upload.next) this.#fresh = true;
  }
  /** What was written; also for a file opened to write and closed at once, which is an empty upload. */
  uploaded(): Transfer | undefined {
    if (!this.upload.touched && !this.#flags.includes("write")) return undefined;
    return this.upload.transfer(this.#fresh ? undefined : "the file was not truncated");
  }
  downloaded(): Transfer | undefined {
    if (!this.download.touched) return undefined;
    const atEnd = this.endAt === this.download.next || this.size === this.download.next;
    return this.download.transfer(atEnd ? undefined : "the end was not read");
  }
}

/** One direction of a file's contents: hashed as long as it comes in order from the first byte. */
export class Passage {
  readonly #counted: "bytesRead" | "bytesWritten";
  readonly #ranges = new ByteRanges();
  #hash: Hash | undefined;
  #spoiled: string | undefined;
  /** Where the next byte in order is. */
  next = 0;
  /** All that passed, counting twice what passed twice. */
  bytes = 0;
  touched = false;
  /** For the caller's own bookkeeping of progress frames. */
  bytesReported = 0;

  constructor(counted: "bytesRead" | "bytesWritten") {
    this.#counted = counted;
  }
  /** The whole can no longer be hashed. The first reason is kept. */
  spoil(why: string): void {
    this.#spoiled ??= why;
    this.#hash = undefined;
  }
  /** `bytes` of file data at `offset` follow by `data`. */
  start(offset: number, bytes: number): void {
    this.touched = true;
    if (offset !== this.next) this.spoil("out of order");
    this.#ranges.add(offset, offset + bytes);
    this.bytes += bytes;
    this.next = Math.max(this.next, offset + bytes);
  }
  data(view: Uint8Array): void {
    if (this.#spoiled !== undefined) return;
    this.#hash ??= createHash("sha256");
    this.#hash.update(view);
  }
  /** `partial` is why the whole file did not pass although all went in order. */
  transfer(partial: string | undefined): Transfer {
    const why = this.#spoiled ?? partial;
    const transfer: Transfer = {
      [this.#counted]: this.bytes,
      ranges: this.#ranges.list(),
      rangesExact: this.#ranges.exact,
    };
    if (this.#spoiled === undefined)
      // A copy, so that the hash can go on after a progress frame.
      transfer.sha256 = (this.#hash?.copy() ?? createHash("sha256")).digest("hex");
    if (why !== undefined) transfer.partial = why;
    return transfer;
  }
}
