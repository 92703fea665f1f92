import { assert, ByteReader, ByteWriter, checkLimit, concatBytes } from "@gatehouse/kernel";
import { corrupt } from "../binary-fields.ts";
import { recordingIdBytes, recordingIdOf } from "../recording-id.ts";
import type { SealCrypto } from "../seal-crypto.ts";
import { decompressBlock, type Zstd } from "../zstd.ts";

/** Four digits, from 1: a later index of the same recording has a higher number, and counts alone. */
export const indexName = (n: number): string => `index-${String(n).padStart(4, "0")}`;
export const indexNamePattern = /^index-(\d{4})$/;

/** What an index may claim, checked before memory is given to it. */
export const indexLimits = {
  indexBytesMax: 128 * 1024 * 1024,
  directoryBytesMax: 16 * 1024 * 1024,
  keyframeBytesMax: 4 * 1024 * 1024,
  picturesBytesMax: 1024 * 1024,
  textBytesMax: 1024 * 1024,
  eventsBytesMax: 4 * 1024 * 1024,
  keyframesMax: 65_536,
  blocksMax: 65_536,
} as const;

/** Each part of an index has a number that no other part's nonce has. */
export const parts = { directory: 0, keyframes: 1, pictures: 2, text: 3, events: 4 } as const;
export type Part = keyof typeof parts;
const plainBytesMax: Record<Part, number> = {
  directory: indexLimits.directoryBytesMax,
  keyframes: indexLimits.keyframeBytesMax,
  pictures: indexLimits.picturesBytesMax,
  text: indexLimits.textBytesMax,
  events: indexLimits.eventsBytesMax,
};

const magic = 0x47484958; // GHIX
const version = 1;
const saltBytes = 32;
const authenticatedBytes = 88;
/** What is authenticated with each block, and the size of the directory that follows. */
export const indexHeaderBytes = authenticatedBytes + 4;

export type IndexHeader = {
  recordingId: string;
  /** Of the recording that it was made of: the SHA-256 of its last segment. */
  headSha256: Uint8Array;
  salt: Uint8Array;
};

/** The purpose that the index's key is derived for; with the salt it is this index's alone, so nonces may be counted. */
export const indexKeyPurpose = "gatehouse index 1";

function encodeAuthenticated({ recordingId, headSha256, salt }: IndexHeader): Uint8Array {
  assert(headSha256.length === 32 && salt.length === saltBytes, "a hash and a salt are 32 bytes");
  const writer = new ByteWriter();
  writer.u32(magic);
  writer.u16(version);
  writer.u16(0);
  writer.put(recordingIdBytes(recordingId));
  writer.put(headSha256);
  writer.put(salt);
  return writer.done();
}

/** Reads what stands in plain. Throws `corrupt` where it cannot be an index, and `protocol` where it is cut short. */
export function readIndexHeader(
  bytes: Uint8Array,
): IndexHeader & { authenticated: Uint8Array; directoryBytes: number } {
  const op = "index.read";
  const reader = new ByteReader(bytes, op);
  if (reader.u32() !== magic) throw corrupt(op, "not an index");
  if (reader.u16() !== version) throw corrupt(op, "an index of a version that is not known here");
  if (reader.u16() !== 0) throw corrupt(op, "a reserved field is not 0");
  const recordingId = recordingIdOf(reader.take(16));
  const headSha256 = reader.take(32).slice();
  const salt = reader.take(saltBytes).slice();
  const directoryBytes = reader.u32();
  checkLimit(op, "the directory's bytes", directoryBytes, indexLimits.directoryBytesMax);
  const authenticated = bytes.slice(0, authenticatedBytes);
  return { recordingId, headSha256, salt, authenticated, directoryBytes };
}

function nonceOf(part: Part, n: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, parts[part]);
  view.setUint32(8, n);
  return nonce;
}

/** Seals the blocks of one index. `key` is derived for its salt, and used for nothing else. */
export class IndexSealer {
  readonly #key: Uint8Array;
  readonly #authenticated: Uint8Array;
  readonly #crypto: Pick<SealCrypto, "encrypt" | "compress">;

  constructor(fields: IndexHeader & { key: Uint8Array; crypto: Pick<SealCrypto, "encrypt" | "compress"> }) {
    this.#key = fields.key;
    this.#crypto = fields.crypto;
    this.#authenticated = encodeAuthenticated(fields);
  }

  /** A block is its plain size, one zstd frame, and the tag. Each number of each part is used once. */
  async seal(part: Part, n: number, plain: Uint8Array): Promise<Uint8Array> {
    checkLimit("index.seal", `the bytes of a block of ${part}`, plain.length, plainBytesMax[part]);
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, plain.length);
    const packed = concatBytes([size, await this.#crypto.compress(plain)]);
    return concatBytes(this.#crypto.encrypt(this.#key, nonceOf(part, n), this.#authenticated, packed));
  }

  header(directoryBytes: number): Uint8Array {
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, directoryBytes);
    return concatBytes([this.#authenticated, size]);
  }
}

/** Opens one block. Throws `corrupt` where it was altered, moved, or belongs to another index. */
export async function openBlock(
  fields: { key: CryptoKey; authenticated: Uint8Array; zstd: Zstd },
  part: Part,
  n: number,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  const op = "index.open";
  let packed: Uint8Array;
  try {
    packed = new Uint8Array(
      await crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: nonceOf(part, n) as BufferSource,
          additionalData: fields.authenticated as BufferSource,
        },
        fields.key,
        sealed as BufferSource,
      ),
    );
  } catch (cause) {
    throw corrupt(op, `block ${n} of ${part} does not decrypt: altered, or another key`, cause);
  }
  const plainBytes = new ByteReader(packed, op).u32();
  checkLimit(op, `the bytes of a block of ${part}`, plainBytes, plainBytesMax[part]);
  return decompressBlock(fields.zstd, packed.subarray(4), plainBytes);
}
