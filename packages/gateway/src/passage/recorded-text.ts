import { createHash } from "node:crypto";
import { type Query, type QueryValue, queryLimits } from "@gatehouse/recording";
import { type Dialect, maskSecrets } from "../statements/mod.ts";

/** A statement's text as it is recorded: whole, or its beginning with the length and digest of all of it. */
export function recordedText(text: string): { text: string; bytes?: number; sha256?: string } {
  if (text.length <= queryLimits.textCharsMax) return { text };
  return { text: cutText(text), ...digested(Buffer.from(text)) };
}

/** Not in the middle of a character. */
export function cutText(text: string): string {
  const end = queryLimits.textCharsMax;
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

export function digested(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** A statement's text where it holds secrets: for everybody, and as it was, for the stricter lane. */
export type TextSecrets = {
  query: Pick<Query, "text" | "bytes" | "sha256" | "masked">;
  secret: Pick<Query, "text" | "textBytes">;
  /** Numbers from 1 of the parameters that stand for secrets. */
  parameters: ReadonlySet<number>;
};
/** `recorded` is how the text is kept where it holds none; undefined then. */
export function textSecrets(
  recorded: Pick<Query, "text" | "textBytes" | "bytes" | "sha256">,
  dialect: Dialect,
): TextSecrets | undefined {
  const { text = "", textBytes, bytes, sha256 } = recorded;
  const masked = maskSecrets(text, dialect);
  if (!masked) return undefined;
  return {
    query: {
      text: masked.text,
      masked: true,
      ...(bytes !== undefined && sha256 !== undefined && { bytes, sha256 }),
    },
    secret: { text, ...(textBytes !== undefined && { textBytes }) },
    parameters: masked.parameters,
  };
}

/** Values with those left out that stand for secrets. `width`: parameters of one row, where several rows follow each other. */
export function maskedValues(
  values: readonly QueryValue[],
  secrets: ReadonlySet<number>,
  width = values.length,
): QueryValue[] {
  return values.map((value, i) => {
    if (!secrets.has((i % Math.max(1, width)) + 1)) return value;
    return value.type === undefined ? { masked: true } : { masked: true, type: value.type };
  });
}
