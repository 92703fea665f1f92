import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { FilmCut } from "@gatehouse/contracts/rest";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import { type Frame, type SessionFacts, laneOf } from "@gatehouse/recording";
import { type FilmOrder, surveyFilm } from "@gatehouse/recording/film";
import type { RecordingIndex } from "@gatehouse/recording/index";
import { sizeAtFirst } from "@gatehouse/recording/shown";
import type { FilmFrame, FromThread, ToThread } from "./film-words.ts";

/** One terminal and two pictures, and the glyphs. */
const threadMegabytes = 192;
/** Each is a thread with a terminal, also while whoever reads it waits. */
const atOnceMax = 8;
const batchBytes = 256 * 1024;
const batchFramesMax = 1024;
const idleMaxMsDefault = 2_000;

let underWay = 0;

type Window = { fromTimeUs?: number; toTimeUs?: number };

/**
 * Prepares a film of a recording: what it will be is known, and refused with `too_large`, before its first byte. What it gives can be
 * called again.
 */
export async function prepareFilm(options: {
  facts: SessionFacts;
  cut: FilmCut;
  watermark: string | undefined;
  /** What a state in the middle is taken from; none where there is none. */
  index: RecordingIndex | undefined;
  frames(window: Window): AsyncIterable<Frame>;
  signal: AbortSignal;
}): Promise<() => AsyncIterable<Uint8Array>> {
  const { facts, cut, watermark, index, signal } = options;
  const { fromUs = 0, toUs } = cut;
  const begin = fromUs === 0 ? undefined : await index?.keyframeAt(fromUs);
  const window: Window = {
    ...(begin && { fromTimeUs: begin.timeUs }),
    ...(toUs !== undefined && { toTimeUs: toUs - 1 }),
  };
  // What was typed is in no film, whoever takes it.
  async function* frames(): AsyncGenerator<Frame> {
    for await (const frame of options.frames(window))
      if (laneOf(frame.kind) === "main" && frame.seq >= (begin?.seq ?? 0)) yield frame;
  }
  const pace = { fromUs, speed: cut.speed ?? 1, idleMaxUs: (cut.idleMaxMs ?? idleMaxMsDefault) * 1000 };
  const size = begin ?? sizeAtFirst(facts.size);
  const order: FilmOrder = {
    begin: { cols: size.cols, rows: size.rows, state: begin?.state ?? "" },
    pace,
    survey: await surveyFilm(frames(), size, pace),
    watermark,
    about: {
      session: facts.sessionId,
      target: `${facts.login}@${facts.target.name}`,
      person: facts.user.name,
      startedAt: facts.startedAt,
      fromUs,
      ...(toUs !== undefined && { toUs }),
    },
  };
  return () => madeInThread(order, frames(), signal);
}

/** Pulled: the thread waits while nobody asks for its next chunk. */
async function* madeInThread(
  order: FilmOrder,
  frames: AsyncGenerator<Frame>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (underWay >= atOnceMax)
    throw new GatehouseError({
      code: "unavailable",
      op: "playback.film",
      message: `${atOnceMax} films are being made already`,
      hint: "Try again in a moment.",
    });
  underWay++;
  const worker = new Worker(new URL("film-thread.ts", import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
  });
  const exited = once(worker, "exit").then(() => {
    throw faulty("its thread ended");
  });
  exited.catch(() => undefined);
  // One that fails while nobody waits for its word must not take the process with it.
  worker.on("error", () => undefined);
  const ask = async (word: ToThread): Promise<FromThread> => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(word);
    const [said] = (await Promise.race([once(worker, "message", { signal }), exited])) as [FromThread];
    return said;
  };
  try {
    let word: ToThread = { go: true };
    for (;;) {
      const said = await ask(word);
      if ("fault" in said) throw faulty(said.fault);
      if ("done" in said) return;
      if ("chunk" in said) yield said.chunk;
      word = "wanted" in said ? await batchOf(frames) : { go: true };
    }
  } catch (error) {
    // They have gone, and nobody is told.
    if (signal.aborted) return;
    if (isGatehouseError(error)) throw error;
    throw faulty(error instanceof Error ? error.message : "the thread failed", error);
  } finally {
    underWay--;
    await frames.return(undefined);
    await worker.terminate();
  }
}

async function batchOf(frames: AsyncGenerator<Frame>): Promise<ToThread> {
  const batch: FilmFrame[] = [];
  let bytes = 0;
  while (bytes < batchBytes && batch.length < batchFramesMax) {
    const next = await frames.next();
    if (next.done) return { frames: batch, isLast: true };
    const { kind, stream, timeUs, data } = next.value;
    // Its own bytes: with a view of a segment the whole segment would go over.
    batch.push({ kind, stream, timeUs, data: data.slice() });
    bytes += data.length;
  }
  return { frames: batch, isLast: false };
}

function faulty(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "internal",
    op: "playback.film",
    message: `no film could be made: ${message}`,
    cause,
  });
}
