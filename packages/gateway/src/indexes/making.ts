import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import {
  type Lane,
  type Manifest,
  type Recording,
  type RecordingSource,
  formatLimits,
  segmentName,
} from "@gatehouse/recording";
import { type IndexThreads, faulty } from "./index-threads.ts";
import type { SearchKeys } from "./search-keys.ts";
import type { Filters, SegmentToTake } from "./thread-words.ts";

/** Stands where the head of a closed recording does. */
const noHead = "00".repeat(32);

type Making = { recording: Recording; source: RecordingSource; threads: Pick<IndexThreads, "make"> };

/** Makes the index of a closed recording, and the filters of what is in it, in another thread. Rejects with `corrupt` where it cannot be made of what is there. */
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
  const { index, filters } = await threads.make(
    {
      facts,
      keys: keysOf(recording),
      headSha256: manifest.headSha256,
      filterKeys: { main: filterKey("main"), input: filterKey("input") },
    },
    listedSegments(manifest, source),
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
  return (await threads.make(beginning, firstSegments(segments, source))).index;
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
