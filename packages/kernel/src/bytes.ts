import { GatehouseError } from "./errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Of a character in UTF-16, at most. */
const unitBytesMax = 3;
const shortChars = 1024;
const scratch = new Uint8Array(shortChars * unitBytesMax);

/** Each call of `encode` costs several times what a short text does, and most are. */
export function utf8(text: string): Uint8Array {
  if (text.length > shortChars) return encoder.encode(text);
  return scratch.slice(0, encoder.encodeInto(text, scratch).written);
}

const chunkChars = 32 * 1024;

/** Lines that go out together, some 32 KiB at a time: a packet for each would be most of the work. */
export async function* utf8Chunks(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = "";
  for await (const line of lines) {
    text += line;
    if (text.length < chunkChars) continue;
    yield utf8(text);
    text = "";
  }
  if (text !== "") yield utf8(text);
}

/** Decodes UTF-8 and refuses what is not UTF-8: names, paths and JSON must not change by being read. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new GatehouseError({ code: "invalid", op: "bytes.utf8", message: "not valid UTF-8", cause });
  }
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality in time that depends on the length only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text))
    throw new GatehouseError({ code: "invalid", op: "bytes.hex", message: "not hexadecimal" });
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  );
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new GatehouseError({ code: "invalid", op: "bytes.base64", message: "not base64", cause });
  }
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** Reads big-endian fields from bytes that nobody vouches for: running past the end is a typed `protocol` error. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #op: string;
  at = 0;

  constructor(bytes: Uint8Array, op: string) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#op = op;
  }
  get remaining(): number {
    return this.bytes.length - this.at;
  }
  #take(length: number): number {
    if (length > this.remaining)
      throw new GatehouseError({
        code: "protocol",
        op: this.#op,
        message: `truncated: ${length} bytes wanted at ${this.at}, ${this.remaining} left`,
      });
    const at = this.at;
    this.at += length;
    return at;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }
  /** LEB128, at most 53 bits: the integers of JavaScript. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && i > 0)) break;
        return value;
      }
      scale *= 128;
    }
    throw new GatehouseError({ code: "protocol", op: this.#op, message: `bad varint before ${this.at}` });
  }
  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }
}

const varintBytesMax = 8;
/** What a number takes as LEB128. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a number as LEB128 and returns where it ends. There must be room for `varintBytes` of it. */
export function putVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Above 31 bits the bit operators wrap, so large values (times, after an hour) take the slow road first.
  while (rest > 0x7fff_ffff) {
    into[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 0x80) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

/** Grows as it is written; big-endian. `done()` is a view of what was written. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(sizeHint = 256) {
    this.#bytes = new Uint8Array(sizeHint);
    this.#view = new DataView(this.#bytes.buffer);
  }
  get length(): number {
    return this.#at;
  }
  /** May replace the buffer: call it before touching `#view`. */
  #room(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, at + length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#at += length;
    return at;
  }
  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
    return this;
  }
  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }
  u64(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
    return this;
  }
  varint(value: number): this {
    const at = this.#room(varintBytes(value));
    putVarint(this.#bytes, at, value);
    return this;
  }
  /** Its length in bytes as a varint, and UTF-8. */
  text(text: string): this {
    // The longest that it can be. Mostly it is ASCII, and its length known before.
    const start = this.#room(varintBytesMax + 3 * text.length);
    const expected = varintBytes(text.length);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start + expected));
    const needed = varintBytes(written);
    if (needed !== expected)
      this.#bytes.copyWithin(start + needed, start + expected, start + expected + written);
    this.#at = start;
    this.varint(written);
    this.#at += written;
    return this;
  }
  put(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** A few bytes out of many, without a view of their own, which costs more than copying them. */
  putPart(bytes: Uint8Array, start: number, end: number): this {
    const at = this.#room(end - start) - start;
    const to = this.#bytes;
    for (let i = start; i < end; i++) to[at + i] = bytes[i] as number;
    return this;
  }
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}
