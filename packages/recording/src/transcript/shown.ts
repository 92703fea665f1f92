import { utf8 } from "@gatehouse/kernel";
import { decodeFileOperation } from "../tracks/file-operation.ts";
import { decodeForwardClose, decodeForwardOpen } from "../tracks/forward-payloads.ts";
import { decodeDigest, decodeRequest, decodeResize } from "../tracks/terminal-payloads.ts";

/** A frame without the promises of the format, as an API hands it out. A kind that nobody knows shows nothing. */
export type ShownFrame = {
  readonly kind: string;
  readonly stream: number;
  readonly data: Uint8Array;
};

/** What one frame does to the screen: bytes for the terminal, a new size, or nothing. */
export type Shown =
  | { what: "bytes"; bytes: Uint8Array }
  | { what: "size"; cols: number; rows: number }
  | { what: "nothing" };

const nothing: Shown = { what: "nothing" };
/** A size is what a client claimed; no screen is made larger than people have. */
const sizeMax = { cols: 1000, rows: 500 } as const;

/**
 * A terminal's output is shown as it was; what has no screen of its own is told in lines. An exit status is not shown:
 * nobody saw it, and it may come before the last of the output.
 */
export function shownBy(frame: ShownFrame): Shown {
  switch (frame.kind) {
    case "output":
    case "notice":
      return { what: "bytes", bytes: frame.data };
    case "stdout":
    case "stderr":
      return { what: "bytes", bytes: withReturns(frame.data) };
    case "resize":
      return sized(() => decodeResize(frame.data));
    case "request":
      return requested(frame.data);
    case "digest":
      return told(() => {
        const { of, bytes, final } = decodeDigest(frame.data);
        return final ? `[${of}: ${bytes} bytes in all, the rest kept as a digest]` : undefined;
      });
    case "file":
      return told(() => fileLine(frame.data));
    case "forward.open":
      return told(() => {
        const { direction, host, port } = decodeForwardOpen(frame.data);
        return `[forward ${frame.stream}: ${direction} ${host}:${port}]`;
      });
    case "forward.close":
      return told(() => {
        const { bytesIn, bytesOut, error } = decodeForwardClose(frame.data);
        const why = error === undefined ? "" : `: ${error}`;
        return `[forward ${frame.stream}: closed, ${bytesIn} bytes in, ${bytesOut} bytes out${why}]`;
      });
    default:
      return nothing;
  }
}

/** The size that a shell was asked for, else the one at the start of the session. */
function requested(data: Uint8Array): Shown {
  return sized(() => decodeRequest(data).pty);
}

function sized(read: () => { cols: number; rows: number } | undefined): Shown {
  const size = tried(read);
  if (!size || size.cols === 0 || size.rows === 0) return nothing;
  return { what: "size", ...boundedSize(size) };
}

/** What a recording begins with: what was asked for, unless there was no terminal at the other end, which asks for 0 by 0. */
export function sizeAtFirst(asked: { cols: number; rows: number } | undefined): {
  cols: number;
  rows: number;
} {
  return asked && asked.cols > 0 && asked.rows > 0 ? asked : { cols: 80, rows: 24 };
}

export function boundedSize(size: { cols: number; rows: number }): { cols: number; rows: number } {
  return {
    cols: Math.max(2, Math.min(size.cols, sizeMax.cols)),
    rows: Math.max(1, Math.min(size.rows, sizeMax.rows)),
  };
}

function told(say: () => string | undefined): Shown {
  const line = tried(say);
  return line === undefined ? nothing : { what: "bytes", bytes: utf8(`${printable(line)}\r\n`) };
}

/** A frame that does not read is the verification's business; a player goes on. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** One line an operation: its outcome. What was asked, and how far a transfer is, are told by it in the end. */
function fileLine(data: Uint8Array): string | undefined {
  const file = decodeFileOperation(data);
  if (file.phase !== "result") return undefined;
  const target = file.target === undefined ? "" : ` -> ${file.target}`;
  const outcome =
    file.result === undefined
      ? "broken off"
      : file.result.code === 0
        ? "ok"
        : `failed: ${file.result.message || file.result.code}`;
  const amounts = [
    file.bytesRead === undefined ? "" : `, ${file.bytesRead} bytes read`,
    file.bytesWritten === undefined ? "" : `, ${file.bytesWritten} bytes written`,
    file.sha256 === undefined ? "" : `, sha256 ${file.sha256}`,
    file.partial === undefined ? "" : ` (in part: ${file.partial})`,
  ].join("");
  return `${file.protocol} ${file.op} ${file.path}${target}: ${outcome}${amounts}`;
}

/** Names come from people and programs: what would move the cursor is shown as a replacement character. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** Output without a terminal has bare line feeds; on a screen each begins a new line. */
function withReturns(data: Uint8Array): Uint8Array {
  let feeds = 0;
  for (const byte of data) if (byte === 0x0a) feeds++;
  if (feeds === 0) return data;
  const out = new Uint8Array(data.length + feeds);
  let at = 0;
  for (const byte of data) {
    // A return before a return changes nothing, so what was before the feed need not be known.
    if (byte === 0x0a) out[at++] = 0x0d;
    out[at++] = byte;
  }
  return out;
}
