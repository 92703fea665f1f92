import { equalBytes, fromHex, messageOf } from "@gatehouse/kernel";
import { type Manifest, manifestName, parseManifest } from "../manifest.ts";
import type { Opening } from "../opening.ts";
import type { BuiltSegment } from "../segment-writer.ts";
import { type Disk, type DiskFile, diskCode, removeIfThere, writeWhole } from "./disk.ts";
import { type Ledger, openingLine, readLedger, segmentLine } from "./ledger.ts";
import { corrupted } from "./unavailable.ts";

const ledgerName = "ledger";

/** What the spool holds of one recording, as found at a start. */
export type SpooledRecording = {
  readonly sessionId: string;
  readonly ledger: Ledger;
  readonly manifest: { readonly content: Manifest; readonly raw: Uint8Array } | undefined;
  /** Names of the segments whose files are here: they are not yet known to be in the store. */
  readonly waiting: readonly string[];
  /** What is wrong with the ledger or the manifest; nobody touches such a recording but a person. */
  readonly damage: string | undefined;
};

/**
 * Segments and manifests on this machine until the store has them: `<session>/ledger`, `<session>/000000.seg`, …,
 * `<session>/manifest.json`. What a call has resolved for survives a power cut.
 */
export class Spool {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #damaged: string;
  readonly #ledgers = new Map<string, { file: DiskFile; at: number }>();
  readonly #sizes = new Map<string, number>();
  #usedBytes = 0;

  constructor(options: { disk: Disk; directory: string; damaged: string }) {
    this.#damaged = options.damaged;
    this.#disk = options.disk;
    this.#directory = options.directory;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  get usedFiles(): number {
    return this.#sizes.size;
  }
  pathOf(sessionId: string, name = ""): string {
    return `${this.#directory}/${sessionId}${name && `/${name}`}`;
  }

  /** May be called again with the same segment after a failure. */
  async addSegment(sessionId: string, opening: Opening, segment: BuiltSegment): Promise<void> {
    const ledger = this.#ledgers.get(sessionId) ?? (await this.#begin(sessionId, opening));
    const path = this.pathOf(sessionId, segment.entry.name);
    // What stands there is of an attempt that failed: nothing of it is in the ledger.
    await removeIfThere(this.#disk, path);
    const file = await this.#disk.create(path);
    try {
      await file.write(segment.bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.syncDirectory(this.pathOf(sessionId));
    const line = segmentLine(segment.entry);
    await ledger.file.write(line, ledger.at);
    await ledger.file.sync();
    ledger.at += line.length;
    this.#count(path, segment.bytes.length);
  }

  async addManifest(sessionId: string, bytes: Uint8Array): Promise<void> {
    await writeWhole(this.#disk, this.pathOf(sessionId), manifestName, bytes);
    this.#count(this.pathOf(sessionId, manifestName), bytes.length);
    await this.#closeLedger(sessionId);
  }

  /** The bytes of a file here; `corrupt` when they are not those that were put there. */
  async read(sessionId: string, name: string, sha256: string): Promise<Uint8Array> {
    const path = this.pathOf(sessionId, name);
    const bytes = await this.#disk.read(path);
    // WebCrypto hashes on the thread pool, beside the commits.
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
    if (!equalBytes(found, fromHex(sha256)))
      throw corrupted("spool.read", `${path} is damaged: its SHA-256 is not the one in the ledger`);
    return bytes;
  }

  async removeSegment(sessionId: string, name: string): Promise<void> {
    const path = this.pathOf(sessionId, name);
    await removeIfThere(this.#disk, path);
    this.#uncount(path);
  }

  /** A damaged file may still tell a person something. */
  async setAside(sessionId: string, name: string): Promise<void> {
    const { disk, path } = { disk: this.#disk, path: this.pathOf(sessionId, name) };
    await disk.makeDirectory(this.#damaged);
    try {
      await disk.rename(path, `${this.#damaged}/${sessionId}-${name}`);
    } catch (error) {
      if (diskCode(error) !== "ENOENT") throw error;
    }
    await disk.syncDirectory(this.#damaged);
    await disk.syncDirectory(this.pathOf(sessionId));
    this.#uncount(path);
  }

  /** The last act: the store has everything, and the journal knows. */
  async removeRecording(sessionId: string): Promise<void> {
    const directory = this.pathOf(sessionId);
    await this.#closeLedger(sessionId);
    // In this order: a ledger without a manifest would be taken for a recording that was interrupted.
    await removeIfThere(this.#disk, `${directory}/${ledgerName}`);
    await this.#disk.syncDirectory(directory);
    await removeIfThere(this.#disk, `${directory}/${manifestName}`);
    this.#uncount(`${directory}/${manifestName}`);
    await this.#disk.removeDirectory(directory);
  }

  /** Everything here, at a start. What an attempt left that failed or was killed is removed. */
  async survey(): Promise<SpooledRecording[]> {
    const found: SpooledRecording[] = [];
    for (const sessionId of await this.#disk.list(this.#directory)) {
      const recording = await this.#surveyOne(sessionId);
      if (recording) found.push(recording);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const sessionId of this.#ledgers.keys()) await this.#closeLedger(sessionId);
  }

  async #surveyOne(sessionId: string): Promise<SpooledRecording | undefined> {
    const names = await this.#disk.list(this.pathOf(sessionId));
    if (names.length === 0) {
      // All of it was removed but the directory itself.
      await this.#disk.removeDirectory(this.pathOf(sessionId));
      return undefined;
    }
    const { manifest, damage: manifestDamage } = names.includes(manifestName)
      ? await this.#readManifest(sessionId)
      : {};
    const ledger: Ledger = names.includes(ledgerName)
      ? readLedger(await this.#disk.read(this.pathOf(sessionId, ledgerName)))
      : { opening: undefined, entries: [], bytes: 0, damage: undefined };
    const damage = manifestDamage ?? ledger.damage;
    const listed = new Set((manifest?.content.segments ?? ledger.entries).map((entry) => entry.name));
    const waiting: string[] = [];
    for (const name of names) {
      if (name === ledgerName || name === manifestName) continue;
      if (listed.has(name)) waiting.push(name);
      // With a damaged ledger nobody can tell what belongs to it, so nothing is removed.
      else if (!damage) await removeIfThere(this.#disk, this.pathOf(sessionId, name));
    }
    for (const name of waiting) await this.#countFile(this.pathOf(sessionId, name));
    if (manifest) this.#count(this.pathOf(sessionId, manifestName), manifest.raw.length);
    return { sessionId, ledger, manifest, waiting, damage };
  }

  async #readManifest(
    sessionId: string,
  ): Promise<{ manifest?: SpooledRecording["manifest"]; damage?: string }> {
    const path = this.pathOf(sessionId, manifestName);
    const bytes = await this.#disk.read(path);
    try {
      return { manifest: { content: parseManifest(bytes), raw: bytes } };
    } catch (error) {
      // Its name was given to it only when it was whole, so this is the disk's doing.
      return { damage: `${path} is damaged: ${messageOf(error)}` };
    }
  }

  async #begin(sessionId: string, opening: Opening): Promise<{ file: DiskFile; at: number }> {
    const directory = this.pathOf(sessionId);
    const path = `${directory}/${ledgerName}`;
    await this.#disk.makeDirectory(directory);
    const found = await this.#existing(path);
    let file: DiskFile;
    let at: number;
    if (found?.opening) {
      file = await this.#disk.openDurable(path);
      at = found.bytes;
    } else {
      await removeIfThere(this.#disk, path);
      file = await this.#disk.create(path);
      const line = openingLine(opening);
      try {
        await file.write(line, 0);
        await file.sync();
        await this.#disk.syncDirectory(directory);
        await this.#disk.syncDirectory(this.#directory);
      } catch (error) {
        await file.close();
        throw error;
      }
      at = line.length;
    }
    const ledger = { file, at };
    this.#ledgers.set(sessionId, ledger);
    return ledger;
  }

  async #existing(path: string): Promise<Ledger | undefined> {
    try {
      return readLedger(await this.#disk.read(path));
    } catch (error) {
      if (diskCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async #closeLedger(sessionId: string): Promise<void> {
    const ledger = this.#ledgers.get(sessionId);
    this.#ledgers.delete(sessionId);
    await ledger?.file.close();
  }

  async #countFile(path: string): Promise<void> {
    this.#count(path, await this.#disk.sizeOf(path));
  }
  #count(path: string, bytes: number): void {
    this.#usedBytes += bytes - (this.#sizes.get(path) ?? 0);
    this.#sizes.set(path, bytes);
  }
  #uncount(path: string): void {
    this.#usedBytes -= this.#sizes.get(path) ?? 0;
    this.#sizes.delete(path);
  }
}
