import { z } from "zod";
import { keepingActions, legalHold } from "./retention.ts";
import { id, time, watermark } from "./shapes.ts";
import { recordingStates } from "./sessions.ts";

/** What is known of a recording without opening it. */
export const recording = z
  .object({
    sessionId: id,
    state: z.enum(recordingStates),
    format: z.string().meta({ description: "Name and version of the format on disk" }),
    startedAt: time,
    durationMs: z.number().nullable().meta({ description: "Null while it grows" }),
    frames: z.number().int().nullable(),
    bytes: z.number().int().nullable(),
    segments: z.number().int().nullable(),
    headSha256: z.string().nullable(),
    signedBy: z.string().nullable().meta({ description: "Id of the key that signed the manifest" }),
    recipients: z.array(z.string()).meta({ description: "Who holds a key: one line each" }),
    withheld: z.array(z.enum(["output", "input"])).meta({
      description:
        "What this gateway holds no key to: without `output` it plays nothing, without `input` what was typed is left out",
    }),
    retainUntil: time
      .nullable()
      .meta({ description: "It is kept until then; null while the session goes on" }),
    lockedUntil: time.nullable().meta({
      description: "Until when the store itself refuses to remove any part of it, as it was last seen",
    }),
    hold: legalHold.nullable().meta({ description: "What keeps it whatever its retention" }),
    removedAt: time
      .nullable()
      .meta({ description: "When the last of it was removed from the store, its retention over" }),
    watermark,
    may: z.array(z.enum(keepingActions)).meta({ description: "What you may do about it, beside reading" }),
    exports: z.array(z.string()).meta({ description: "What `export?format=` can give of this recording" }),
  })
  .meta({ id: "Recording" });
export type Recording = z.infer<typeof recording>;

/** `GET /recordings/{id}/frames`: a window of the recording's own time, in microseconds since it began. */
export const framesQuery = z.strictObject({
  fromUs: z.coerce.number().int().min(0).default(0),
  toUs: z.coerce.number().int().min(0).optional().meta({ description: "Up to, not including" }),
});
export type FramesQuery = z.input<typeof framesQuery>;

/** One line of `application/x-ndjson`. The last line has `end` and no frame: without it the stream was cut. */
export const frameLine = z
  .union([
    z.object({
      seq: z.number().int(),
      timeUs: z.number().int(),
      kind: z.string(),
      stream: z.number().int(),
      data: z.base64().meta({ description: "The bytes as they passed" }),
    }),
    z.object({ end: z.literal(true) }),
    z.object({ error: z.object({ code: z.string(), detail: z.string() }) }),
  ])
  .meta({ id: "FrameLine" });

export const exportFormats = [
  "asciicast",
  "asciicast-v3",
  "gif",
  "text",
  "sql",
  "csv",
  "jsonl",
  "json",
  "bundle",
] as const;
export type ExportFormat = (typeof exportFormats)[number];
/** What of a recording goes into a film, and how fast. */
export const filmCut = z.strictObject({
  fromUs: z.coerce.number().int().min(0).optional().meta({ description: "Of a `gif`: where it begins" }),
  toUs: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: "Of a `gif`: where it ends, not included" }),
  speed: z.coerce
    .number()
    .min(0.25)
    .max(64)
    .optional()
    .meta({ description: "Of a `gif`: how much faster than it was; 1 unless said" }),
  idleMaxMs: z.coerce
    .number()
    .int()
    .min(100)
    .max(86_400_000)
    .optional()
    .meta({ description: "Of a `gif`: what is left of a pause that is longer; 2000 unless said" }),
});
export type FilmCut = z.infer<typeof filmCut>;
export const exportQuery = filmCut.extend({
  format: z.enum(exportFormats).meta({
    description:
      "`asciicast` version 2, which every player takes, or `asciicast-v3`; `gif` what a terminal showed, as a moving picture; `text` what was shown, without control sequences, or what was run; `sql`, `csv` and `jsonl` the statements of a database session: annotated SQL, a table, one object a line with all that is known; `json` one frame a line; `bundle` everything, still sealed, to verify offline",
  }),
});

/** The outcome of checking a recording now, from its stored bytes. */
export const verification = z
  .object({
    sessionId: id,
    ok: z.boolean(),
    checkedAt: time,
    /** Each with the words for a person. */
    checks: z.array(
      z.object({
        name: z.enum(["segments", "chain", "signature", "audit", "frames"]),
        status: z.enum(["ok", "failed", "absent"]),
        detail: z.string(),
      }),
    ),
    headSha256: z.string().nullable(),
    frames: z.number().int().nullable(),
    /** The first part that does not fit, where one does not. */
    firstFault: z.string().nullable(),
  })
  .meta({ id: "Verification" });
export type Verification = z.infer<typeof verification>;
