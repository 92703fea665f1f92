import { checkLimit, toHex } from "@gatehouse/kernel";
import { corrupt } from "../binary-fields.ts";
import type { Zstd } from "../zstd.ts";
import { type BlockEntry, type IndexDirectory, decodeDirectory } from "./directory.ts";
import { type IndexEvent, decodeEvents } from "./index-event.ts";
import {
  type Part,
  indexHeaderBytes,
  indexKeyPurpose,
  indexLimits,
  openBlock,
  readIndexHeader,
} from "./index-layout.ts";
import { type IndexedLine, decodeLines, textOfLines } from "./indexed-line.ts";
import { type Keyframe, decodeKeyframe } from "./keyframe.ts";
import { type Picture, decodePictures } from "./picture.ts";

/** The bytes `[start, end)` of the index's object, fewer where it ends before. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;
type Span = { fromUs?: number; toUs?: number };

/** An open index: the directory is in memory, everything else is read when it is asked for. */
export type RecordingIndex = {
  readonly recordingId: string;
  /** Hex: the head of the recording that it was made of. Of another head, it is of another recording. */
  readonly headSha256: string;
  readonly directory: IndexDirectory;
  /** The last keyframe at or before a moment: one ranged read. Undefined before the first. */
  keyframeAt(timeUs: number): Promise<Keyframe | undefined>;
  /** Lines of the blocks that touch the span, in the order in which they left the screen; a block in memory at a time. */
  lines(span?: Span): AsyncGenerator<IndexedLine>;
  /**
   * The same of all blocks, each with its number: those before `from` are left out, and blocks of nothing else are not read. Blocks of
   * which `mayHold` says no by their whole text are left out too.
   */
  numberedLines(
    from: number,
    mayHold?: (text: string) => boolean,
  ): AsyncGenerator<IndexedLine & { n: number }>;
  /** One block of lines, by its place in the directory; undefined where there is none. */
  textBlock(n: number): Promise<IndexedLine[] | undefined>;
  events(span?: Span): AsyncGenerator<IndexEvent>;
  pictures(span?: Span): AsyncGenerator<Picture>;
};

/** What is read first: a small directory comes with the header. */
const firstReadBytes = 64 * 1024;
/** Blocks that are beside each other are read together up to this. */
const readBytesMax = 1024 * 1024;

/**
 * Opens an index with what the recording derives for it. Rejects with `corrupt` where it was altered, or is of another recording.
 */
export async function openIndex(fields: {
  read: ReadRange;
  recordingId: string;
  deriveKey(purpose: string, salt: Uint8Array): Promise<Uint8Array>;
  zstd: Zstd;
}): Promise<RecordingIndex> {
  const { read, zstd } = fields;
  const first = await read(0, firstReadBytes);
  const { authenticated, directoryBytes, ...header } = readIndexHeader(first);
  if (header.recordingId !== fields.recordingId)
    throw corrupt("index.open", "the index is of another recording");
  const raw = await fields.deriveKey(indexKeyPurpose, header.salt);
  const key = await crypto.subtle.importKey("raw", raw as BufferSource, "AES-GCM", false, ["decrypt"]);
  const open = (part: Part, n: number, sealed: Uint8Array) =>
    openBlock({ key, authenticated, zstd }, part, n, sealed);
  const directoryEnd = indexHeaderBytes + directoryBytes;
  const sealed =
    directoryEnd <= first.length
      ? first.subarray(indexHeaderBytes, directoryEnd)
      : await read(indexHeaderBytes, directoryEnd);
  const directory = decodeDirectory(await open("directory", 0, sealed));
  const { keyframes, pictures, text, events } = directory;
  if (keyframes.seq.length !== keyframes.timeUs.length || keyframes.bytes.length !== keyframes.timeUs.length)
    throw corrupt("index.open", "the lists of keyframes are not of one length");
  const keyframeEnds = endsOf(keyframes.bytes, directoryEnd);
  const at = {
    pictures: keyframeEnds.at(-1) ?? directoryEnd,
    text: 0,
    events: 0,
  };
  at.text = at.pictures + bytesOf(pictures);
  at.events = at.text + bytesOf(text);
  checkLimit("index.open", "the index's bytes", at.events + bytesOf(events), indexLimits.indexBytesMax);

  async function* blocks(
    part: Exclude<Part, "directory" | "keyframes">,
    entries: readonly BlockEntry[],
    span: Span,
    blocksSkipped = 0,
  ): AsyncGenerator<Uint8Array> {
    let start = at[part];
    const placed = entries.map((entry, n) => ({ n, start: (start += entry.bytes) - entry.bytes, ...entry }));
    const wanted = placed.filter((entry) => touches(entry, span)).slice(blocksSkipped);
    for (let i = 0; i < wanted.length;) {
      const from = wanted[i]?.start ?? 0;
      let end = from;
      let next = i;
      for (let one = wanted[next]; one?.start === end; one = wanted[next]) {
        if (next > i && end - from + one.bytes > readBytesMax) break;
        end += one.bytes;
        next++;
      }
      const run = await read(from, end);
      for (const one of wanted.slice(i, next))
        yield await open(part, one.n, run.subarray(one.start - from, one.start - from + one.bytes));
      i = next;
    }
  }

  return {
    recordingId: header.recordingId,
    headSha256: toHex(header.headSha256),
    directory,
    async keyframeAt(timeUs) {
      const n = lastUpTo(keyframes.timeUs, timeUs);
      const end = keyframeEnds[n];
      if (end === undefined) return undefined;
      const sealedKeyframe = await read(end - (keyframes.bytes[n] ?? 0), end);
      return {
        timeUs: keyframes.timeUs[n] ?? 0,
        seq: keyframes.seq[n] ?? 0,
        ...decodeKeyframe(await open("keyframes", n, sealedKeyframe)),
      };
    },
    async *lines(span = {}) {
      for await (const block of blocks("text", text, span)) yield* decodeLines(block);
    },
    async *numberedLines(from, mayHold) {
      let first = 0;
      let skipped = 0;
      for (; first + (text[skipped]?.count ?? Number.POSITIVE_INFINITY) <= from; skipped++)
        first += text[skipped]?.count ?? 0;
      for await (const block of blocks("text", text, {}, skipped)) {
        if (!mayHold || mayHold(textOfLines(block)))
          for (const [i, line] of decodeLines(block).entries())
            if (first + i >= from) yield { n: first + i, ...line };
        first += text[skipped++]?.count ?? 0;
      }
    },
    async textBlock(n) {
      const entry = text[n];
      if (!entry) return undefined;
      const start = at.text + bytesOf(text.slice(0, n));
      return decodeLines(await open("text", n, await read(start, start + entry.bytes)));
    },
    async *events(span = {}) {
      for await (const block of blocks("events", events, span)) yield* decodeEvents(block);
    },
    async *pictures(span = {}) {
      for await (const block of blocks("pictures", pictures, span)) yield* decodePictures(block);
    },
  };
}

function touches(entry: BlockEntry, { fromUs = 0, toUs = Number.POSITIVE_INFINITY }: Span): boolean {
  return entry.toUs >= fromUs && entry.fromUs <= toUs;
}

function bytesOf(entries: readonly BlockEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function endsOf(sizes: readonly number[], start: number): number[] {
  let end = start;
  return sizes.map((bytes) => (end += bytes));
}

/** The last that is not beyond; -1 where all are. */
function lastUpTo(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
