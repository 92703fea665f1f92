import { createHash } from "node:crypto";
import type { ExportFormat, FilmCut } from "@gatehouse/contracts/rest";
import { GatehouseError, isGatehouseError, toBase64, utf8Chunks } from "@gatehouse/kernel";
import {
  type AuditExtract,
  type Frame,
  type Recording,
  type RecordingSource,
  type SessionFacts,
  asciicast,
  formatLimits,
  keptLines,
  manifestName,
  statementLine,
  statements,
  statementsAs,
  writeBundle,
} from "@gatehouse/recording";
import type { RecordingIndex } from "@gatehouse/recording/index";
import { sizeAtFirst } from "@gatehouse/recording/shown";
import { transcribe } from "@gatehouse/recording/transcript";
import { prepareFilm } from "./film.ts";

/**
 * A recording in a form that is taken away. The chunks are pulled; nothing is read ahead of them. Where they would be the same bytes
 * once more they have a tag, which no other bytes have, and can be had again where making them costs little.
 */
export type Exported = {
  fileName: string;
  contentType: string;
  chunks: AsyncIterable<Uint8Array>;
  same?: { tag: string; again?: () => AsyncIterable<Uint8Array> };
};

const forms = {
  // asciinema registered no type; its server and player take JSON lines by their name.
  asciicast: { ending: "cast", contentType: "application/x-asciicast" },
  "asciicast-v3": { ending: "v3.cast", contentType: "application/x-asciicast" },
  gif: { ending: "gif", contentType: "image/gif" },
  text: { ending: "txt", contentType: "text/plain; charset=utf-8" },
  sql: { ending: "sql", contentType: "application/sql; charset=utf-8" },
  csv: { ending: "csv", contentType: "text/csv; charset=utf-8" },
  jsonl: { ending: "statements.jsonl", contentType: "application/x-ndjson" },
  json: { ending: "jsonl", contentType: "application/x-ndjson" },
  bundle: { ending: "tar", contentType: "application/x-tar" },
} as const satisfies Record<ExportFormat, { ending: string; contentType: string }>;

/** What a recording of this track can be taken away as. A bundle proves the whole, so there must be a whole. */
export function formatsOf(track: SessionFacts["track"], isClosed: boolean): readonly ExportFormat[] {
  return [
    ...(track === "terminal" ? (["asciicast", "asciicast-v3", "gif"] as const) : []),
    "text",
    ...(track === "query" ? (["sql", "csv", "jsonl"] as const) : []),
    "json",
    ...(isClosed ? (["bundle"] as const) : []),
  ];
}

export async function exportRecording(options: {
  format: ExportFormat;
  facts: SessionFacts;
  /** Who takes it away, to be written into it: at what time too, but for a bundle, which is the same each time. */
  watermark: string | undefined;
  takenBy: string | undefined;
  source: RecordingSource;
  recording(): Promise<Recording>;
  frames(recording: Recording, window?: Parameters<Recording["frames"]>[0]): AsyncIterable<Frame>;
  index(): Promise<RecordingIndex | undefined>;
  /** What the audit log holds of the session, up to a position in it or all of it. */
  auditEvents(upTo: number | undefined): Promise<{ lines: Uint8Array; position: number }>;
  /** States that they are its audit events. */
  signed(lines: Uint8Array, upTo: number): Promise<AuditExtract>;
  /** Whether what was typed is in it. */
  input: boolean;
  /** Other programs may write other bytes. */
  version: string;
  /** The tag that somebody has the beginning of. */
  held: string | undefined;
  /** Of a film. */
  cut: FilmCut;
  signal: AbortSignal;
}): Promise<Exported> {
  const { format, facts, source, cut, signal } = options;
  if (!formatsOf(facts.track, true).includes(format))
    throw new GatehouseError({
      code: "invalid",
      op: "playback.export",
      message: `a session of kind ${facts.kind} cannot be exported as ${format}`,
      hint: `It can be exported as ${formatsOf(facts.track, true).join(", ")}.`,
    });
  if (format !== "gif" && Object.values(cut).some((part) => part !== undefined))
    throw new GatehouseError({
      code: "invalid",
      op: "playback.export",
      message: `an export as ${format} is of the whole recording, at its own speed`,
      hint: "Leave out where it begins and ends, speed and pauses, or export it as gif.",
    });
  const { ending, contentType } = forms[format];
  const fileName = `${facts.sessionId}.${ending}`;
  if (format === "bundle") {
    const { lines, position, tag } = await bundleOf(options);
    const audit = await options.signed(lines, position);
    const chunks = () => bundle({ source, audit, takenBy: options.takenBy }, signal);
    return {
      fileName,
      contentType,
      chunks: chunks(),
      ...(tag !== undefined && { same: { tag, again: chunks } }),
    };
  }
  const recording = await options.recording();
  const chunks =
    format === "gif"
      ? await prepareFilm({
          ...options,
          index: await options.index(),
          frames: (window) => options.frames(recording, window),
        })
      : () => utf8Chunks(linesOf(format, options, recording, options.frames(recording)));
  // One that grows is another each time, and so is one that tells when it was taken.
  const isFixed = recording.manifest !== undefined && options.watermark === undefined;
  const { headSha256 } = recording.manifest ?? {};
  const { withheld } = recording;
  const tag = tagOf([options.version, format, facts.sessionId, headSha256, options.input, withheld, cut]);
  return {
    fileName,
    contentType,
    chunks: chunks(),
    // A part of a film would cost the film, twice.
    ...(isFixed && { same: { tag, ...(format !== "gif" && { again: chunks }) } }),
  };
}

function tagOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/**
 * Taking a bundle away is itself an event that the next bundle holds, so no two would be the same. The tag therefore begins with
 * the position of the audit log, and whoever has the beginning of a bundle gets the rest as it was there.
 */
async function bundleOf({
  source,
  facts,
  version,
  held,
  takenBy,
  auditEvents,
}: Parameters<typeof exportRecording>[0]): Promise<{
  lines: Uint8Array;
  position: number;
  tag: string | undefined;
}> {
  const at = async (upTo: number | undefined) => {
    const { lines, position } = await auditEvents(upTo);
    const names = (await source.list()).toSorted();
    if (!names.includes(manifestName)) return { lines, position, tag: undefined };
    const manifest = await source.read(manifestName, formatLimits.manifestBytesMax);
    const parts = [version, facts.sessionId, ...[manifest, lines].map(hashOf), names, takenBy];
    return { lines, position, tag: `${position}-${tagOf(parts)}` };
  };
  const position = /^(\d{1,15})-/.exec(held ?? "")?.[1];
  if (position !== undefined) {
    const then = await at(Number(position));
    if (then.tag === held) return then;
  }
  return await at(undefined);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function linesOf(
  format: Exclude<ExportFormat, "bundle" | "gif">,
  { facts, watermark }: { facts: SessionFacts; watermark: string | undefined },
  recording: Recording,
  frames: AsyncIterable<Frame>,
): AsyncIterable<string> {
  const stamp =
    watermark === undefined
      ? undefined
      : `exported by ${watermark}, watermarked by the policy of ${facts.target.name}`;
  switch (format) {
    case "asciicast":
      // Version 2 is what every player takes. What was typed is left out of both: a cast is what was seen.
      return asciicast(frames, facts, { version: 2, note: stamp });
    case "asciicast-v3":
      return asciicast(frames, facts, { version: 3, note: stamp });
    case "sql":
    case "csv":
    case "jsonl":
      return statementsAs(format, statements(frames), {
        startedAt: facts.startedAt,
        title: `${facts.user.name} as ${facts.login} on ${facts.target.name}`,
        watermark: stamp,
      });
    case "text":
      return stamped(
        stamp,
        facts.track === "query"
          ? statementLines(frames, facts)
          : withFeeds(transcribe(frames, sizeAtFirst(facts.size))),
      );
    case "json":
      return frameLines(frames, recording.manifest !== undefined, stamp);
  }
}

async function* stamped(stamp: string | undefined, lines: AsyncIterable<string>): AsyncGenerator<string> {
  if (stamp !== undefined) yield `# ${stamp}\n`;
  yield* lines;
}

async function* withFeeds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

async function* statementLines(frames: AsyncIterable<Frame>, { startedAt }: SessionFacts) {
  const startedMs = Date.parse(startedAt);
  for await (const statement of statements(frames)) {
    yield `${new Date(startedMs + statement.startedUs / 1000).toISOString()}  ${statementLine(statement)}\n`;
    for (const kept of keptLines(statement)) yield `    | ${kept}\n`;
  }
}

/** As `GET …/frames` has them, after a watermark where one is due; the last line says whether there is more to come. */
async function* frameLines(
  frames: AsyncIterable<Frame>,
  isClosed: boolean,
  watermark: string | undefined,
): AsyncGenerator<string> {
  if (watermark !== undefined) yield `${JSON.stringify({ watermark })}\n`;
  for await (const { seq, timeUs, kind, stream, data } of frames)
    yield `${JSON.stringify({ seq, timeUs, kind, stream, data: toBase64(data) })}\n`;
  yield `${JSON.stringify({ end: true, live: !isClosed })}\n`;
}

async function* bundle(
  of: Parameters<typeof writeBundle>[0],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of writeBundle(of)) {
      if (signal.aborted) return;
      if (chunk.length > 0) yield chunk;
    }
  } catch (error) {
    if (!isGatehouseError(error, "not_found")) throw error;
    throw new GatehouseError({
      code: "conflict",
      op: "playback.export",
      message: "the recording is not closed and stored yet, so there is no bundle that proves it",
      hint: "Try again when the session has ended, or export it as text or json now.",
      cause: error,
    });
  }
}
