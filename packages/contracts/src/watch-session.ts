import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import type { Client } from "./client.ts";
// Not by the door: pages that look on would take all schemas with it.
import { type WireFrame, liveNowKind } from "./rest/frame-stream.ts";
import type { LiveNow } from "./rest/moderation.ts";

export type Watched =
  | { readonly what: "frame"; readonly frame: WireFrame }
  | { readonly what: "now"; readonly now: LiveNow }
  /** The connection is gone, and is being made anew. What is missed meanwhile comes then. */
  | { readonly what: "lost" };

/** A connection that breaks is made anew so many times in a row, each after a longer wait. */
const attemptsMax = 6;
const waitMs = (attempt: number) => Math.min(8_000, 250 * 2 ** attempt);

/**
 * Looks on at a live session to its end, across lost connections: each frame once, in order. A frame's data is only good until
 * the next. Throws when the session cannot be looked on at, or can no longer.
 */
export async function* watchSession(options: {
  client: Pick<Client, "sessions">;
  sessionId: string;
  signal: AbortSignal;
  /** Resolves after so long, or when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}): AsyncGenerator<Watched> {
  const { client, sessionId, signal, wait } = options;
  let next = 0;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      for await (const frame of client.sessions.watch(sessionId, { fromSeq: next }, { signal })) {
        attempt = 0;
        if (frame.kind === liveNowKind) {
          yield { what: "now", now: JSON.parse(new TextDecoder().decode(frame.data)) as LiveNow };
          continue;
        }
        if (frame.seq < next) continue;
        next = frame.seq + 1;
        yield { what: "frame", frame };
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      // Ended while nobody could say so: the rest is in the recording.
      if (isGatehouseError(error, "conflict") && next > 0)
        throw new GatehouseError({
          code: "unavailable",
          op: "client.watch",
          message: "the connection was lost, and the session has ended meanwhile",
          hint: "Play its recording for the rest.",
          cause: error,
        });
      if (!mayPass(error) || attempt >= attemptsMax) throw error;
      yield { what: "lost" };
      await wait(waitMs(attempt), signal);
    }
  }
}

/** A stream that was cut is `corrupt` of the reader itself, an address that does not answer `unavailable`. */
function mayPass(error: unknown): boolean {
  if (!isGatehouseError(error)) return true;
  return error.code === "unavailable" || (error.code === "corrupt" && error.op === "frame-stream.read");
}
