/**
 * A frame is the unit of a recording: one thing that passed or happened, with its moment.
 * Bytes are the truth: `data` is what passed, unchanged, wherever a kind says "raw"; elsewhere it is UTF-8 JSON
 * whose shape the kind's track defines.
 */
export type Frame = {
  /** 0 for the first frame of a recording, then one more each; a gap is a loss (or a lane the reader may not open). */
  readonly seq: number;
  /** Microseconds since the recording began, monotonic. */
  readonly timeUs: number;
  readonly kind: FrameKind;
  /** Which conversation inside the session: 0 where a session has only one; a forward or file handle has its own. */
  readonly stream: number;
  readonly data: Uint8Array;
};

/**
 * Every kind with its code on disk. Codes are for ever: a reader skips a code that it does not know.
 * 0x00-0x1f every session, 0x20 terminal, 0x28 exec, 0x30 files, 0x38 forwards, 0x40 queries, 0x50 HTTP, 0x60 desktop.
 */
export const frameKinds = {
  /** JSON: what the session is; always the first frame (`SessionFacts`). */
  "session.start": 0x00,
  /** JSON `{ reason, detail?, exitStatus?, exitSignal? }`: always the last frame of a session that ended properly. */
  "session.end": 0x01,
  /** Raw UTF-8 that the gate itself showed to the person; part of what they saw, none of the target's output. */
  notice: 0x02,
  /** JSON `{ user: { id, name }, reason?, limitMs?, discardedBytes? }`: from here on input stopped, or passed again. */
  pause: 0x03,
  resume: 0x04,
  /** JSON `{ user: { id, name }, mode }`: somebody began or stopped watching. */
  join: 0x05,
  leave: 0x06,
  /** JSON `{ why }`: the chain was broken here and begins anew. */
  break: 0x07,
  /** JSON `{ user: { id, name }, reason, warning?, graceMs? }`: somebody has decided that the session ends. */
  terminate: 0x08,

  /** Raw: what the target's terminal printed. */
  output: 0x20,
  /** Raw: what the person typed. Input lane. */
  input: 0x21,
  /** JSON `{ cols, rows, widthPx?, heightPx? }`. */
  resize: 0x22,
  /** JSON `{ name, value }` an accepted environment variable, or `{ name, refused: true }`. */
  env: 0x23,
  /** JSON `{ signal, direction: "in" | "out" }`. */
  signal: 0x24,
  /** JSON `{ status }` or `{ signal, coreDumped, message }`. */
  exit: 0x25,
  /** JSON `{ type: "shell" | "exec" | "subsystem", command?, pty?: { term, cols, rows, modes } }`: what was asked for. */
  request: 0x26,

  /** Raw, exec without a terminal. stdin is in the input lane. */
  stdin: 0x28,
  stdout: 0x29,
  stderr: 0x2a,
  /**
   * JSON `{ of: "stdin" | "stdout" | "stderr", bytes, sha256, final }`: beyond the limit only the running digest is
   * kept. `bytes` and `sha256` (hex) cover the stream from its first byte.
   */
  digest: 0x2b,
  /** JSON `{ of }`: that direction reached its end. */
  eof: 0x2c,

  /** JSON: one file operation of SFTP or scp (`FileOperation` in tracks/files). */
  file: 0x30,

  /** JSON `{ direction: "local" | "remote" | "listen", host, port, originHost?, originPort? }`. */
  "forward.open": 0x38,
  /** JSON `{ bytesIn, bytesOut, error? }`. */
  "forward.close": 0x39,

  /** JSON (tracks/query): what a client of a database asked for, and what came of it. */
  query: 0x40,
  "query.outcome": 0x41,
  /** JSON: secrets that are masked in the query of that number. Input lane. */
  "query.secret": 0x42,
  /** JSON: rows of a result, and content of a copy, where a policy keeps them. */
  "query.rows": 0x43,
  "query.data": 0x44,
} as const;
export type FrameKind = keyof typeof frameKinds;

/**
 * Frames lie in two lanes, each encrypted under its own key, so that what people typed can be kept
 * from those who may only see what was shown.
 */
export type Lane = "main" | "input";
export function laneOf(kind: FrameKind): Lane {
  return kind === "input" || kind === "stdin" || kind === "query.secret" ? "input" : "main";
}

/** A frame of 16 MiB holds any packet of any protocol; a claim above it is refused before memory is given to it. */
export const frameLimits = { dataBytesMax: 16 * 1024 * 1024 } as const;

/** Who, from where, to what: the facts known when a session is admitted. Plain in the manifest, so never a secret. */
export type SessionFacts = {
  sessionId: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  protocol: string;
  /** `shell`, `exec`, `sftp`, `scp`, `forward`: the protocol's own word. */
  kind: string;
  /** Which player reads it. */
  track: "terminal" | "exec" | "files" | "forward" | "query" | "http" | "desktop";
  user: { id: string; name: string };
  /** The account on the target. */
  login: string;
  target: { id: string; name: string; address: string };
  remoteAddress: string;
  /** Shared by all sessions of one client connection. */
  connectionId: string;
  /** The client's own identification, e.g. `SSH-2.0-OpenSSH_9.2`. Printable ASCII. */
  client?: string;
  gatewayId: string;
  /** The command, where one was asked for. */
  command?: string;
  /** The terminal's size at the start. */
  size?: { cols: number; rows: number };
  /** For how long after its end the recording is kept, as it was decided when the session began. */
  retentionMs?: number;
};
