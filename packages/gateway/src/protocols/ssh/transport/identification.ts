import { broken, disconnectReason } from "./messages.ts";

/** RFC 4253 §4.2: the line with its CR LF is no longer than 255. */
const lineBytesMax = 255;
/** Lines that a server may send first, all together. */
const bannerBytesMax = 16 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Finds the far side's identification line in what arrives (RFC 4253 §4.2). */
export class IdentificationReader {
  readonly #bannerAllowed: boolean;
  #line = Buffer.alloc(0);
  #bannerBytes = 0;

  /** Only a server may send other lines before its own. */
  constructor(peer: "server" | "client") {
    this.#bannerAllowed = peer === "server";
  }

  /** Undefined until the line is there; then the line and what came after it. */
  push(chunk: Buffer): { line: string; rest: Buffer } | undefined {
    let at = 0;
    while (at < chunk.length) {
      const end = chunk.indexOf(lineFeed, at);
      const piece = chunk.subarray(at, end === -1 ? chunk.length : end);
      this.#take(piece);
      if (end === -1) return undefined;
      at = end + 1;
      const line = this.#finish();
      if (line !== undefined) return { line, rest: chunk.subarray(at) };
    }
    return undefined;
  }

  #take(piece: Buffer): void {
    const length = this.#line.length + piece.length;
    const looksRight = startsLikeIdentification(this.#line.length > 4 ? this.#line : piece);
    const limit = looksRight || !this.#bannerAllowed ? lineBytesMax : bannerBytesMax - this.#bannerBytes;
    if (length > limit) throw broken("the identification line is too long");
    this.#line = this.#line.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#line, piece]);
  }

  #finish(): string | undefined {
    let line = this.#line;
    this.#line = Buffer.alloc(0);
    if (line.at(-1) === carriageReturn) line = line.subarray(0, -1);
    if (!startsLikeIdentification(line)) {
      if (!this.#bannerAllowed) throw broken("the client does not speak SSH");
      this.#bannerBytes += line.length + 1;
      if (this.#bannerBytes > bannerBytesMax) throw broken("too much text before the identification line");
      return undefined;
    }
    // A line of other characters would get into logs, and could not be told apart in the exchange hash.
    if (!line.every((byte) => byte >= 0x20 && byte <= 0x7e))
      throw broken("the identification line is not printable ASCII");
    const text = line.toString("latin1");
    // RFC 4253 §5.1: 1.99 is a server that would also take version 1.
    if (!/^SSH-(2\.0|1\.99)-./.test(text))
      throw broken(
        "the far side does not speak version 2 of SSH",
        disconnectReason.protocolVersionNotSupported,
      );
    return text;
  }
}

function startsLikeIdentification(line: Buffer): boolean {
  return line.length >= 4 && line.toString("latin1", 0, 4) === "SSH-";
}
