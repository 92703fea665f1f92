import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { checkLimit } from "@gatehouse/kernel";
import { notFound, type RecordingSource } from "../source.ts";

/** A recording whose objects are the files of one directory, as a filesystem store or an unpacked bundle has them. */
export function directorySource(directory: string): RecordingSource {
  return {
    async list() {
      const entries = await readdir(directory, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    async read(name, bytesMax) {
      // A name is bare by the format's rules; one that is not would leave the directory.
      if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) throw notFound(name);
      const file = await open(join(directory, name)).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? notFound(name) : error;
      });
      try {
        checkLimit("source.read", `${name}, in bytes,`, (await file.stat()).size, bytesMax);
        return await file.readFile();
      } finally {
        await file.close();
      }
    },
  };
}
