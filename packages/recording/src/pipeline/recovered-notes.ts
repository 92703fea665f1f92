import { utf8, fromUtf8 } from "@gatehouse/kernel";
import type { RecoveredRecording } from "./door.ts";
import { type Disk, removeIfThere, writeWhole } from "./disk.ts";

/**
 * Which recordings a recovery closed, until somebody has noted it: `recovered/<session>.json`. Written before the manifest,
 * so that no crash lets an interrupted recording go unreported.
 */
export class RecoveredNotes {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(options: { disk: Disk; directory: string }) {
    this.#disk = options.disk;
    this.#directory = options.directory;
  }
  add(recovered: RecoveredRecording): Promise<void> {
    const bytes = utf8(JSON.stringify(recovered));
    return writeWhole(this.#disk, this.#directory, `${recovered.facts.sessionId}.json`, bytes);
  }
  async all(): Promise<RecoveredRecording[]> {
    const notes: RecoveredRecording[] = [];
    for (const name of await this.#disk.list(this.#directory))
      if (name.endsWith(".json"))
        notes.push(
          JSON.parse(fromUtf8(await this.#disk.read(`${this.#directory}/${name}`))) as RecoveredRecording,
        );
    return notes;
  }
  async remove(sessionId: string): Promise<void> {
    await removeIfThere(this.#disk, `${this.#directory}/${sessionId}.json`);
    await this.#disk.syncDirectory(this.#directory);
  }
}
