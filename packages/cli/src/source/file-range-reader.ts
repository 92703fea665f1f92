import { type FileHandle, open } from "node:fs/promises";
import { GatehouseError } from "@gatehouse/kernel";
import type { RangeReader } from "@gatehouse/recording";

/** Parts of a file, read when they are needed; the process's end closes it. */
export async function fileRangeReader(path: string): Promise<RangeReader> {
  const file: FileHandle = await open(path);
  const { size } = await file.stat();
  return {
    bytes: size,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0)
          throw new GatehouseError({
            code: "corrupt",
            op: "cli.file.read",
            message: `${path} became shorter`,
          });
        at += bytesRead;
      }
      return bytes;
    },
  };
}
