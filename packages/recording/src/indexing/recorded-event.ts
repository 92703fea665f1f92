import type { Frame } from "../frame.ts";
import { type IndexEvent, eventCharsMax } from "../index/mod.ts";

const marked = new Set<Frame["kind"]>([
  "notice",
  "pause",
  "resume",
  "join",
  "leave",
  "break",
  "terminate",
  "resize",
  "signal",
  "env",
  "request",
  "exit",
  "file",
  "forward.open",
  "forward.close",
  "query",
  "session.end",
]);
const lossy = new TextDecoder();

/** What happened beside the output: its frame's own words. */
export function recordedEvent({ kind, timeUs, data }: Frame): IndexEvent | undefined {
  if (!marked.has(kind)) return undefined;
  const text = lossy
    .decode(data.subarray(0, 4 * eventCharsMax))
    .slice(0, eventCharsMax)
    .toWellFormed();
  return { timeUs, kind, text, source: "recorded" };
}
