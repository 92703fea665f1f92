/** Parts of what is made as it is given, so that nobody knows how long it is before it was made. */

/** Which bytes: from one to another or the end, both included, or the last so many. */
export type AskedPart = { from: number; to: number | undefined } | { last: number };

/** `range` is undefined where what was asked for has no byte; `bytes` is all that there is. */
export type Part = {
  range: { from: number; to: number } | undefined;
  bytes: number;
  chunks: AsyncIterable<Uint8Array>;
};

export type Parts = {
  /** `make` gives the whole, the same each time; what is kept for its reader is let go when they are. */
  of(asked: AskedPart, make: () => AsyncIterable<Uint8Array>, reader: { signal: AbortSignal }): Promise<Part>;
};

/** What one reader's part may take in memory, and for how many there is one kept at a time. */
const limits = { keptBytesMax: 16 * 1024 * 1024, keptMax: 4 };

/**
 * The whole is made once to count it, and the part is kept from that, in memory and for this reader alone; where it is too large, or too
 * many are kept, the whole is made once more.
 */
export function createParts({ keptBytesMax, keptMax } = limits): Parts {
  let keeping = 0;

  async function count(
    asked: AskedPart,
    chunks: AsyncIterable<Uint8Array>,
    mayKeep: boolean,
  ): Promise<{ bytes: number; kept: { at: number; chunks: Uint8Array[] } | undefined }> {
    const lastBytes = "last" in asked ? asked.last : Infinity;
    let bytes = 0;
    let keptBytes = 0;
    let kept = mayKeep ? { at: 0, chunks: [] as Uint8Array[] } : undefined;
    for await (const chunk of chunks) {
      const at = bytes;
      bytes += chunk.length;
      if (chunk.length === 0) continue;
      if (!kept || ("from" in asked && (bytes <= asked.from || at > (asked.to ?? at)))) continue;
      if (kept.chunks.length === 0) kept.at = at;
      kept.chunks.push(chunk);
      keptBytes += chunk.length;
      for (let [first] = kept.chunks; first && keptBytes - first.length >= lastBytes; [first] = kept.chunks) {
        kept.chunks.shift();
        kept.at += first.length;
        keptBytes -= first.length;
      }
      if (keptBytes > keptBytesMax) kept = undefined;
    }
    return { bytes, kept };
  }

  return {
    async of(asked, make, { signal }) {
      const mayKeep = keeping < keptMax && !signal.aborted;
      if (mayKeep) {
        keeping++;
        signal.addEventListener("abort", () => void keeping--, { once: true });
      }
      const { bytes, kept } = await count(asked, make(), mayKeep);
      const range = rangeOf(asked, bytes);
      if (!range) return { range, bytes, chunks: nothing() };
      if (!kept) return { range, bytes, chunks: cut(make(), range) };
      return { range, bytes, chunks: cut(kept.chunks, range, kept.at) };
    },
  };
}

/** RFC 9110 §14.1.2: what is asked for beyond the end is left out. */
function rangeOf(asked: AskedPart, bytes: number): Part["range"] {
  const from = "from" in asked ? asked.from : bytes - Math.min(asked.last, bytes);
  const to = Math.min(("from" in asked ? asked.to : undefined) ?? bytes - 1, bytes - 1);
  return from < bytes ? { from, to } : undefined;
}

/** Of chunks the first of which begins at `at`. */
async function* cut(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { from, to }: { from: number; to: number },
  at = 0,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to + 1 - at));
    if (part.length > 0) yield part;
    at += chunk.length;
    if (at > to) return;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
