import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rmdir,
  stat,
  statfs,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Clock,
  equalBytes,
  GatehouseError,
  isGatehouseError,
  messageOf,
  type Random,
  toHex,
} from "@gatehouse/kernel";
import type { ObjectStore, StoreProbe } from "@gatehouse/recording/pipeline";
import { checkKey, checkPrefix } from "../object-key.ts";
import { ImmutableAttribute } from "./immutable.ts";

export type FilesystemStoreOptions = {
  /** Made when it does not exist. All of it should be on one file system that knows hard links. */
  directory: string;
  clock: Clock;
  random: Random;
  /** Also set the immutable attribute until an object's retention has ended. Takes root, `chattr` and ext4, XFS or btrfs. */
  immutable?: boolean;
};

/** Where objects are written until they are whole; the dot keeps it out of every key. */
const incoming = ".incoming";
/** Marks of objects that are held: an empty file for each, under its own key. */
const holds = ".holds";
const hashChunkBytes = 256 * 1024;
const abandonedAfterMs = 24 * 3_600_000;

/**
 * Objects as read-only files below a directory: `a/b/c` is that path. An object gets its name by link(2) when it is whole
 * and on the disk, so a name is never half an object and never given twice. The file's modification time is the end of
 * its retention, as WORM file servers have it, so it cannot be parted from the object and needs no file of its own.
 */
export function createFilesystemStore(options: FilesystemStoreOptions): ObjectStore {
  return new FilesystemStore(options);
}

class FilesystemStore implements ObjectStore {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #immutable: ImmutableAttribute | undefined;

  constructor(options: FilesystemStoreOptions) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#immutable = options.immutable ? new ImmutableAttribute() : undefined;
  }

  async create(key: string, bytes: Uint8Array, options: { retainUntilMs: number }): Promise<void> {
    const op = "store.create";
    checkKey(op, key);
    const path = this.#pathOf(key);
    await translated(op, key, async () => {
      const temporary = await this.#writeIncoming(bytes, options.retainUntilMs);
      try {
        await this.#link(temporary, path);
      } finally {
        await unlink(temporary);
      }
      await syncDirectory(dirname(path));
    });
    if (options.retainUntilMs > this.#clock.nowMs())
      await translated(op, key, async () => this.#immutable?.set(path));
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    const op = "store.read";
    checkKey(op, key);
    return translated(op, key, async () => {
      if (!range) return readFile(this.#pathOf(key));
      await using file = await open(this.#pathOf(key), constants.O_RDONLY);
      const { size } = await file.stat();
      const start = Math.min(Math.max(0, range.start), size);
      return readFrom(file, start, Math.min(range.end, size) - start);
    });
  }

  async stat(key: string): Promise<{ bytes: number; sha256: string }> {
    const op = "store.stat";
    checkKey(op, key);
    return translated(op, key, async () => {
      await using file = await open(this.#pathOf(key), constants.O_RDONLY);
      // In pieces through one buffer: neither is the object in memory, nor does a recorded keystroke wait for its hash.
      const hash = createHash("sha256");
      const buffer = Buffer.allocUnsafe(hashChunkBytes);
      for (let bytes = 0; ;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
        if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
        hash.update(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
    });
  }

  async list(prefix: string, options: { after?: string; limit?: number } = {}): Promise<string[]> {
    const op = "store.list";
    checkPrefix(op, prefix);
    const { after, limit = Number.POSITIVE_INFINITY } = options;
    const keys: string[] = [];
    if (limit <= 0) return keys;
    return translated(op, prefix, async () => {
      for await (const key of this.#walk(prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix, after)) {
        keys.push(key);
        if (keys.length >= limit) break;
      }
      return keys;
    });
  }

  async remove(key: string): Promise<void> {
    const op = "store.remove";
    checkKey(op, key);
    const path = this.#pathOf(key);
    await translated(op, key, async () => {
      const { mtimeMs } = await stat(path);
      if (mtimeMs > this.#clock.nowMs())
        throw new GatehouseError({
          code: "denied",
          op,
          message: `${key} is retained until ${new Date(mtimeMs).toISOString()}`,
        });
      if (await this.#isHeld(key))
        throw new GatehouseError({ code: "denied", op, message: `${key} is under a legal hold` });
      await this.#immutable?.clear(path);
      await unlink(path);
      await syncDirectory(dirname(path));
      await this.#removeEmptyParents(path);
    });
  }

  async retention(key: string): Promise<{ untilMs: number; held: boolean }> {
    const op = "store.retention";
    checkKey(op, key);
    return translated(op, key, async () => {
      const { mtimeMs } = await stat(this.#pathOf(key));
      return { untilMs: mtimeMs, held: await this.#isHeld(key) };
    });
  }

  async hold(key: string, held: boolean): Promise<"backend" | "gatehouse"> {
    const op = "store.hold";
    checkKey(op, key);
    const mark = this.#markOf(key);
    await translated(op, key, async () => {
      const { mtimeMs } = await stat(this.#pathOf(key));
      if (held) {
        await this.#makeParents(mark);
        await using file = await open(mark, "a", 0o400);
        await file.sync();
        await syncDirectory(dirname(mark));
        if (mtimeMs <= this.#clock.nowMs()) await this.#immutable?.set(this.#pathOf(key));
      } else {
        await unlink(mark).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        });
        await this.#removeEmptyParents(mark);
      }
    });
    // The attribute stays until `remove`, which clears it: what it guards, root itself cannot remove by accident.
    return this.#immutable ? "backend" : "gatehouse";
  }

  /** A file's date is compared with this machine's clock alone. */
  clockAheadMs(): undefined {
    return undefined;
  }

  async probe(): Promise<StoreProbe> {
    const op = "store.probe";
    const key = `probe/${toHex(this.#random.bytes(16))}`;
    const path = this.#pathOf(key);
    const bytes = this.#random.bytes(64);
    try {
      await this.create(key, bytes, { retainUntilMs: this.#clock.nowMs() + 60_000 });
      if (!equalBytes(await this.read(key), bytes))
        throw new Error("a probe object was read back with other bytes");
      const again = await this.create(key, bytes, { retainUntilMs: 0 }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!isGatehouseError(again, "conflict")) throw new Error("a probe object could be written twice");
      const overwrite = await refuses(async () => (await open(path, "r+")).close());
      const deletion = await refuses(() => unlink(path));
      await this.#removeAbandoned();
      return {
        overwrite: overwrite ? "backend" : "gatehouse",
        deletion: deletion ? "backend" : "gatehouse",
        findings: await this.#findings(overwrite, deletion),
      };
    } catch (error) {
      throw new GatehouseError({
        code: "unavailable",
        op,
        message: `the store in ${this.#directory} is not usable: ${messageOf(error)}`,
        hint: "See that the directory exists, belongs to the gateway's account and has space.",
        cause: error,
      });
    } finally {
      await this.#removeProbe(path).catch(() => {});
    }
  }

  #pathOf(key: string): string {
    return join(this.#directory, key);
  }

  #markOf(key: string): string {
    return join(this.#directory, holds, key);
  }

  #isHeld(key: string): Promise<boolean> {
    return stat(this.#markOf(key)).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
        throw error;
      },
    );
  }

  async #writeIncoming(bytes: Uint8Array, retainUntilMs: number): Promise<string> {
    const directory = join(this.#directory, incoming);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = join(directory, toHex(this.#random.bytes(16)));
    const file = await open(temporary, "wx", 0o400);
    try {
      await file.writeFile(bytes);
      const seconds = retainUntilMs / 1000;
      await file.utimes(seconds, seconds);
      await file.sync();
      const { mtimeMs } = await file.stat();
      if (mtimeMs < retainUntilMs - 1000)
        throw new Error(`this file system cannot keep the date ${new Date(retainUntilMs).toISOString()}`);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return temporary;
  }

  async #link(temporary: string, path: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      await this.#makeParents(path);
      try {
        await link(temporary, path);
        return;
      } catch (error) {
        // A removal may have taken the emptied directory away just now.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt > 3) throw error;
      }
    }
  }

  async #makeParents(path: string): Promise<void> {
    const first = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // `first` is the topmost directory that is new: its name, and those of all below it, must last too.
    for (let made = dirname(path); made.length >= first.length; made = dirname(made))
      await syncDirectory(dirname(made));
  }

  async #removeEmptyParents(path: string): Promise<void> {
    for (
      let directory = dirname(path);
      directory.length > this.#directory.length;
      directory = dirname(directory)
    )
      try {
        await rmdir(directory);
      } catch {
        return;
      }
  }

  /** Keys below `directory` (`a/b/`, or nothing) in the order of their bytes, beginning with `prefix`, after `after`. */
  async *#walk(directory: string, prefix: string, after: string | undefined): AsyncGenerator<string> {
    const entries = await readdir(join(this.#directory, directory), { withFileTypes: true }).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      },
    );
    // A directory stands in the order by its name and the slash: `a.b` comes before `a/b`.
    const names = entries
      .filter((entry) => !entry.name.startsWith("."))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort();
    for (const name of names) {
      const key = directory + name;
      if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
      if (!key.endsWith("/")) {
        if (after === undefined || key > after) yield key;
      } else if (after === undefined || key > after || after.startsWith(key))
        yield* this.#walk(key, prefix, after);
    }
  }

  async #findings(overwrite: boolean, deletion: boolean): Promise<StoreProbe["findings"]> {
    const findings: StoreProbe["findings"][number][] = [];
    if (overwrite && deletion)
      findings.push({
        level: "ok",
        message: "objects can be neither changed nor removed before their retention ends",
      });
    else
      findings.push({
        level: "warning",
        message: `${overwrite ? "removing" : "changing and removing"} an object before its time is refused by Gatehouse only: whoever has its account can do it`,
        hint: "Run with `store.immutable: true` as root on ext4, XFS or btrfs, or use a store with object lock.",
      });
    const { bavail, bsize } = await statfs(this.#directory);
    const free = bavail * bsize;
    if (free < 1024 ** 3)
      findings.push({
        level: "warning",
        message: `only ${Math.floor(free / 1024 ** 2)} MiB are free for recordings`,
      });
    return findings;
  }

  async #removeProbe(path: string): Promise<void> {
    await this.#immutable?.clear(path).catch(() => {});
    await unlink(path).catch(() => {});
    await this.#removeEmptyParents(path);
  }

  /** Incoming files of processes that died; a day is longer than any write. */
  async #removeAbandoned(): Promise<void> {
    const directory = join(this.#directory, incoming);
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const found = await stat(path).catch(() => undefined);
      if (found && found.ctimeMs < this.#clock.nowMs() - abandonedAfterMs) await unlink(path).catch(() => {});
    }
  }
}

async function readFrom(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const into = Buffer.allocUnsafe(Math.max(0, length));
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, start + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return into.subarray(0, done);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY);
  await directory.sync();
}

/** Whether the operating system refuses it. */
async function refuses(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM" || code === "EROFS") return true;
    throw error;
  }
}

/** The operating system's errors as the door has them. */
async function translated<T>(op: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isGatehouseError(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const is = code === "ENOENT" ? "not_found" : code === "EEXIST" ? "conflict" : "unavailable";
    const what =
      is === "not_found" ? "there is no" : is === "conflict" ? "there is already" : messageOf(error);
    throw new GatehouseError({
      code: is,
      op,
      message: is === "unavailable" ? `${key}: ${what}` : `${what} ${key}`,
      cause: error,
    });
  }
}
