import { assert, type Clock, GatehouseError, messageOf, type Random } from "@gatehouse/kernel";
import type { DiskFile } from "./disk.ts";
import {
  endMarkBytes,
  type Entry,
  entryHeaderBytes,
  fileHeaderBytes,
  groupBytes,
  groupHeaderBytes,
  nonceBytes,
  writeFileHeader,
  writeGroup,
} from "./journal-layout.ts";
import { unavailable } from "./unavailable.ts";

/** Whoever commits to the journal. Its items wait until a group is built, so that one record holds all that gathered. */
export type EntrySource<Item> = {
  encode(items: readonly Item[]): readonly Entry[];
  committed(items: readonly Item[], file: JournalFile): void;
  failed(items: readonly Item[], error: GatehouseError): void;
};

/** One file of the journal. `pins` counts those who still need what lies in it. */
export type JournalFile = {
  readonly name: string;
  readonly handle: DiskFile;
  readonly bytes: number;
  nonce: Uint8Array;
  pins: number;
};

/** Frames that are committed together. All who append to it share its promise. */
type Group = {
  readonly items: Map<EntrySource<unknown>, unknown[]>;
  bytes: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: GatehouseError) => void;
};

export type JournalOptions = {
  clock: Clock;
  random: Random;
  groupBytesMax: number;
  /** How long a commit waits for company when nothing is in flight; 0 does not wait. */
  commitDelayMs: number;
};

/**
 * The write path of the journal: one group at a time is on its way to the disk, and what is appended meanwhile gathers in
 * the next. Each group is one positioned write to a file opened with O_DSYNC, over zeros that are already on the disk, so
 * that nothing but the data has to reach it.
 */
export class Journal {
  readonly #options: JournalOptions;
  /** Files that hold something needed, oldest first; the last one is being written. */
  readonly #used: JournalFile[] = [];
  /** Files to write to next, longest unused first: what they hold is older than anything in use. */
  readonly #free: JournalFile[] = [];
  readonly #queue: Group[] = [];
  #scratch: Buffer;
  #files = 0;
  #fileBytes = 0;
  /** Of those in `#free`. Kept, because whoever reads from a socket asks for the room that is left. */
  #freeFilesBytes = 0;
  #smallestFileBytes = Number.MAX_SAFE_INTEGER;
  #queuedBytes = 0;
  #scheduled = false;
  #flying: Group | undefined;
  #at = 0;
  #nextSeq: number;
  #committedSeq: number;
  #failure: GatehouseError | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  /** `lastGroup` is the highest number ever used, `committed` the last group that is surely on disk. */
  constructor(options: JournalOptions, last: { lastGroup: number; committed: number }) {
    this.#options = options;
    // One number is left out, because a torn write may bear it.
    this.#nextSeq = last.lastGroup + 2;
    this.#committedSeq = last.committed;
    // Touched once here: a page that is first written during a commit would have to be found then.
    this.#scratch = Buffer.alloc(fileHeaderBytes + 2 * options.groupBytesMax + endMarkBytes);
  }

  get failure(): GatehouseError | undefined {
    return this.#failure;
  }
  get capacityBytes(): number {
    return this.#fileBytes - this.#files * overheadBytes;
  }
  /** What the files take of the disk. */
  get fileBytes(): number {
    return this.#fileBytes;
  }
  /** What can still be committed before a file must be released, less what already waits. */
  get freeBytes(): number {
    const active = this.#used.at(-1);
    const left = active ? Math.max(0, active.bytes - this.#at) : 0;
    return left + this.#freeFilesBytes - this.#free.length * overheadBytes - this.#queuedBytes;
  }
  /** The largest frame that surely fits. */
  get itemBytesMax(): number {
    return this.#smallestFileBytes - fileHeaderBytes - groupHeaderBytes - this.#options.groupBytesMax;
  }
  /** The file that must be released first, unless it is the one being written. */
  get oldest(): JournalFile | undefined {
    return this.#used.length > 1 ? this.#used[0] : undefined;
  }

  /** Takes a file into use. Its content is older than that of all taken before, or nothing. */
  add(file: JournalFile): void {
    this.#files++;
    this.#fileBytes += file.bytes;
    this.#free.push(file);
    this.#freeFilesBytes += file.bytes;
    this.#smallestFileBytes = Math.min(this.#smallestFileBytes, file.bytes);
  }

  /** Adds to the group that is gathering. The promise is the group's. Not to be called while `failure` is set. */
  append<Item>(source: EntrySource<Item>, item: Item, bytes: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    let group = this.#queue.at(-1);
    if (!group || (group.bytes > 0 && group.bytes + bytes > this.#options.groupBytesMax)) {
      group = newGroup();
      this.#queue.push(group);
    }
    group.bytes += bytes;
    this.#queuedBytes += bytes;
    const key = source as EntrySource<unknown>;
    const items = group.items.get(key);
    if (items) items.push(item);
    else group.items.set(key, [item]);
    if (!this.#flying) this.#schedule();
    return group.done;
  }

  /** Lets go of one pin, and of every file at the old end that nobody needs. */
  release(file: JournalFile): void {
    file.pins--;
    for (;;) {
      const [oldest] = this.#used;
      if (this.#used.length < 2 || !oldest || oldest.pins > 0) return;
      this.#used.shift();
      this.#free.push(oldest);
      this.#freeFilesBytes += oldest.bytes;
    }
  }

  /** After a failure: begins a new file, and works again if that can be written. */
  async revive(): Promise<void> {
    if (!this.#failure || this.#closed || this.#flying) return;
    const failure = this.#failure;
    this.#failure = undefined;
    // The failed write may be found on the disk some day, so its sequence is not used again.
    this.#nextSeq++;
    const probe: EntrySource<string> = { encode: () => [], committed() {}, failed() {} };
    await this.append(probe, "probe", 0).catch((error: unknown) => {
      this.#failure ??= failure;
      throw error;
    });
  }

  /** Commits what waits, then closes the files. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failure ??= unavailable("journal.append", "the journal is closed");
    if (this.#flying || this.#queue.length > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const file of [...this.#used, ...this.#free]) await file.handle.close().catch(() => {});
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = () => {
      this.#scheduled = false;
      this.#flush();
    };
    // When every socket that has something was read, so that all of it goes together.
    if (this.#options.commitDelayMs === 0) setImmediate(flush);
    else this.#options.clock.after(this.#options.commitDelayMs, flush);
  }

  #flush(): void {
    const group = this.#queue.shift();
    if (!group) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#queuedBytes -= group.bytes;
    this.#flying = group;
    let file: JournalFile;
    let begins: boolean;
    let written: Promise<void>;
    try {
      ({ file, begins, written } = this.#write(group));
    } catch (error) {
      // Full, or an encoder of ours threw. Nothing was written and the journal is sound, but whoever loses frames in this
      // group may have more in those that wait, which must then not be committed: a recording has no holes.
      this.#fail(group, error instanceof GatehouseError ? error : notCommitted(error));
      return;
    }
    written.then(
      () => {
        this.#committedSeq = this.#nextSeq++;
        for (const [source, items] of group.items) source.committed(items, file);
        group.resolve();
        this.#next();
      },
      (error: unknown) => {
        this.#failure = notCommitted(error);
        // What was written is unknown, so this file is not continued; one just begun has nothing and can be begun again.
        this.#at = Number.MAX_SAFE_INTEGER;
        if (begins) {
          this.#free.unshift(this.#used.pop() as JournalFile);
          this.#freeFilesBytes += file.bytes;
        }
        this.#fail(group, this.#failure);
      },
    );
  }

  #write(group: Group): { file: JournalFile; begins: boolean; written: Promise<void> } {
    const entries: Entry[] = [];
    let bodyBytes = 0;
    for (const [source, items] of group.items)
      for (const entry of source.encode(items)) {
        entries.push(entry);
        bodyBytes += entryHeaderBytes + entry.bytes;
      }
    const bytes = groupBytes(bodyBytes);
    let file = this.#used.at(-1);
    const begins = !file || this.#at + bytes > file.bytes;
    if (begins) {
      file = this.#free[0];
      if (!file)
        throw unavailable(
          "journal.append",
          "the journal is full",
          "The store or the spool may be slow or down.",
        );
      assert(fileHeaderBytes + bytes <= file.bytes, "a group fits into a file");
      this.#free.shift();
      this.#freeFilesBytes -= file.bytes;
      file.nonce = this.#options.random.bytes(nonceBytes);
      this.#used.push(file);
    }
    const into = this.#room(fileHeaderBytes + bytes + endMarkBytes);
    const from = begins ? 0 : this.#at;
    if (begins)
      writeFileHeader(into, {
        nonce: (file as JournalFile).nonce,
        firstGroup: this.#nextSeq,
        committed: this.#committedSeq,
      });
    const at = begins ? fileHeaderBytes : 0;
    const end = writeGroup(into, at, {
      nonce: (file as JournalFile).nonce,
      seq: this.#nextSeq,
      entries,
      bodyBytes,
    });
    const length = Math.min(end + endMarkBytes, (file as JournalFile).bytes - from);
    this.#at = from + end;
    return {
      file: file as JournalFile,
      begins,
      written: (file as JournalFile).handle.write(into.subarray(0, length), from),
    };
  }

  /** A buffer for one group. One is in flight at a time, so one is enough; a giant frame gets its own. */
  #room(bytes: number): Buffer {
    return bytes <= this.#scratch.length ? this.#scratch.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
  }

  #fail(flying: Group, error: GatehouseError): void {
    const lost = [flying, ...this.#queue.splice(0)];
    this.#queuedBytes = 0;
    for (const group of lost) {
      for (const [source, items] of group.items) source.failed(items, error);
      group.reject(error);
    }
    this.#next();
  }

  #next(): void {
    this.#flying = undefined;
    // After the reactions to this commit, which may append more.
    queueMicrotask(() => {
      if (!this.#flying && !this.#scheduled) this.#flush();
    });
  }
}

/** What of a file holds no group, in the worst case. */
const overheadBytes = fileHeaderBytes + groupHeaderBytes;

function newGroup(): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever appended hears of it; a source that only counts need not.
  promise.catch(() => {});
  return { items: new Map(), bytes: 0, done: promise, resolve, reject };
}

function notCommitted(error: unknown): GatehouseError {
  return unavailable(
    "journal.append",
    `the journal cannot be written (${messageOf(error)})`,
    "Look at the disk that holds the journal.",
    error,
  );
}
