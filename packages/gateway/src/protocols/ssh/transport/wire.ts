import { GatehouseError, fromUtf8, utf8 } from "@gatehouse/kernel";

/** A single string of a packet may claim no more than this before it is looked at. */
const stringBytesMax = 256 * 1024;

function truncated(what: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op: "ssh.wire", message: `truncated or oversized ${what}` });
}

/** Reads the data types of RFC 4251 §5 from one packet. Byte strings are views into the packet, not copies. */
export class SshReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  get remaining(): number {
    return this.bytes.length - this.at;
  }
  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw truncated("byte");
    this.at++;
    return value;
  }
  bool(): boolean {
    return this.byte() !== 0;
  }
  uint32(): number {
    if (this.remaining < 4) throw truncated("uint32");
    const b = this.bytes;
    const at = this.at;
    this.at += 4;
    return (
      (((b[at] as number) << 24) |
        ((b[at + 1] as number) << 16) |
        ((b[at + 2] as number) << 8) |
        (b[at + 3] as number)) >>>
      0
    );
  }
  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }
  string(): Uint8Array {
    const length = this.uint32();
    if (length > stringBytesMax || length > this.remaining) throw truncated("string");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text(): string {
    const bytes = this.string();
    try {
      return fromUtf8(bytes);
    } catch {
      throw new GatehouseError({ code: "protocol", op: "ssh.wire", message: "a text that is not UTF-8" });
    }
  }
  nameList(): string[] {
    const text = this.text();
    return text === "" ? [] : text.split(",");
  }
  /** Unsigned magnitude of an mpint, without its sign byte. A negative one is refused: no field of ours may be. */
  mpint(): Uint8Array {
    const raw = this.string();
    if (raw.length > 0 && (raw[0] as number) & 0x80) throw truncated("mpint");
    let start = 0;
    while (start < raw.length && raw[start] === 0) start++;
    return raw.subarray(start);
  }
  rest(): Uint8Array {
    const out = this.bytes.subarray(this.at);
    this.at = this.bytes.length;
    return out;
  }
  /** The message must be at its end here. */
  end(what: string): void {
    if (this.remaining !== 0)
      throw new GatehouseError({
        code: "protocol",
        op: "ssh.wire",
        message: `${this.remaining} bytes after ${what}`,
      });
  }
}

/** Writes the data types of RFC 4251 §5. */
export class SshWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor(sizeHint = 128) {
    this.#bytes = new Uint8Array(sizeHint);
  }
  #room(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
  byte(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }
  bool(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }
  uint32(value: number): this {
    const at = this.#room(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }
  uint64(value: bigint): this {
    return this.uint32(Number(value >> 32n)).uint32(Number(value & 0xffffffffn));
  }
  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  string(value: Uint8Array | string): this {
    const bytes = typeof value === "string" ? utf8(value) : value;
    return this.uint32(bytes.length).raw(bytes);
  }
  nameList(names: readonly string[]): this {
    return this.string(names.join(","));
  }
  /** `magnitude` is unsigned big-endian; leading zeros are dropped and a sign byte added where RFC 4251 §5 asks. */
  mpint(magnitude: Uint8Array): this {
    let start = 0;
    while (start < magnitude.length && magnitude[start] === 0) start++;
    const body = magnitude.subarray(start);
    const sign = body.length > 0 && (body[0] as number) & 0x80 ? 1 : 0;
    this.uint32(body.length + sign);
    if (sign) this.byte(0);
    return this.raw(body);
  }
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}
