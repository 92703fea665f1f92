import type { Frame } from "../frame.ts";
import {
  decodeForwardClose,
  decodeForwardOpen,
  type ForwardClose,
  type ForwardOpen,
} from "./forward-payloads.ts";

/** One forwarded connection or listener from its beginning; `closed` is absent while it is open. */
export type Forward = ForwardOpen & {
  stream: number;
  openedUs: number;
  closed?: ForwardClose & { timeUs: number };
};

/** The forwards of a session in the order in which they opened. A stream's number may be used again once it is closed. */
export async function forwards(frames: AsyncIterable<Frame> | Iterable<Frame>): Promise<Forward[]> {
  const all: Forward[] = [];
  const open = new Map<number, Forward>();
  for await (const { kind, timeUs, stream, data } of frames) {
    if (kind === "forward.open") {
      const forward: Forward = { ...decodeForwardOpen(data), stream, openedUs: timeUs };
      all.push(forward);
      open.set(stream, forward);
    } else if (kind === "forward.close") {
      const forward = open.get(stream);
      if (forward) forward.closed = { ...decodeForwardClose(data), timeUs };
      open.delete(stream);
    }
  }
  return all;
}
