import type { Frame } from "@gatehouse/recording";

/** A mark on the seek bar. */
type TimelineEvent = {
  timeUs: number;
  kind: Frame["kind"];
  /** The frame's own JSON, or its text where it is a notice. */
  detail: unknown;
};
export type Timeline = {
  /** Of what is stored so far, for a live session. */
  durationUs: number;
  /** How wide each bucket is. */
  bucketUs: number;
  /** Bytes shown and typed in each; what is not there is silence to the end. */
  buckets: { outputBytes: number; inputBytes: number }[];
  events: TimelineEvent[];
  /** Events beyond the limit, which are only counted. */
  eventsLeftOut: number;
};

const bucketsMax = 400;
const eventsMax = 2_000;
const detailBytesMax = 4_096;
/** The finest bucket; it doubles whenever a recording of unknown length outgrows the number of buckets. */
const bucketMinUs = 250_000;

const lossy = new TextDecoder();

const marked = new Set<Frame["kind"]>([
  "notice",
  "pause",
  "resume",
  "join",
  "leave",
  "break",
  "resize",
  "exit",
  "file",
  "forward.open",
  "forward.close",
  "session.end",
]);

/** One pass over the frames, in memory that does not grow with them. */
export async function timelineOf(
  frames: AsyncIterable<Frame>,
  knownDurationUs: number | undefined,
): Promise<Timeline> {
  const timeline: Timeline = {
    durationUs: knownDurationUs ?? 0,
    bucketUs: Math.max(bucketMinUs, Math.ceil((knownDurationUs ?? 0) / bucketsMax)),
    buckets: [],
    events: [],
    eventsLeftOut: 0,
  };
  for await (const frame of frames) {
    timeline.durationUs = Math.max(timeline.durationUs, frame.timeUs);
    count(timeline, frame);
    if (!marked.has(frame.kind)) continue;
    if (timeline.events.length < eventsMax)
      timeline.events.push({ timeUs: frame.timeUs, kind: frame.kind, detail: detailOf(frame) });
    else timeline.eventsLeftOut++;
  }
  return timeline;
}

function count(timeline: Timeline, { kind, timeUs, data }: Frame): void {
  const isInput = kind === "input" || kind === "stdin";
  const isOutput = kind === "output" || kind === "stdout" || kind === "stderr";
  if (!isInput && !isOutput) return;
  while (Math.floor(timeUs / timeline.bucketUs) > bucketsMax) halve(timeline);
  const at = Math.floor(timeUs / timeline.bucketUs);
  while (timeline.buckets.length <= at) timeline.buckets.push({ outputBytes: 0, inputBytes: 0 });
  const bucket = timeline.buckets[at];
  if (!bucket) return;
  if (isInput) bucket.inputBytes += data.length;
  else bucket.outputBytes += data.length;
}

/** Two buckets become one of twice the width. */
function halve(timeline: Timeline): void {
  timeline.bucketUs *= 2;
  const wider: Timeline["buckets"] = [];
  for (const [i, bucket] of timeline.buckets.entries()) {
    const into = wider[i >> 1];
    if (!into) wider.push({ ...bucket });
    else {
      into.outputBytes += bucket.outputBytes;
      into.inputBytes += bucket.inputBytes;
    }
  }
  timeline.buckets = wider;
}

function detailOf({ kind, data }: Frame): unknown {
  if (data.length > detailBytesMax) return null;
  const text = lossy.decode(data);
  if (kind === "notice") return text;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
