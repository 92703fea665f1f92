import { type Hash, createHash } from "node:crypto";
import type { Clock } from "@gatehouse/kernel";
import {
  type Digest,
  type FileOperation,
  type FrameKind,
  encodeDigest,
  encodeEof,
  encodeFileOperation,
} from "@gatehouse/recording";
import type { Session } from "../../../sessions/session.ts";
import type { AuditTrail } from "./audit-trail.ts";

/** How one direction of a session is recorded. */
export type StreamRecord = {
  /** The bytes themselves are kept: those of one turn of the event loop then go into one frame. */
  gathers(stream: number): boolean;
  /**
   * Records what must be durable before these bytes pass; undefined when nothing must. Throws when the bytes cannot be
   * followed, and then they must not pass. `bytes` may be kept when `gathers`, else not.
   */
  record(bytes: Uint8Array, stream: number): Promise<unknown> | undefined;
  /** The direction reached its end. */
  end(): Promise<unknown> | undefined;
  /** The session is over, whether or not the direction had ended: what is still to be told of it. */
  close(): Promise<unknown> | undefined;
};

/** A terminal: raw in both directions. What a target sends as stderr beside a terminal is on the screen too. */
export function terminalRecord(session: Pick<Session, "record">, kind: "input" | "output"): StreamRecord {
  return {
    gathers: () => true,
    record: (bytes) => session.record(kind, 0, bytes),
    end: () => undefined,
    close: () => undefined,
  };
}

export type DigestTiming = { clock: Pick<Clock, "monotonicUs">; intervalMs: number; intervalBytes: number };

/** One stream of a command: raw up to the limit, then its running digest. */
class LimitedStream {
  readonly #session: Pick<Session, "record">;
  readonly #of: Digest["of"];
  readonly #limitBytes: number;
  readonly #timing: DigestTiming;
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;
  #toldBytes = 0;
  #toldUs = 0;
  #beyond = false;
  #ended = false;

  constructor(
    session: Pick<Session, "record">,
    of: Digest["of"] & FrameKind,
    limitBytes: number,
    timing: DigestTiming,
  ) {
    this.#session = session;
    this.#of = of;
    this.#limitBytes = limitBytes;
    this.#timing = timing;
  }
  get beyond(): boolean {
    return this.#beyond;
  }
  record(bytes: Uint8Array): Promise<unknown> | undefined {
    if (this.#beyond) {
      this.#take(bytes);
      const due =
        this.#bytes - this.#toldBytes >= this.#timing.intervalBytes ||
        this.#timing.clock.monotonicUs() - this.#toldUs >= this.#timing.intervalMs * 1000;
      return due ? this.#digest(false) : undefined;
    }
    const room = this.#limitBytes - this.#bytes;
    if (bytes.length <= room) {
      this.#take(bytes);
      return this.#session.record(this.#of, 0, bytes);
    }
    // The crossing: the last bytes that are kept, then the word that no more are.
    const kept = bytes.subarray(0, room);
    this.#take(kept);
    const frames = kept.length > 0 ? [this.#session.record(this.#of, 0, kept)] : [];
    frames.push(this.#digest(false));
    this.#beyond = true;
    this.#take(bytes.subarray(room));
    return Promise.all(frames);
  }
  /** The end: of the digest, if it began, and of the stream. */
  end(tellEof: boolean): Promise<unknown> | undefined {
    const frames: Promise<void>[] = [];
    if (this.#beyond) frames.push(this.#digest(true));
    this.#ended = true;
    if (tellEof) frames.push(this.#session.record("eof", 0, encodeEof({ of: this.#of })));
    return frames.length > 0 ? Promise.all(frames) : undefined;
  }
  close(): Promise<unknown> | undefined {
    return this.#beyond && !this.#ended ? this.#digest(true) : undefined;
  }
  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
  #digest(final: boolean): Promise<void> {
    this.#toldBytes = this.#bytes;
    this.#toldUs = this.#timing.clock.monotonicUs();
    const sha256 = this.#hash.copy().digest("hex");
    return this.#session.record(
      "digest",
      0,
      encodeDigest({ of: this.#of, bytes: this.#bytes, sha256, final }),
    );
  }
}

/** What follows a file transfer beside the bytes: SFTP's tap, or scp's. */
export type FileTap = {
  fromClient(view: Uint8Array): FileOperation[];
  fromTarget(view: Uint8Array): FileOperation[];
  end(): FileOperation[];
};

/** A command without a terminal. `files` follows an scp that runs in it. */
export function commandRecords(options: {
  session: Pick<Session, "record">;
  limitBytes: number;
  timing: DigestTiming;
  files?: { tap: FileTap; record(operations: readonly FileOperation[]): Promise<unknown> | undefined };
}): { fromClient: StreamRecord; fromTarget: StreamRecord } {
  const { session, limitBytes, timing, files } = options;
  const stdin = new LimitedStream(session, "stdin", limitBytes, timing);
  const stdout = new LimitedStream(session, "stdout", limitBytes, timing);
  const stderr = new LimitedStream(session, "stderr", limitBytes, timing);
  const both = (a: Promise<unknown> | undefined, b: Promise<unknown> | undefined) =>
    a && b ? Promise.all([a, b]) : (a ?? b);
  return {
    fromClient: {
      gathers: () => !stdin.beyond,
      record: (bytes) => both(files?.record(files.tap.fromClient(bytes)), stdin.record(bytes)),
      end: () => stdin.end(true),
      close: () => both(files?.record(files.tap.end()), stdin.close()),
    },
    fromTarget: {
      gathers: (stream) => !(stream === 0 ? stdout : stderr).beyond,
      record: (bytes, stream) =>
        stream === 0
          ? both(files?.record(files.tap.fromTarget(bytes)), stdout.record(bytes))
          : stderr.record(bytes),
      end: () => both(stdout.end(true), stderr.end(false)),
      close: () => both(stdout.close(), stderr.close()),
    },
  };
}

/** SFTP: its operations. The raw bytes are not kept; what a target's sftp-server says on stderr is. */
export function fileRecords(
  session: Pick<Session, "record">,
  files: { tap: FileTap; record(operations: readonly FileOperation[]): Promise<unknown> | undefined },
): { fromClient: StreamRecord; fromTarget: StreamRecord } {
  return {
    fromClient: {
      gathers: () => false,
      record: (bytes) => files.record(files.tap.fromClient(bytes)),
      end: () => undefined,
      close: () => files.record(files.tap.end()),
    },
    fromTarget: {
      gathers: (stream) => stream !== 0,
      record: (bytes, stream) =>
        stream === 0 ? files.record(files.tap.fromTarget(bytes)) : session.record("stderr", 0, bytes),
      end: () => undefined,
      close: () => undefined,
    },
  };
}

/** Records operations as frames, and tells the audit log of those that say what was done. */
export function fileOperationRecorder(
  session: Pick<Session, "record">,
  trail: Pick<AuditTrail, "tell">,
): (operations: readonly FileOperation[]) => Promise<unknown> | undefined {
  return (operations) => {
    if (operations.length === 0) return undefined;
    const waits: Promise<unknown>[] = [];
    for (const operation of operations) {
      waits.push(session.record("file", 0, encodeFileOperation(operation)));
      const event = auditOf(operation);
      const told = event && trail.tell(event.event, event.fields, event.success);
      if (told) waits.push(told);
    }
    return Promise.all(waits);
  };
}

/** What the audit log hears: openings refused, closes with their sums, and changes with their results. */
function auditOf(
  operation: FileOperation,
): { event: string; fields: Record<string, unknown>; success: boolean } | undefined {
  if (operation.phase !== "result") return undefined;
  const success = operation.result !== undefined && operation.result.code === 0;
  const path = operation.path.slice(0, 4096);
  const error = success
    ? undefined
    : operation.result?.message.slice(0, 4096) || `status ${operation.result?.code ?? "unknown"}`;
  // `sha256` in the audit log is the whole file's.
  const sha256 = operation.partial === undefined ? operation.sha256 : undefined;
  if (operation.protocol === "scp") {
    if (operation.op !== "close" && !(operation.op === "open" && !success)) return undefined;
    const bytes = operation.bytesWritten ?? operation.bytesRead;
    return {
      event: "scp",
      success,
      fields: {
        action:
          operation.flags?.includes("read") || operation.bytesRead !== undefined ? "download" : "upload",
        path,
        ...(bytes !== undefined && { len: bytes }),
        ...(sha256 !== undefined && { sha256 }),
        ...(operation.mode !== undefined && { mode: (operation.mode & 0o7777).toString(8).padStart(4, "0") }),
        ...(error !== undefined && { error }),
      },
    };
  }
  switch (operation.op) {
    case "open":
    case "opendir":
    case "close":
    case "setstat":
    case "remove":
    case "mkdir":
    case "rmdir":
    case "rename":
    case "symlink":
    case "link":
      return {
        event: "sftp",
        success,
        fields: {
          action: operation.op,
          path,
          ...(operation.target !== undefined && { target_path: operation.target.slice(0, 4096) }),
          ...(operation.flags && { flags: operation.flags }),
          ...(operation.bytesRead !== undefined && { bytes_read: operation.bytesRead }),
          ...(operation.bytesWritten !== undefined && { bytes_written: operation.bytesWritten }),
          ...(sha256 !== undefined && { sha256 }),
          ...(operation.result && { status: operation.result.code }),
          ...(error !== undefined && { error }),
        },
      };
    // They only ask; the recording has them.
    case "stat":
    case "realpath":
    case "readlink":
    case "extended":
    case "read":
    case "write":
    case "readdir":
      return undefined;
  }
}
