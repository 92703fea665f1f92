import type { FastifyReply } from "fastify";
import { Readable } from "node:stream";

export const lineContentType = "application/x-ndjson";

/**
 * A stream of the chunks whose first one is there already: what fails before it is still an answer with a status.
 * The stream pulls, so a slow reader holds nothing but its own; a reader that goes away ends the source.
 */
export async function streamOf(chunks: AsyncIterable<Uint8Array>): Promise<Readable> {
  const source = chunks[Symbol.asyncIterator]();
  const first = await source.next();
  async function* rest() {
    try {
      for (let next = first; !next.done; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }
  return Readable.from(rest(), { objectMode: false });
}

/** Aborted when whoever asked has gone. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

/** A stream is no JSON: the answer's schema describes a line of it, and nothing is serialised by it. */
export function sendStream(reply: FastifyReply, contentType: string, stream: NodeJS.ReadableStream) {
  return reply.header("content-type", contentType).send(stream) as unknown as never;
}
