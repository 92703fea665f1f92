import { type WireFrame, encodeStreamEnd, encodeWireFrame } from "@gatehouse/contracts/rest";
import { isGatehouseError, toBase64, utf8 } from "@gatehouse/kernel";

/** What is gathered before it is sent. The first is small, so that the first picture comes at once. */
const firstChunkBytes = 4 * 1024;
const chunkBytesMax = 128 * 1024;

const newline = "\n";

export function compactFrames(frames: AsyncIterable<WireFrame>): AsyncGenerator<Uint8Array> {
  return gathered(frames, encodeWireFrame, (error) => encodeStreamEnd(error));
}

export function frameLines(frames: AsyncIterable<WireFrame>): AsyncGenerator<Uint8Array> {
  const line = (value: unknown) => utf8(JSON.stringify(value) + newline);
  return gathered(
    frames,
    ({ seq, timeUs, kind, stream, data }) => line({ seq, timeUs, kind, stream, data: toBase64(data) }),
    (error) => line(error ? { error } : { end: true }),
  );
}

/**
 * Once the first bytes are out the status cannot change, so a failure in the middle becomes the stream's last words.
 * A failure before the first frame is thrown: it still has a status to become.
 */
async function* gathered(
  frames: AsyncIterable<WireFrame>,
  encode: (frame: WireFrame) => Uint8Array,
  end: (error?: { code: string; detail: string }) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let limit = firstChunkBytes;
  let any = false;
  try {
    for await (const frame of frames) {
      const encoded = encode(frame);
      any = true;
      parts.push(encoded);
      bytes += encoded.length;
      if (bytes < limit) continue;
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
      limit = Math.min(limit * 2, chunkBytesMax);
    }
  } catch (error) {
    if (!any) throw error;
    const told = isGatehouseError(error) && error.code !== "internal";
    parts.push(
      end({
        code: told ? error.code : "internal",
        detail: told ? error.message : "the gateway could not read on because of a fault of its own",
      }),
    );
    yield Buffer.concat(parts);
    return;
  }
  parts.push(end());
  yield Buffer.concat(parts);
}
