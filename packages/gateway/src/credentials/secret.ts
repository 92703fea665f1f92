import { inspect } from "node:util";
import { GatehouseError, fromUtf8, utf8 } from "@gatehouse/kernel";

const shown = "[secret]";

/**
 * Bytes that must not be seen. Printing, logging, spreading or serialising one shows `[secret]`: only `bytes` and `text`
 * give it away, so that a search for them finds every place that does.
 */
export class Secret {
  #bytes: Uint8Array | undefined;

  /** Takes the bytes over: `wipe` overwrites them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  static ofText(text: string): Secret {
    return new Secret(utf8(text));
  }
  /** The secret itself, not a copy. */
  bytes(): Uint8Array {
    if (!this.#bytes)
      throw new GatehouseError({ code: "conflict", op: "secret.read", message: "the secret was wiped" });
    return this.#bytes;
  }
  text(): string {
    return fromUtf8(this.bytes());
  }
  /** Overwrites the bytes. Texts made of them are beyond reach, and live until they are collected. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
  toString(): string {
    return shown;
  }
  toJSON(): string {
    return shown;
  }
  [Symbol.toPrimitive](): string {
    return shown;
  }
  [inspect.custom](): string {
    return shown;
  }
}
