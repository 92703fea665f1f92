import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import {
  type Lane,
  type Manifest,
  type Recording,
  type RecordingSource,
  formatLimits,
  segmentName,
} from "@gatehouse/recording";
import type { SearchKeys } from "./search-keys.ts";
import type { Beginning, Filters, FromThread, Made, SegmentToTake, ToThread } from "./thread-words.ts";

/** Stands where the head of a closed recording does. */
const noHead = "00".repeat(32);

/** Until when threads may run, and how much memory each of them has: a recording that needs more gets no index. */
export type Threads = { signal: AbortSignal; megabytes: number };
type Making = { recording: Recording; source: RecordingSource; threads: Threads };

/** Makes the index of a closed recording, and the filters of what is in it, in a thread of its own. Rejects with `corrupt` where it cannot be made of what is there. */
export async function makeIndex({
  recording,
  source,
  threads,
  searchKeys,
}: Making & { searchKeys: Pick<SearchKeys, "filterKey"> }): Promise<{
  index: Uint8Array;
  filters: Filters;
}> {
  const { manifest, facts } = recording;
  if (!manifest)
    throw new GatehouseError({
      code: "conflict",
      op: "index.make",
      message: "the recording is not closed and stored yet",
      hint: "Try again when the session has ended.",
    });
  const filterKey = (lane: Lane) => searchKeys.filterKey(facts.sessionId, lane);
  const { index, filters } = await inThread(
    {
      facts,
      keys: keysOf(recording),
      headSha256: manifest.headSha256,
      filterKeys: { main: filterKey("main"), input: filterKey("input") },
    },
    listedSegments(manifest, source),
    threads,
  );
  if (!filters) throw faulty("the thread made no filters");
  return { index, filters };
}

/** Makes an index of what is stored of a live recording: of as many segments as there are now. */
export async function makeIndexSoFar(
  { recording, source, threads }: Making,
  segments: number,
): Promise<Uint8Array> {
  const { facts } = recording;
  const beginning = { facts, keys: keysOf(recording), headSha256: noHead, filterKeys: undefined };
  return (await inThread(beginning, firstSegments(segments, source), threads)).index;
}

function keysOf({ dataKeys }: Recording): Recording["dataKeys"] {
  if (dataKeys.main) return dataKeys;
  throw new GatehouseError({
    code: "denied",
    op: "index.make",
    message: "this gateway holds no key that opens this recording",
  });
}

async function* listedSegments(manifest: Manifest, source: RecordingSource): AsyncGenerator<SegmentToTake> {
  for (const { n, name, sha256 } of manifest.segments) {
    const bytes = await source.read(name, formatLimits.segmentBytesMax).catch((error: unknown) => {
      // The gateway has stated that something was lost; the rest is worth an index.
      if (manifest.breaks && isGatehouseError(error, "not_found")) return undefined;
      throw error;
    });
    if (bytes) yield { n, bytes, sha256 };
  }
}

async function* firstSegments(count: number, source: RecordingSource): AsyncGenerator<SegmentToTake> {
  for (let n = 0; n < count; n++)
    yield { n, bytes: await source.read(segmentName(n), formatLimits.segmentBytesMax) };
}

async function inThread(
  beginning: Beginning,
  segments: AsyncIterable<SegmentToTake>,
  { signal, megabytes }: Threads,
): Promise<Made> {
  const worker = new Worker(new URL("thread-entry.ts", import.meta.url), {
    workerData: beginning,
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
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
    for await (const segment of segments) await ask({ segment });
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
