import { checkLimit, fromUtf8, GatehouseError, utf8 } from "@gatehouse/kernel";

/** POSIX ustar (IEEE 1003.1-2017, pax §"ustar Interchange Format"): what every `tar` on any system unpacks. */
const blockBytes = 512;
const fileBytesMax = 8 * 1024 ** 3 - 1;

function octal(value: number, digits: number): Uint8Array {
  return utf8(`${value.toString(8).padStart(digits, "0")}\0`);
}

function checksum(header: Uint8Array): number {
  let sum = 0;
  // The checksum's own eight bytes count as spaces.
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 0x20 : byte;
  return sum;
}

/** The header of one file, and how many zero bytes follow its content. */
export function tarHeader(file: { path: string; bytes: number; mtimeS: number }): Uint8Array {
  const name = utf8(file.path);
  checkLimit("tar.write", "a path's bytes", name.length, 100);
  checkLimit("tar.write", "a file's bytes", file.bytes, fileBytesMax);
  const header = new Uint8Array(blockBytes);
  header.set(name, 0);
  header.set(octal(0o644, 7), 100);
  header.set(octal(0, 7), 108);
  header.set(octal(0, 7), 116);
  header.set(octal(file.bytes, 11), 124);
  header.set(octal(file.mtimeS, 11), 136);
  header.set(utf8("0"), 156);
  header.set(utf8("ustar\u000000"), 257);
  header.set(utf8(`${checksum(header).toString(8).padStart(6, "0")}\0 `), 148);
  return header;
}

export function tarPadding(bytes: number): Uint8Array {
  return new Uint8Array((blockBytes - (bytes % blockBytes)) % blockBytes);
}

/** Two zero blocks end an archive. */
export const tarEnd = (): Uint8Array => new Uint8Array(2 * blockBytes);

/** Part of a file or a blob, read when it is needed. */
export type RangeReader = {
  readonly bytes: number;
  /** Exactly `[start, end)`. */
  read(start: number, end: number): Promise<Uint8Array>;
};

export type TarFile = { readonly path: string; readonly start: number; readonly bytes: number };

/**
 * Lists an archive's plain files by reading headers alone. Throws `corrupt` for anything that is not one of ours: a wrong
 * checksum, another type of entry, content beyond the end, no end.
 */
export async function listTar(reader: RangeReader, filesMax: number): Promise<TarFile[]> {
  const files: TarFile[] = [];
  let at = 0;
  for (;;) {
    if (at + blockBytes > reader.bytes) throw corruptTar("it ends without its end mark");
    const header = await reader.read(at, at + blockBytes);
    at += blockBytes;
    if (header.every((byte) => byte === 0)) return files;
    checkLimit("tar.read", "the number of files", files.length + 1, filesMax);
    if (number(header, 148, 8) !== checksum(header))
      throw corruptTar(`a header before byte ${at} is damaged`);
    const type = header[156];
    if (type !== 0x30 && type !== 0) throw corruptTar("an entry that is no plain file");
    const bytes = number(header, 124, 12);
    if (at + bytes > reader.bytes) throw corruptTar("a file goes on beyond the end");
    files.push({ path: pathIn(header), start: at, bytes });
    at += bytes + tarPadding(bytes).length;
  }
}

function pathIn(header: Uint8Array): string {
  const text = (start: number, length: number) => {
    const field = header.subarray(start, start + length);
    const end = field.indexOf(0);
    return fromUtf8(end < 0 ? field : field.subarray(0, end));
  };
  const prefix = text(345, 155);
  return prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}

function number(header: Uint8Array, start: number, length: number): number {
  const text = String.fromCharCode(...header.subarray(start, start + length)).replace(/[\0 ]+$/, "");
  if (!/^ *[0-7]+$/.test(text)) throw corruptTar("a number in a header is not octal");
  return Number.parseInt(text, 8);
}

function corruptTar(message: string): GatehouseError {
  return new GatehouseError({ code: "corrupt", op: "tar.read", message });
}
