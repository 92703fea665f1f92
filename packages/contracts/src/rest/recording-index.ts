import { z } from "zod";

const moment = z.number().int().min(0).meta({ description: "Microseconds since the recording began" });

/** `GET /recordings/{id}/index`: the whole of a terminal's recording at a glance. */
export const recordingOverview = z
  .object({
    index: z
      .object({
        durationUs: moment,
        keyframes: z.number().int(),
        activity: z.object({
          bucketUs: z.number().int(),
          bytes: z.array(z.number().int()).meta({ description: "Shown in each stretch of `bucketUs`" }),
        }),
        idle: z.array(z.object({ fromUs: moment, toUs: moment })),
        events: z.array(
          z.object({
            timeUs: moment,
            kind: z.string(),
            text: z.string(),
            source: z
              .enum(["recorded", "shell", "guessed"])
              .meta({ description: "`guessed`: from what stood beside the cursor" }),
          }),
        ),
        eventsLeftOut: z.number().int(),
        text: z
          .array(z.object({ fromUs: moment, toUs: moment, lines: z.number().int() }))
          .meta({ description: "The blocks of what was shown, in order; `text?block=` reads one" }),
        textEndsUs: moment
          .nullable()
          .meta({ description: "Text after this moment was left out, where there was too much" }),
      })
      .nullable()
      .meta({ description: "Null where none was made yet" }),
  })
  .meta({ id: "RecordingOverview" });
export type RecordingOverview = z.infer<typeof recordingOverview>;

export const screenQuery = z.strictObject({ atUs: z.coerce.number().int().min(0) });
export type ScreenQuery = z.input<typeof screenQuery>;

/** `GET /recordings/{id}/screen`: where to begin in order to show a moment. */
export const recordingScreen = z
  .object({
    keyframe: z
      .object({
        timeUs: moment,
        seq: z.number().int().meta({ description: "The first frame that the state does not hold" }),
        cols: z.number().int(),
        rows: z.number().int(),
        state: z.string().meta({ description: "What brings an empty terminal of this size to the state" }),
      })
      .nullable()
      .meta({ description: "Null where it must be played from the start" }),
  })
  .meta({ id: "RecordingScreen" });
export type RecordingScreen = z.infer<typeof recordingScreen>;

export const textQuery = z.strictObject({ block: z.coerce.number().int().min(0).max(65_535) });
export type TextQuery = z.input<typeof textQuery>;

/** `GET /recordings/{id}/text`: one block of the lines that stood on the screen. */
export const recordingText = z
  .object({
    lines: z
      .array(z.object({ fromUs: moment, toUs: moment, text: z.string() }))
      .meta({ description: "In the order in which they came; each stood there from `fromUs` to `toUs`" }),
  })
  .meta({ id: "RecordingText" });
export type RecordingText = z.infer<typeof recordingText>;

/** `GET /recordings/{id}/pictures` */
export const recordingPictures = z
  .object({
    pictures: z.array(
      z.object({
        timeUs: moment,
        cols: z.number().int(),
        rows: z.number().int(),
        cells: z.base64().meta({ description: "A byte a cell: red, green, blue in 3, 3 and 2 bits" }),
      }),
    ),
  })
  .meta({ id: "RecordingPictures" });
export type RecordingPictures = z.infer<typeof recordingPictures>;

/** `POST /recordings/{id}/index` */
export const indexMake = z.strictObject({
  anew: z.boolean().default(false).meta({ description: "Also where there is one" }),
});
export type IndexMake = z.input<typeof indexMake>;

export const indexMade = z
  .object({
    name: z.string(),
    bytes: z.number().int(),
    keyframes: z.number().int(),
    isNew: z.boolean().meta({ description: "False where there was one already" }),
  })
  .meta({ id: "IndexMade" });
export type IndexMade = z.infer<typeof indexMade>;
