import { canonicalBytes } from "../canonical-json.ts";
import { asJson, integer, list, object, parseJson, type Shape } from "../shape.ts";
import { indexLimits } from "./index-layout.ts";

/** Raise it when `indexing/` gives another index of the same recording: those there are are made anew. */
export const indexMaker = 7;

/** A run of blocks: what each holds, and the span of its moments. */
export type BlockEntry = { bytes: number; count: number; fromUs: number; toUs: number };

/**
 * What the index holds and where. Offsets are not written down: the parts follow the directory in the order keyframes, pictures,
 * text, events, and the blocks of a part follow one another.
 */
export type IndexDirectory = {
  /** Raised when the same recording would give another index, so that it is made anew. */
  maker: number;
  /** Of the last frame. */
  durationUs: number;
  frames: number;
  /** Bytes shown in each stretch of `bucketUs`. What is not there is silence to the end. */
  activity: { bucketUs: number; bytes: number[] };
  /** Stretches in which nothing was shown or happened: from, to, from, to, … */
  idle: number[];
  /** Lists of one length, in order of time. `seq` is of the first frame that the state does not hold yet. */
  keyframes: { timeUs: number[]; seq: number[]; bytes: number[] };
  pictures: BlockEntry[];
  text: BlockEntry[];
  events: BlockEntry[];
  /** Text shown after this moment was left out, because the index would have become too large. */
  textEndsUs?: number;
};

const amount = integer(0, Number.MAX_SAFE_INTEGER);
const amounts = (lengthMax: number): Shape<number[]> => list(amount, lengthMax);
const blocks = list(
  object({ bytes: integer(1, indexLimits.indexBytesMax), count: amount, fromUs: amount, toUs: amount }),
  indexLimits.blocksMax,
);
const directory: Shape<IndexDirectory> = object(
  {
    maker: amount,
    durationUs: amount,
    frames: amount,
    activity: object({ bucketUs: integer(1, Number.MAX_SAFE_INTEGER), bytes: amounts(10_000) }),
    idle: amounts(100_000),
    keyframes: object({
      timeUs: amounts(indexLimits.keyframesMax),
      seq: amounts(indexLimits.keyframesMax),
      bytes: amounts(indexLimits.keyframesMax),
    }),
    pictures: blocks,
    text: blocks,
    events: blocks,
  },
  { textEndsUs: amount },
);

export const encodeDirectory = (value: IndexDirectory): Uint8Array =>
  canonicalBytes(asJson(directory(value, "")));
export const decodeDirectory = (bytes: Uint8Array): IndexDirectory =>
  directory(parseJson("index.directory", bytes, indexLimits.directoryBytesMax), "");
