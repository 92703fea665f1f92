/**
 * What the pipeline asks of a file system, so that a test can fail, tear or lose any of it. Every error is the
 * operating system's own, with its `code` (`ENOSPC`, `EIO`, `ENOENT`); what it means is decided by the caller.
 */
export type Disk = {
  /** Makes a directory and what leads to it; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; empty when it does not exist. */
  list(path: string): Promise<string[]>;
  /** A new file; `EEXIST` when the name is taken. Its writes are durable after `sync`. */
  create(path: string): Promise<DiskFile>;
  /** A file that exists. Each write is durable when it resolves (O_DSYNC). */
  openDurable(path: string): Promise<DiskFile>;
  read(path: string): Promise<Uint8Array>;
  sizeOf(path: string): Promise<number>;
  /** Replaces what bears the new name. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Names made, changed and removed in this directory survive a power cut once this resolves. */
  syncDirectory(path: string): Promise<void>;
};

export type DiskFile = {
  /** All of the bytes, or an error. `bytes` must not change until it settles. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** As many bytes as there are, `length` at most. */
  read(position: number, length: number): Promise<Uint8Array>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** The operating system's word for an error, where it has one. */
export function diskCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Writes a whole new file so that it is either there with all its bytes or not there at all, power cut included. */
export async function writeWhole(disk: Disk, directory: string, name: string, bytes: Uint8Array) {
  const temporary = `${directory}/${name}.new`;
  await removeIfThere(disk, temporary);
  const file = await disk.create(temporary);
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${directory}/${name}`);
  await disk.syncDirectory(directory);
}

export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (diskCode(error) !== "ENOENT") throw error;
  }
}
