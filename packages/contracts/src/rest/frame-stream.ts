import {
  ByteReader,
  ByteWriter,
  type ErrorCode,
  GatehouseError,
  checkLimit,
  concatBytes,
  errorCodes,
  fromUtf8,
  utf8,
} from "@gatehouse/kernel";

/** A frame as the API hands it out. `kind` is the format's own word; a reader skips one that it does not know. */
export type WireFrame = {
  readonly seq: number;
  /** Microseconds since the recording began. */
  readonly timeUs: number;
  readonly kind: string;
  readonly stream: number;
  readonly data: Uint8Array;
};

/**
 * Between the frames of `GET /sessions/{id}/live`: a record of this kind is no frame of the recording. Its sequence is 0, its
 * time is how late it is, its data is the JSON of a `LiveNow`.
 */
export const liveNowKind = "live.now";

/**
 * The compact form of `GET /recordings/{id}/frames`. Each record: length of the rest (varint), kind (one byte of length
 * and ASCII), sequence, microseconds and stream (varints), and the data to the record's end. The last record has an empty
 * kind: its data is empty when all was sent, else JSON `{ code, detail }`. Without it the stream was cut.
 */
export const frameStreamContentType = "application/vnd.gatehouse.frames";

/** A frame's own limit is far below; this only bounds what a broken peer can make a reader hold. */
const recordBytesMax = 64 * 1024 * 1024;
/** Kind, sequence, time and stream at their longest. */
const headBytesMax = 300;

export function encodeWireFrame(frame: WireFrame): Uint8Array {
  const kind = utf8(frame.kind);
  const head = new ByteWriter(48)
    .u8(kind.length)
    .put(kind)
    .varint(frame.seq)
    .varint(frame.timeUs)
    .varint(frame.stream)
    .done();
  return new ByteWriter(head.length + frame.data.length + 8)
    .varint(head.length + frame.data.length)
    .put(head)
    .put(frame.data)
    .done();
}

export function encodeStreamEnd(error?: { code: string; detail: string }): Uint8Array {
  const data = error ? utf8(JSON.stringify(error)) : new Uint8Array(0);
  return encodeWireFrame({ seq: 0, timeUs: 0, kind: "", stream: 0, data });
}

function readRecord(bytes: Uint8Array): WireFrame {
  const reader = new ByteReader(bytes, "frame-stream.read");
  const kind = fromUtf8(reader.take(reader.u8()));
  const seq = reader.varint();
  const timeUs = reader.varint();
  const stream = reader.varint();
  return { seq, timeUs, kind, stream, data: reader.take(reader.remaining) };
}

/** The record's length and where it begins, or undefined when the varint is not whole yet. */
function recordAt(bytes: Uint8Array, at: number): { length: number; start: number } | undefined {
  let length = 0;
  let scale = 1;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    length += (byte & 0x7f) * scale;
    checkLimit("frame-stream.read", "record bytes", length, recordBytesMax + headBytesMax);
    if (byte < 0x80) return { length, start: i + 1 };
    scale *= 128;
  }
  return undefined;
}

/**
 * Frames out of the chunks of a response. Throws what the server said when it could not go on, and `corrupt` of `frame-stream.read` when the
 * stream ends without its last record. A frame's data is a view into its chunk: copy what is kept.
 */
export async function* decodeFrameStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WireFrame> {
  let held: Uint8Array = new Uint8Array(0);
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  let wantedBytes = 1;
  for await (const chunk of chunks) {
    parts.push(chunk);
    heldBytes += chunk.length;
    // A record larger than many chunks is joined once, not once for every chunk.
    if (heldBytes < wantedBytes) continue;
    held = parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(parts);
    let at = 0;
    wantedBytes = 1;
    while (at < held.length) {
      const record = recordAt(held, at);
      if (!record) break;
      if (record.start + record.length > held.length) {
        wantedBytes = record.start - at + record.length;
        break;
      }
      const frame = readRecord(held.subarray(record.start, record.start + record.length));
      at = record.start + record.length;
      if (frame.kind !== "") {
        yield frame;
        continue;
      }
      if (frame.data.length === 0) return;
      throw endError(frame.data);
    }
    held = held.subarray(at);
    parts = held.length > 0 ? [held] : [];
    heldBytes = held.length;
  }
  throw new GatehouseError({
    code: "corrupt",
    op: "frame-stream.read",
    message: "the stream of frames was cut before its end",
    hint: "Open the recording again; if it happens again, look at the gateway's log.",
  });
}

function endError(data: Uint8Array): GatehouseError {
  let detail = "the gateway could not read on";
  let code: ErrorCode = "corrupt";
  try {
    const said = JSON.parse(fromUtf8(data)) as { code?: unknown; detail?: unknown };
    if (typeof said.detail === "string") detail = said.detail;
    code = errorCodes.find((known) => known === said.code) ?? code;
  } catch {
    // What the peer said is not readable: its having said something is the fact that matters.
  }
  return new GatehouseError({ code, op: "frame-stream.end", message: detail });
}
