import { either, flag, integer, object, oneOf, type Shaped, table, text } from "../shape.ts";
import { payloadOf } from "./payload.ts";

const u32 = integer(0, 0xffff_ffff);
const name = text({ charsMax: 1_024 });
const line = text({ charsMax: 262_144 });

/** RFC 4254 §6.2: sizes are uint32 on the wire; a terminal of 4,294,967,295 columns is recorded as it was claimed. */
const resize = object({ cols: u32, rows: u32 }, { widthPx: u32, heightPx: u32 });
export type Resize = Shaped<typeof resize>;

const setEnv = object({ name: line, value: line });
const refusedEnv = object({ name: line, refused: oneOf(true) });
/** An environment variable that was taken, or one that was not and whose value therefore is nobody's business. */
export type Env = Shaped<typeof setEnv> | Shaped<typeof refusedEnv>;
const env = either<Shaped<typeof refusedEnv>, Shaped<typeof setEnv>>(
  (value) => "refused" in value,
  refusedEnv,
  setEnv,
);

/** `signal` without the SIG, as in RFC 4254 §6.9. */
const signal = object({ signal: name, direction: oneOf("in", "out") });
export type Signal = Shaped<typeof signal>;

const exitStatus = object({ status: u32 });
const exitSignal = object({ signal: name, coreDumped: flag, message: line });
/** RFC 4254 §6.10. */
export type Exit = Shaped<typeof exitStatus> | Shaped<typeof exitSignal>;
const exit = either<Shaped<typeof exitSignal>, Shaped<typeof exitStatus>>(
  (value) => "signal" in value,
  exitSignal,
  exitStatus,
);

/** `modes` by their names in RFC 4254 §8 (`ECHO`), or by number where they have none (`"200"`). */
const pty = object({
  term: name,
  cols: u32,
  rows: u32,
  modes: table(/^[A-Z0-9]{1,16}$/, u32, 256),
});
/** `command` is the command of an exec and the name of a subsystem. */
const request = object({ type: oneOf("shell", "exec", "subsystem") }, { command: line, pty });
export type Request = Shaped<typeof request>;

const streamName = oneOf("stdin", "stdout", "stderr");
const digest = object({
  of: streamName,
  bytes: integer(0, Number.MAX_SAFE_INTEGER),
  sha256: text({ charsMax: 64, pattern: /^[0-9a-f]{64}$/, says: "64 hexadecimal digits" }),
  final: flag,
});
export type Digest = Shaped<typeof digest>;

const eof = object({ of: streamName });
export type Eof = Shaped<typeof eof>;

const resizePayload = payloadOf<Resize>("resize", resize);
const envPayload = payloadOf<Env>("env", env);
const signalPayload = payloadOf<Signal>("signal", signal);
const exitPayload = payloadOf<Exit>("exit", exit);
const requestPayload = payloadOf<Request>("request", request, { hasTables: true });
const digestPayload = payloadOf<Digest>("digest", digest);
const eofPayload = payloadOf<Eof>("eof", eof);

export const encodeResize = resizePayload.encode;
export const decodeResize = resizePayload.decode;
export const encodeEnv = envPayload.encode;
export const decodeEnv = envPayload.decode;
export const encodeSignal = signalPayload.encode;
export const decodeSignal = signalPayload.decode;
export const encodeExit = exitPayload.encode;
export const decodeExit = exitPayload.decode;
export const encodeRequest = requestPayload.encode;
export const decodeRequest = requestPayload.decode;
export const encodeDigest = digestPayload.encode;
export const decodeDigest = digestPayload.decode;
export const encodeEof = eofPayload.encode;
export const decodeEof = eofPayload.decode;
