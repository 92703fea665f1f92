import { createHash, type Hash } from "node:crypto";
import { toBase64, toHex } from "@gatehouse/kernel";
import { type Query, type QueryValue, queryLimits } from "@gatehouse/recording";
import { cutText, digested, recordedText } from "../../../passage/mod.ts";
import { readText, readUtf8 } from "../wire/fields.ts";
import type { Parameter } from "../wire/parameters.ts";
import { readString, typeName } from "../wire/values.ts";

/** All values of one statement together; what comes beyond is shown by its beginning, its length and its digest. */
const charsMax = 4 * queryLimits.textCharsMax;
const beginningChars = 64;

/**
 * A statement's text, in whatever character set the connection has: the gate does not follow that. What is no UTF-8 is shown
 * byte by byte, and kept as it is beside.
 */
export function recordedStatement(bytes: Uint8Array): Pick<Query, "text" | "textBytes" | "bytes" | "sha256"> {
  const text = readUtf8(bytes);
  if (text !== undefined) return recordedText(text);
  const kept = bytes.subarray(0, queryLimits.textCharsMax);
  return {
    text: readText(kept),
    textBytes: toBase64(kept),
    ...(kept.length < bytes.length && digested(bytes)),
  };
}

/** Parameters as they are recorded. `long` is what was sent ahead of the statement, by parameter. */
export function recordedParameters(
  parameters: readonly Parameter[],
  long: ReadonlyMap<number, LongData> | undefined,
): QueryValue[] {
  let left = charsMax;
  return parameters.map((parameter, i) => {
    const value = long?.get(i)?.recorded() ?? recorded(parameter);
    const shown = value.text ?? value.hex;
    if (shown === undefined) return value;
    left -= shown.length;
    return left >= 0 ? value : shortened(value);
  });
}

/** Data that a client sends in pieces ahead of its statement: its beginning, and the digest of all of it. */
export class LongData {
  readonly #hash: Hash = createHash("sha256");
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #bytes = 0;

  add(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
    const kept = Uint8Array.from(piece.subarray(0, queryLimits.textCharsMax / 2 - this.#keptBytes));
    this.#kept.push(kept);
    this.#keptBytes += kept.length;
  }
  recorded(): QueryValue {
    const value = readString(Buffer.concat(this.#kept));
    return {
      ...("text" in value ? { text: value.text } : { hex: toHex(value.bytes) }),
      type: "long data",
      ...(this.#bytes > this.#keptBytes && {
        bytes: this.#bytes,
        sha256: this.#hash.copy().digest("hex"),
      }),
    };
  }
}

function recorded({ type: number, name, value, indicator }: Parameter): QueryValue {
  const type = name === "" ? typeName(number) : `${typeName(number)} ${name}`.slice(0, 128);
  if (indicator) return { text: indicator.toUpperCase(), type: `${type} indicator` };
  if (!value) return { null: true, type };
  if ("text" in value)
    return value.text.length <= queryLimits.textCharsMax
      ? { text: value.text, type }
      : { text: cutText(value.text), type, ...digested(Buffer.from(value.text)) };
  const shown = value.bytes.subarray(0, queryLimits.textCharsMax / 2);
  return { hex: toHex(shown), type, ...(shown.length < value.bytes.length && digested(value.bytes)) };
}

function shortened(value: QueryValue): QueryValue {
  const whole =
    value.sha256 === undefined
      ? digested(value.hex === undefined ? Buffer.from(value.text ?? "") : Buffer.from(value.hex, "hex"))
      : {};
  const { text, hex } = value;
  return {
    ...value,
    ...(text !== undefined && { text: text.slice(0, beginningChars).toWellFormed() }),
    ...(hex !== undefined && { hex: hex.slice(0, beginningChars) }),
    ...whole,
  };
}
