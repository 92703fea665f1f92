import { toBase64 } from "@gatehouse/kernel";
import { flag, integer, list, object, oneOf, pair, type Shaped, text } from "../shape.ts";
import { rangesMax } from "./byte-ranges.ts";
import { payloadOf } from "./payload.ts";

const count = integer(0, Number.MAX_SAFE_INTEGER);
const u32 = integer(0, 0xffff_ffff);
/** A path is at most one SFTP packet. */
const path = text({ charsMax: 262_144 });
const base64 = text({
  charsMax: 400_000,
  pattern: /^[A-Za-z0-9+/]*={0,2}$/,
  says: "base64",
});

const operation = object(
  {
    op: oneOf(
      "open",
      "close",
      "read",
      "write",
      "stat",
      "setstat",
      "opendir",
      "readdir",
      "remove",
      "mkdir",
      "rmdir",
      "realpath",
      "rename",
      "readlink",
      "symlink",
      "link",
      "extended",
    ),
    protocol: oneOf("sftp", "scp"),
    path,
    operation: count,
    phase: oneOf("request", "progress", "result"),
  },
  {
    result: object({ code: u32, message: text({ charsMax: 262_144 }) }),
    pathBytes: base64,
    target: path,
    targetBytes: base64,
    flags: list(oneOf("read", "write", "append", "create", "truncate", "exclusive"), 6),
    ranges: list(pair(count, count), rangesMax),
    rangesExact: flag,
    bytesRead: count,
    bytesWritten: count,
    entries: count,
    size: count,
    mode: u32,
    uid: u32,
    gid: u32,
    atimeS: count,
    mtimeS: count,
    sha256: text({ charsMax: 64, pattern: /^[0-9a-f]{64}$/, says: "64 hexadecimal digits" }),
    partial: text({ charsMax: 256 }),
    extended: text({ charsMax: 1_024 }),
  },
);

/**
 * One file operation of SFTP or scp. What opens or changes something is told twice: as `request` before the target saw
 * it, and as `result` before the person saw the answer; both carry the same `operation`, a number of this session. What
 * only asks is told once, as `result`. Many reads or writes of one open file are one `close`, which has the `operation` of its
 * `open` and whose `ranges`, `bytesRead` and `bytesWritten` sum them up; a long transfer says in between where it
 * stands (`progress`). A file that was open when the conversation broke off ends in a `close` without `result`.
 *
 * `sha256` covers the file's bytes from the first on, as many as passed, and is there only when they passed in order.
 * `partial` says why that is not the whole file; without it, it is.
 *
 * `path` is what the person's side sent. Names on Unix are bytes: where they are not UTF-8, `path` shows U+FFFD and
 * `pathBytes` holds them in base64; make both with `pathFields`. `target` is the other name of a rename, link or symlink,
 * and the answer of realpath and readlink. `extended` names the extension. `result.code` is the SFTP status
 * (draft-ietf-secsh-filexfer-02 §7: 0 is success); scp has 0, and 1 or 2 for its warning and fatal replies.
 */
export type FileOperation = Shaped<typeof operation>;

const payload = payloadOf<FileOperation>("file", operation);
export const encodeFileOperation = payload.encode;
export const decodeFileOperation = payload.decode;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

function readable(bytes: Uint8Array): { shown: string; exact: boolean } {
  try {
    return { shown: strict.decode(bytes), exact: true };
  } catch {
    return { shown: lossy.decode(bytes), exact: false };
  }
}

/** The fields of a path as it came off the wire. */
export function pathFields(bytes: Uint8Array): Pick<FileOperation, "path" | "pathBytes"> {
  const { shown, exact } = readable(bytes);
  return exact ? { path: shown } : { path: shown, pathBytes: toBase64(bytes) };
}

/** The same for the second name of an operation. */
export function targetFields(bytes: Uint8Array): Pick<FileOperation, "target" | "targetBytes"> {
  const { shown, exact } = readable(bytes);
  return exact ? { target: shown } : { target: shown, targetBytes: toBase64(bytes) };
}

/** A 64-bit count of the wire as JSON can carry it: above 2^53-1, which no file reaches, it is recorded as 2^53-1. */
export function recordedCount(value: bigint | number): number {
  const limit = Number.MAX_SAFE_INTEGER;
  if (value > limit) return limit;
  return value < 0 ? 0 : Number(value);
}
