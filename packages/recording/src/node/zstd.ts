import { zstdDecompressSync } from "node:zlib";
import type { Zstd } from "../zstd.ts";

export const nodeZstd: Zstd = {
  decompress: (bytes, maxBytes) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, maxBytes) }),
};
