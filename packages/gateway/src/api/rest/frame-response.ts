import { type WireFrame, encodeStreamEnd, encodeWireFrame, liveNowKind } from "@gatehouse/contracts/rest";
import { isGatehouseError, toBase64, utf8 } from "@gatehouse/kernel";
import type { Sight } from "../../sessions/mod.ts";

/** What is gathered before it is sent. The first is small, so that the first picture comes at once. */
const firstChunkBytes = 4 * 1024;
const chunkBytesMax = 128 * 1024;

const newline = "\n";

type Words = {
  frame(frame: WireFrame): Uint8Array;
  end(error?: { code: string; detail: string }): Uint8Array;
};
const compact: Words = { frame: encodeWireFrame, end: encodeStreamEnd };
const line = (value: unknown) => utf8(JSON.stringify(value) + newline);
const lines: Words = {
  frame: ({ seq, timeUs, kind, stream, data }) => line({ seq, timeUs, kind, stream, data: toBase64(data) }),
  end: (error) => line(error ? { error } : { end: true }),
};

export const compactFrames = (frames: AsyncIterable<WireFrame>) => gathered(frames, compact);
export const frameLines = (frames: AsyncIterable<WireFrame>) => gathered(frames, lines);
/** Each sight leaves at once. */
export const compactSights = (sights: AsyncIterable<Sight>) => atOnce(sights, compact);
export const sightLines = (sights: AsyncIterable<Sight>) => atOnce(sights, lines);

/**
 * Once the first bytes are out the status cannot change, so a failure in the middle becomes the stream's last words.
 * A failure before the first frame is thrown: it still has a status to become.
 */
async function* gathered(frames: AsyncIterable<WireFrame>, words: Words): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let limit = firstChunkBytes;
  let any = false;
  try {
    for await (const frame of frames) {
      const encoded = words.frame(frame);
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
    parts.push(words.end(lastWords(error)));
    yield Buffer.concat(parts);
    return;
  }
  parts.push(words.end());
  yield Buffer.concat(parts);
}

async function* atOnce(sights: AsyncIterable<Sight>, words: Words): AsyncGenerator<Uint8Array> {
  let any = false;
  try {
    for await (const sight of sights) {
      any = true;
      yield Buffer.concat(wireFrames(sight).map((frame) => words.frame(frame)));
    }
  } catch (error) {
    if (!any) throw error;
    yield words.end(lastWords(error));
    return;
  }
  yield words.end();
}

function wireFrames(sight: Sight): readonly WireFrame[] {
  if (sight.what === "frames") return sight.frames;
  const { what: _what, ...now } = sight;
  return [{ seq: 0, timeUs: now.elapsedUs, kind: liveNowKind, stream: 0, data: utf8(JSON.stringify(now)) }];
}

function lastWords(error: unknown): { code: string; detail: string } {
  const told = isGatehouseError(error) && error.code !== "internal";
  return {
    code: told ? error.code : "internal",
    detail: told ? error.message : "the gateway could not read on because of a fault of its own",
  };
}
