import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatehouseError, type Random, checkLimit, messageOf, toHex } from "@gatehouse/kernel";
import { Secret } from "./secret.ts";

/** No key file is longer. */
const keyFileBytesMax = 64 * 1024;

/** A folder of key files that only their owner may read. */
export type KeyFolder = {
  readonly path: string;
  /** The content of a key file, made at the first time. A file that is there stays as it is. */
  load(name: string, make: () => string | Promise<string>): Promise<Secret>;
  /** Puts another content in a file's place, whole or not at all. */
  replace(name: string, content: string): Promise<void>;
  /** The content of a file that somebody else made; its mode must be as strict. `not_found` when it is not there. */
  read(name: string): Promise<Secret>;
};

export async function openKeyFolder(path: string, { random }: { random: Random }): Promise<KeyFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const stats = await lstat(path);
    if (!stats.isDirectory()) throw refused(path, "it is not a directory");
    if ((stats.mode & 0o077) !== 0)
      throw refused(path, `others may enter it (mode ${octal(stats.mode)})`, `chmod 700 ${path}`);
  } catch (error) {
    throw failure(path, error);
  }

  async function read(name: string): Promise<Secret> {
    const file = join(path, name);
    let handle: FileHandle | undefined;
    try {
      // A link could point at a file that somebody else writes.
      handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      const stats = await handle.stat();
      if (!stats.isFile()) throw refused(file, "it is not a file");
      if ((stats.mode & 0o077) !== 0)
        throw refused(file, `others may read it (mode ${octal(stats.mode)})`, `chmod 600 ${file}`);
      checkLimit("keys.read", `size of ${file} in bytes`, stats.size, keyFileBytesMax);
      return new Secret(new Uint8Array(await handle.readFile()));
    } catch (error) {
      throw failure(file, error);
    } finally {
      await handle?.close();
    }
  }

  /** Content beside the file, durable, and then in its place as `settle` puts it there. */
  async function write(
    name: string,
    content: string,
    settle: (temporary: string, file: string) => Promise<void>,
  ): Promise<void> {
    const file = join(path, name);
    const temporary = join(path, `.${name}.${toHex(random.bytes(8))}`);
    try {
      const handle = await open(temporary, "wx", 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await settle(temporary, file);
      const folder = await open(path, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      throw failure(file, error);
    }
  }

  const create = (name: string, content: string) =>
    write(name, content, async (temporary, file) => {
      try {
        // A link, not a rename: of two that start at once the first one's key stays.
        await link(temporary, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      } finally {
        await unlink(temporary);
      }
    });

  return {
    path,
    read,
    replace: (name, content) => write(name, content, rename),
    async load(name, make) {
      try {
        return await read(name);
      } catch (error) {
        if (!(error instanceof GatehouseError && error.code === "not_found")) throw error;
      }
      await create(name, await make());
      return read(name);
    },
  };
}

const octal = (mode: number) => `0${(mode & 0o777).toString(8)}`;

function refused(file: string, why: string, command?: string): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "keys.read",
    message: `the key file ${file} is refused: ${why}`,
    hint: command && `If nobody else can have read it: ${command}. Otherwise make a new key.`,
  });
}

function failure(file: string, error: unknown): GatehouseError {
  if (error instanceof GatehouseError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ELOOP") return refused(file, "it is a symbolic link");
  return new GatehouseError({
    code: code === "ENOENT" ? "not_found" : "unavailable",
    op: "keys.read",
    message: `the key file ${file} cannot be used: ${messageOf(error)}`,
    hint: "Check the owner and the mode of data_dir.",
    cause: error,
  });
}
