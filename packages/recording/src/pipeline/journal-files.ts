import { type Disk, removeIfThere } from "./disk.ts";
import type { JournalFile } from "./journal.ts";

const namePattern = /^\d{6}\.journal$/;
const zeros = Buffer.alloc(1024 * 1024);

export const journalFileNames = async (disk: Disk, directory: string): Promise<string[]> =>
  (await disk.list(directory)).filter((name) => namePattern.test(name));

/** Opens one for the write path. */
export async function openJournalFile(disk: Disk, directory: string, name: string): Promise<JournalFile> {
  const path = `${directory}/${name}`;
  const bytes = await disk.sizeOf(path);
  return { name, bytes, handle: await disk.openDurable(path), nonce: new Uint8Array(), pins: 0 };
}

/**
 * Makes a file full of zeros, really written: blocks that a file system only promised would need its own journal at each
 * commit, and could still be refused when the disk is full.
 */
export async function makeJournalFile(
  disk: Disk,
  directory: string,
  number: number,
  bytes: number,
): Promise<string> {
  const name = `${String(number).padStart(6, "0")}.journal`;
  const temporary = `${directory}/${name}.new`;
  await removeIfThere(disk, temporary);
  const file = await disk.create(temporary);
  try {
    for (let at = 0; at < bytes; at += zeros.length)
      await file.write(zeros.subarray(0, Math.min(zeros.length, bytes - at)), at);
    await file.sync();
  } catch (error) {
    // A half-made file on a full disk would keep it full.
    await removeIfThere(disk, temporary).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${directory}/${name}`);
  await disk.syncDirectory(directory);
  return name;
}

export const numberOf = (name: string): number => Number.parseInt(name, 10);
