import type { Disk, DiskFile } from "../disk.ts";

type Name = { content: Content } | { directory: true };
type Content = { bytes: Uint8Array; length: number };
/** One change that has not been made durable yet. */
type Change =
  | { kind: "write"; content: Content; position: number; bytes: Uint8Array }
  | { kind: "name"; directory: string; path: string; name: Name | undefined };

/**
 * A disk that remembers what a power cut may take: written bytes until `sync`, names until `syncDirectory`. `crash` gives
 * the disk that the machine finds when it is switched on again: of the changes since, each may have happened or not, and a
 * write may have happened in part. A budget of written bytes lets it die in the middle of a write, after which no call settles.
 */
export class MemoryDisk implements Disk {
  readonly #names: Map<string, Name>;
  /** What is durable; contents are copies of their own. */
  readonly #durableNames: Map<string, Name>;
  readonly #durableBytes: Map<Content, Uint8Array>;
  #changes: Change[] = [];
  #budgetBytes = Number.POSITIVE_INFINITY;
  writtenBytes = 0;
  readonly died: Promise<void>;
  readonly #die: () => void;
  #dead = false;
  /** Asked before each call; may throw what the operating system would. */
  fault: (call: "write" | "sync" | "create" | "open" | "rename" | "remove", path: string) => void = () => {};

  constructor(names: Map<string, Name> = new Map()) {
    this.#names = names;
    this.#durableNames = new Map(names);
    this.#durableBytes = new Map();
    for (const name of names.values())
      if ("content" in name)
        this.#durableBytes.set(name.content, name.content.bytes.slice(0, name.content.length));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#die = resolve;
  }

  /** The machine stops after so many more bytes. */
  dieAfter(bytes: number): void {
    this.#budgetBytes = this.writtenBytes + bytes;
  }
  get dead(): boolean {
    return this.#dead;
  }

  /** The disk after the power came back. `chance` gives numbers in [0, 1). */
  crash(chance: () => number): MemoryDisk {
    this.#dead = true;
    const bytesOf = new Map<Content, Uint8Array>();
    for (const [content, bytes] of this.#durableBytes) bytesOf.set(content, bytes.slice());
    const names = new Map(this.#durableNames);
    for (const change of this.#changes)
      if (change.kind === "write") {
        const survives = chance() < 0.5 ? change.bytes.length : Math.floor(chance() * change.bytes.length);
        const before = bytesOf.get(change.content) ?? new Uint8Array();
        bytesOf.set(change.content, patched(before, change.position, change.bytes.subarray(0, survives)));
      } else if (chance() < 0.5) setName(names, change.path, change.name);
    const after = new Map<string, Name>();
    for (const [path, name] of names)
      if ("directory" in name) after.set(path, name);
      else {
        const bytes = bytesOf.get(name.content) ?? new Uint8Array();
        after.set(path, { content: { bytes, length: bytes.length } });
      }
    // A file whose directory did not survive is gone with it.
    for (const path of after.keys()) if (!hasParents(after, path)) after.delete(path);
    return new MemoryDisk(after);
  }

  /** Changes bytes behind everybody's back, as a failing disk does. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const content = this.#content(path);
    const bytes = change(content.bytes.slice(0, content.length));
    content.bytes = bytes;
    content.length = bytes.length;
    this.#durableBytes.set(content, bytes.slice());
  }
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#turn();
    const parts = path.split("/");
    for (let i = 1; i <= parts.length; i++) {
      const part = parts.slice(0, i).join("/");
      if (part !== "" && !this.#names.has(part)) this.#name(part, { directory: true });
    }
  }
  async list(path: string): Promise<string[]> {
    await this.#turn();
    return this.paths()
      .filter((name) => parentOf(name) === path)
      .map((name) => name.slice(path.length + 1));
  }
  async create(path: string): Promise<DiskFile> {
    await this.#turn();
    this.fault("create", path);
    if (this.#names.has(path)) throw systemError("EEXIST", path);
    if (parentOf(path) !== "/" && !this.#names.has(parentOf(path))) throw systemError("ENOENT", path);
    const content: Content = { bytes: new Uint8Array(), length: 0 };
    this.#name(path, { content });
    return this.#file(path, content, false);
  }
  async openDurable(path: string): Promise<DiskFile> {
    await this.#turn();
    this.fault("open", path);
    return this.#file(path, this.#content(path), true);
  }
  async read(path: string): Promise<Uint8Array> {
    await this.#turn();
    const content = this.#content(path);
    return content.bytes.slice(0, content.length);
  }
  async sizeOf(path: string): Promise<number> {
    await this.#turn();
    return this.#content(path).length;
  }
  async rename(from: string, to: string): Promise<void> {
    await this.#turn();
    this.fault("rename", to);
    const content = this.#content(from);
    this.#name(to, { content });
    this.#name(from, undefined);
  }
  async remove(path: string): Promise<void> {
    await this.#turn();
    this.fault("remove", path);
    this.#content(path);
    this.#name(path, undefined);
  }
  async removeDirectory(path: string): Promise<void> {
    await this.#turn();
    if (!this.#names.has(path)) throw systemError("ENOENT", path);
    if (this.paths().some((name) => parentOf(name) === path)) throw systemError("ENOTEMPTY", path);
    this.#name(path, undefined);
  }
  async syncDirectory(path: string): Promise<void> {
    await this.#turn();
    this.fault("sync", path);
    this.#settle((change) => change.kind === "name" && change.directory === path);
  }

  #file(path: string, content: Content, durable: boolean): DiskFile {
    return {
      write: async (bytes, position) => {
        await this.#turn();
        this.fault("write", path);
        const left = Math.max(0, this.#budgetBytes - this.writtenBytes);
        const taken = bytes.subarray(0, Math.min(bytes.length, left)).slice();
        this.writtenBytes += taken.length;
        content.bytes = patched(content.bytes.subarray(0, content.length), position, taken, true);
        content.length = Math.max(content.length, position + taken.length);
        this.#changes.push({ kind: "write", content, position, bytes: taken });
        if (taken.length < bytes.length) {
          this.#dead = true;
          this.#die();
          await this.#turn();
        }
        if (durable) this.#settle((change) => change.kind === "write" && change.content === content);
      },
      read: async (position, length) => {
        await this.#turn();
        return content.bytes.slice(position, Math.min(position + length, content.length));
      },
      sync: async () => {
        await this.#turn();
        this.fault("sync", path);
        this.#settle((change) => change.kind === "write" && change.content === content);
      },
      close: () => this.#turn(),
    };
  }

  /** Other work may come between any two calls; after death nothing comes any more. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#dead) await new Promise<never>(() => {});
  }
  #content(path: string): Content {
    const name = this.#names.get(path);
    if (!name || !("content" in name)) throw systemError("ENOENT", path);
    return name.content;
  }
  #name(path: string, name: Name | undefined): void {
    setName(this.#names, path, name);
    this.#changes.push({ kind: "name", directory: parentOf(path), path, name });
  }
  #settle(which: (change: Change) => boolean): void {
    const left: Change[] = [];
    for (const change of this.#changes)
      if (!which(change)) left.push(change);
      else if (change.kind === "name") setName(this.#durableNames, change.path, change.name);
      else {
        const before = this.#durableBytes.get(change.content) ?? new Uint8Array();
        this.#durableBytes.set(change.content, patched(before, change.position, change.bytes, true));
      }
    this.#changes = left;
  }
}

function setName(names: Map<string, Name>, path: string, name: Name | undefined): void {
  if (name) names.set(path, name);
  else names.delete(path);
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";

function hasParents(names: ReadonlyMap<string, Name>, path: string): boolean {
  for (let parent = parentOf(path); parent !== "/"; parent = parentOf(parent))
    if (!names.has(parent)) return false;
  return true;
}

/** `bytes` laid over `before`; in place when it fits and the caller owns it. */
function patched(before: Uint8Array, position: number, bytes: Uint8Array, inPlace = false): Uint8Array {
  const length = Math.max(before.length, position + bytes.length);
  let into = before;
  if (!inPlace || length > before.length) {
    into = new Uint8Array(length);
    into.set(before);
  }
  into.set(bytes, position);
  return into;
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
