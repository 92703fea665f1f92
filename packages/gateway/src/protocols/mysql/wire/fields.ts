import { broken } from "./packets.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const latin = new TextDecoder("latin1");

/** MySQL "Protocol Basics / Data Types", little-endian. Running past the end is a typed `protocol` error. */
export class FieldReader {
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
      throw broken(this.#op, `truncated: ${length} bytes wanted at ${this.at}, ${this.remaining} left`);
    const at = this.at;
    this.at += length;
    return at;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }
  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }
  rest(): Uint8Array {
    return this.take(this.remaining);
  }
  /** `int<lenenc>`. Beyond 2^53 it is refused; what counts rows or bytes never gets there. */
  count(): number {
    const first = this.u8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16();
    if (first === 0xfd) return this.u16() + this.u8() * 0x1_0000;
    if (first === 0xfe) return Number(this.u64());
    throw broken(this.#op, `no length begins with 0x${first.toString(16)}`);
  }
  /** `string<lenenc>` as bytes. */
  counted(): Uint8Array {
    return this.take(this.count());
  }
  /** `string<NUL>`. What is not ended ends with the message. */
  terminated(): Uint8Array {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) return this.rest();
    const value = this.take(end - this.at);
    this.at++;
    return value;
  }
}

/**
 * Text of a connection whose character set the gate does not follow: UTF-8, which nearly all is, or else each byte as the
 * character of its number, so that nothing is lost.
 */
export function readText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return latin.decode(bytes);
  }
}

/** The same where only UTF-8 counts as text. */
export function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Puts a message together. */
export class FieldWriter {
  readonly #parts: Uint8Array[] = [];

  u8(...values: number[]): this {
    this.#parts.push(Uint8Array.from(values));
    return this;
  }
  u16(value: number): this {
    return this.u8(value & 0xff, (value >>> 8) & 0xff);
  }
  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }
  zeros(count: number): this {
    this.#parts.push(new Uint8Array(count));
    return this;
  }
  put(bytes: Uint8Array | string): this {
    this.#parts.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    return this;
  }
  terminated(bytes: Uint8Array | string): this {
    return this.put(bytes).u8(0);
  }
  count(value: number): this {
    if (value < 0xfb) return this.u8(value);
    if (value <= 0xffff) return this.u8(0xfc).u16(value);
    if (value <= 0xff_ffff)
      return this.u8(0xfd)
        .u16(value & 0xffff)
        .u8(value >>> 16);
    return this.u8(0xfe)
      .u32(value % 0x1_0000_0000)
      .u32(Math.floor(value / 0x1_0000_0000));
  }
  counted(bytes: Uint8Array | string): this {
    const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    return this.count(data.length).put(data);
  }
  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
