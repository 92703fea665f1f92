import { open, stat } from "node:fs/promises";
import { GatehouseError } from "@gatehouse/kernel";
import type { RangeReader } from "@gatehouse/recording";

/** Parts of a file. Opened for each, so that nobody has to say when the last one was read. */
export async function fileRangeReader(path: string): Promise<RangeReader> {
  const { size } = await stat(path);
  return {
    bytes: size,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      const file = await open(path);
      try {
        for (let at = 0; at < bytes.length;) {
          const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
          if (bytesRead === 0)
            throw new GatehouseError({
              code: "corrupt",
              op: "cli.file.read",
              message: `${path} became shorter while it was read`,
            });
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
      return bytes;
    },
  };
}
