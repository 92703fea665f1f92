import type { RecordingOverview, RecordingScreen, RecordingText } from "@gatehouse/contracts/rest";
import { GatehouseError, toBase64 } from "@gatehouse/kernel";
import type { RecordingIndex } from "@gatehouse/recording/index";

const eventsMax = 5_000;

export async function overviewOf(index: RecordingIndex | undefined): Promise<RecordingOverview> {
  if (!index) return { index: null };
  const { durationUs, activity, idle, keyframes, text, textEndsUs } = index.directory;
  const events: NonNullable<RecordingOverview["index"]>["events"] = [];
  let eventsLeftOut = index.directory.events.reduce((sum, { count }) => sum + count, 0);
  for await (const event of index.events()) {
    if (events.length >= eventsMax) break;
    events.push(event);
    eventsLeftOut--;
  }
  return {
    index: {
      durationUs,
      keyframes: keyframes.timeUs.length,
      activity,
      idle: Array.from({ length: idle.length / 2 }, (_, i) => ({
        fromUs: idle[2 * i] ?? 0,
        toUs: idle[2 * i + 1] ?? 0,
      })),
      events,
      eventsLeftOut,
      text: text.map(({ fromUs, toUs, count }) => ({ fromUs, toUs, lines: count })),
      textEndsUs: textEndsUs ?? null,
    },
  };
}

export async function screenAt(index: RecordingIndex | undefined, timeUs: number): Promise<RecordingScreen> {
  return { keyframe: (await index?.keyframeAt(timeUs)) ?? null };
}

export async function textOf(index: RecordingIndex | undefined, block: number): Promise<RecordingText> {
  const lines = await index?.textBlock(block);
  if (lines) return { lines: lines.toSorted((a, b) => a.fromUs - b.fromUs) };
  throw new GatehouseError({
    code: "not_found",
    op: "playback.text",
    message: `the index has no block ${block} of text`,
    hint: "The overview lists those that there are.",
  });
}

/** A picture a keyframe, but no more than `picturesMax`: evenly chosen from all. */
const picturesMax = 400;

export async function picturesOf(index: RecordingIndex | undefined) {
  if (!index) return { pictures: [] };
  const all = index.directory.keyframes.timeUs.length;
  const step = Math.max(1, Math.ceil(all / picturesMax));
  const pictures: { timeUs: number; cols: number; rows: number; cells: string }[] = [];
  let n = 0;
  for await (const { cells, ...picture } of index.pictures())
    if (n++ % step === 0) pictures.push({ ...picture, cells: toBase64(cells) });
  return { pictures };
}
