import { crc32 } from "node:zlib";

/**
 * The journal's bytes. All numbers are big-endian.
 *
 * A file: one header block, groups, and beyond the last group whatever was there before. Files have a fixed size and are
 * used again, oldest first, so the groups of all files together are always an unbroken run up to the last commit.
 * The file's nonce is new at each use and stands in each of its groups: what an earlier use left is never mistaken for
 * a group of this one, and nobody who can choose what is journaled can forge one.
 *
 *     header block, 4096 bytes, the header at 0 and again at 2048:
 *       magic 8 | nonce 8 | firstGroup u64 | committed u64 | crc32 u32
 *     group, at a multiple of 8:
 *       magic u32 | nonce 8 | seq u64 | bodyBytes u32 | entries u32 | crc32 u32 of the 28 bytes before
 *       entries: crc32 u32 of the rest | type u8 | 0 0 0 | bytes u32 | bytes
 *     then 32 zero bytes, which the next group overwrites: after the last group there is either nothing or a torn write.
 *
 * The checksums find what a power cut or a disk did, not what an enemy did: records are sealed with AES-256-GCM.
 */
export const fileHeaderBytes = 4096;
const headerCopyAt = 2048;
const fileHeaderFields = 8 + 8 + 8 + 8;
const fileMagic = Buffer.from("GHJRNL1\n", "latin1");
export const nonceBytes = 8;
export const groupHeaderBytes = 32;
export const groupMagic = Buffer.from("GHG1", "latin1");
export const entryHeaderBytes = 12;
/** What follows a group, so that its successor's place is known to be empty. */
export const endMarkBytes = groupHeaderBytes;

/** `record`: a raw record of the format. `opening`: whose recording begins. `closed`: a recording that is all in the store. */
export const entryTypes = { record: 1, opening: 2, closed: 3 } as const;
export type EntryType = keyof typeof entryTypes;
/** An entry's bytes are its parts in a row. */
export type Entry = {
  readonly type: EntryType;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
};
const typeOf = new Map(Object.entries(entryTypes).map(([type, code]) => [code as number, type as EntryType]));

export type FileHeader = {
  readonly nonce: Uint8Array;
  /** The sequence of the file's first group. */
  readonly firstGroup: number;
  /** The last group that was surely on disk when this file was begun: one less, unless a commit had failed. */
  readonly committed: number;
};
export type GroupHeader = {
  readonly nonce: Uint8Array;
  readonly seq: number;
  readonly bodyBytes: number;
  readonly entries: number;
};

const putU64 = (into: Buffer, value: number, at: number) => {
  into.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  into.writeUInt32BE(value % 0x1_0000_0000, at + 4);
};
const getU64 = (from: Buffer, at: number) =>
  from.readUInt32BE(at) * 0x1_0000_0000 + from.readUInt32BE(at + 4);
const aligned = (bytes: number) => (bytes + 7) & ~7;

/** How much of a file a group with such a body takes. */
export const groupBytes = (bodyBytes: number) => aligned(groupHeaderBytes + bodyBytes);

export function writeFileHeader(into: Buffer, header: FileHeader): void {
  into.fill(0, 0, fileHeaderBytes);
  for (const at of [0, headerCopyAt]) {
    into.set(fileMagic, at);
    into.set(header.nonce, at + 8);
    putU64(into, header.firstGroup, at + 16);
    putU64(into, header.committed, at + 24);
    into.writeUInt32BE(crc32(into.subarray(at, at + fileHeaderFields)), at + fileHeaderFields);
  }
}

/**
 * The header and whether one of its copies is damaged; `empty` for a file never used, `damaged` when neither copy holds.
 * Where a begun use tore the first copy, the second still tells of the use before, which is then what the file holds.
 */
export function readFileHeader(from: Buffer): { header: FileHeader; intact: boolean } | "empty" | "damaged" {
  const copies = [0, headerCopyAt].map((at) => {
    const good =
      from.length >= at + fileHeaderFields + 4 &&
      from.subarray(at, at + 8).equals(fileMagic) &&
      from.readUInt32BE(at + fileHeaderFields) === crc32(from.subarray(at, at + fileHeaderFields));
    return good
      ? {
          nonce: Buffer.from(from.subarray(at + 8, at + 16)),
          firstGroup: getU64(from, at + 16),
          committed: getU64(from, at + 24),
        }
      : undefined;
  });
  const newest = copies.reduce((a, b) => (a && b ? (a.firstGroup >= b.firstGroup ? a : b) : (a ?? b)));
  if (newest)
    return { header: newest, intact: copies.every((copy) => copy?.firstGroup === newest.firstGroup) };
  return from.subarray(0, fileHeaderBytes).every((byte) => byte === 0) ? "empty" : "damaged";
}

/** Lays a group down at `at`, end mark included where the buffer has room for it; returns where the next one goes. */
export function writeGroup(
  into: Buffer,
  at: number,
  group: { nonce: Uint8Array; seq: number; entries: readonly Entry[]; bodyBytes: number },
): number {
  into.set(groupMagic, at);
  into.set(group.nonce, at + 4);
  putU64(into, group.seq, at + 12);
  into.writeUInt32BE(group.bodyBytes, at + 20);
  into.writeUInt32BE(group.entries.length, at + 24);
  into.writeUInt32BE(crc32(into.subarray(at, at + 28)), at + 28);
  let place = at + groupHeaderBytes;
  for (const entry of group.entries) {
    into.writeUInt32BE(entryTypes[entry.type] * 0x100_0000, place + 4);
    into.writeUInt32BE(entry.bytes, place + 8);
    let end = place + entryHeaderBytes;
    for (const part of entry.parts) {
      into.set(part, end);
      end += part.length;
    }
    into.writeUInt32BE(crc32(into.subarray(place + 4, end)), place);
    place = end;
  }
  const next = at + groupBytes(group.bodyBytes);
  into.fill(0, place, Math.min(next + endMarkBytes, into.length));
  return next;
}

/** The header at `at`, or `undefined` where none is. */
export function readGroupHeader(from: Buffer, at: number): GroupHeader | undefined {
  if (at + groupHeaderBytes > from.length || from.compare(groupMagic, 0, 4, at, at + 4) !== 0)
    return undefined;
  if (from.readUInt32BE(at + 28) !== crc32(from.subarray(at, at + 28))) return undefined;
  return {
    nonce: from.subarray(at + 4, at + 12),
    seq: getU64(from, at + 12),
    bodyBytes: from.readUInt32BE(at + 20),
    entries: from.readUInt32BE(at + 24),
  };
}

/** An entry that was read: a view of the file's bytes, and where in the file it lies. */
export type PlacedEntry = { readonly type: EntryType; readonly bytes: Uint8Array; readonly at: number };

export function entryOf(type: EntryType, parts: readonly Uint8Array[]): Entry {
  return { type, parts, bytes: parts.reduce((sum, part) => sum + part.length, 0) };
}

/** A group's entries; `whole` is false where any is damaged, and `entries` has those that are not. */
export function readEntries(
  from: Buffer,
  at: number,
  header: GroupHeader,
): { entries: PlacedEntry[]; whole: boolean } {
  const entries: PlacedEntry[] = [];
  const end = at + groupHeaderBytes + header.bodyBytes;
  let whole = end <= from.length;
  let place = at + groupHeaderBytes;
  for (let i = 0; i < header.entries; i++) {
    if (place + entryHeaderBytes > Math.min(end, from.length)) return { entries, whole: false };
    const bytes = from.readUInt32BE(place + 8);
    const next = place + entryHeaderBytes + bytes;
    // A damaged length leads astray, and what then follows fails its own checksum.
    if (next > Math.min(end, from.length)) return { entries, whole: false };
    const type = typeOf.get(from.readUInt8(place + 4));
    if (type !== undefined && from.readUInt32BE(place) === crc32(from.subarray(place + 4, next)))
      entries.push({
        type,
        bytes: from.subarray(place + entryHeaderBytes, next),
        at: place + entryHeaderBytes,
      });
    else whole = false;
    place = next;
  }
  return { entries, whole: whole && place === end };
}
