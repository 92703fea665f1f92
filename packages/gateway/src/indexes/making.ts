import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import { type Lane, type Recording, type RecordingSource, formatLimits } from "@gatehouse/recording";
import type { SearchKeys } from "./search-keys.ts";
import type { Beginning, FromThread, IndexAndFilters, ToThread } from "./thread-words.ts";

/** One terminal, one segment and the index itself, several times over; a recording that needs more gets no index. */
const threadMegabytes = 768;

/** Makes the index of a closed recording, and the filters of what is in it, in a thread of its own. Rejects with `corrupt` where it cannot be made of what is there. */
export async function makeIndex(fields: {
  recording: Recording;
  source: RecordingSource;
  signal: AbortSignal;
  searchKeys: Pick<SearchKeys, "filterKey">;
}): Promise<IndexAndFilters> {
  const { recording, source, signal, searchKeys } = fields;
  const { manifest, facts } = recording;
  if (!manifest)
    throw new GatehouseError({
      code: "conflict",
      op: "index.make",
      message: "the recording is not closed and stored yet",
      hint: "Try again when the session has ended.",
    });
  const keys = recording.dataKeys;
  if (!keys.main)
    throw new GatehouseError({
      code: "denied",
      op: "index.make",
      message: "this gateway holds no key that opens this recording",
    });
  const filterKey = (lane: Lane) => searchKeys.filterKey(facts.sessionId, lane);
  const beginning: Beginning = {
    facts,
    keys,
    headSha256: manifest.headSha256,
    filterKeys: { main: filterKey("main"), input: filterKey("input") },
  };
  const worker = new Worker(new URL("thread-entry.ts", import.meta.url), {
    workerData: beginning,
    resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
  });
  const exited = once(worker, "exit").then(() => {
    throw faulty("its thread ended");
  });
  exited.catch(() => undefined);
  // A fault that ends the thread rejects whoever waits for its word.
  const ask = async (word: ToThread): Promise<FromThread> => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(word);
    const [said] = (await Promise.race([once(worker, "message", { signal }), exited])) as [FromThread];
    if ("fault" in said) throw faulty(said.fault);
    return said;
  };
  try {
    for (const { name, sha256 } of manifest.segments) {
      const segment = await source.read(name, formatLimits.segmentBytesMax).catch((error: unknown) => {
        // The gateway has stated that something was lost; the rest is worth an index.
        if (manifest.breaks && isGatehouseError(error, "not_found")) return undefined;
        throw error;
      });
      if (segment) await ask({ segment, sha256 });
    }
    const made = await ask({ end: true });
    if ("index" in made) return made;
    throw faulty("the thread ended without an index");
  } catch (error) {
    if (isGatehouseError(error) || signal.aborted) throw error;
    throw faulty(error instanceof Error ? error.message : "the thread failed", error);
  } finally {
    await worker.terminate();
  }
}

function faulty(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "corrupt",
    op: "index.make",
    message: `no index could be made: ${message}`,
    cause,
  });
}
