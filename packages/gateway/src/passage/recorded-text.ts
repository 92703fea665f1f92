import { createHash } from "node:crypto";
import { queryLimits } from "@gatehouse/recording";

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
