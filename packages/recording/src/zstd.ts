import { ByteReader, checkLimit } from "@gatehouse/kernel";
import { decompress } from "fzstd";
import { corrupt } from "./binary-fields.ts";

/** A zstd decoder. `bytes` is one frame whose header was checked already; more than `maxBytes` must throw, not allocate. */
export type Zstd = { decompress(bytes: Uint8Array, maxBytes: number): Uint8Array };

/** The decoder in JavaScript, for browsers; a page loads no WebAssembly for it. */
export const scriptZstd: Zstd = {
  decompress: (bytes, maxBytes) => decompress(bytes, new Uint8Array(maxBytes)),
};

const op = "segment.decompress";

/**
 * Decompresses a block to exactly `plainBytes`. The frame must state its content size (RFC 8878 §3.1.1.1) and name no
 * dictionary: so the memory is known before a decoder sees a byte, whatever that decoder would do with a lie.
 */
export function decompressBlock(zstd: Zstd, bytes: Uint8Array, plainBytes: number): Uint8Array {
  const stated = contentSize(bytes);
  if (stated !== plainBytes)
    throw corrupt(op, `the zstd frame states ${stated} bytes, the block ${plainBytes}`);
  let plain: Uint8Array;
  try {
    plain = zstd.decompress(bytes, plainBytes);
  } catch (cause) {
    throw corrupt(op, "the zstd frame is damaged", cause);
  }
  if (plain.length !== plainBytes)
    throw corrupt(op, `the zstd frame held ${plain.length} bytes, not ${plainBytes}`);
  return plain;
}

function contentSize(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, op);
  if (reader.u32() !== 0x28b52ffd) throw corrupt(op, "not a zstd frame");
  const descriptor = reader.u8();
  if ((descriptor & 0x03) !== 0) throw corrupt(op, "a zstd frame with a dictionary");
  const single = (descriptor & 0x20) !== 0;
  if (!single) reader.u8();
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  if (sizeBytes === 0) throw corrupt(op, "a zstd frame that does not state its size");
  let size = 0;
  for (const [i, byte] of reader.take(sizeBytes).entries()) size += byte * 256 ** i;
  if (sizeBytes === 2) size += 256;
  checkLimit(op, "a zstd frame's size", size, Number.MAX_SAFE_INTEGER);
  return size;
}
