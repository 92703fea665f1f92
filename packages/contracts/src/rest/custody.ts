import { z } from "zod";
import { recordingStates } from "./sessions.ts";
import { id, time } from "./shapes.ts";

/** `GET /recordings/coverage`: which sessions are meant, by when they began. */
export const coverageQuery = z.strictObject({
  from: time.optional().meta({ description: "Started at this time or later" }),
  to: time.optional().meta({ description: "Started before this time" }),
});
export type CoverageQuery = z.input<typeof coverageQuery>;

/** `GET /recordings/alarms`: what was found damaged and nobody has acknowledged. */
export const recordingAlarms = z
  .object({
    items: z.array(
      z.object({
        sessionId: id,
        user: z.string().nullable().meta({ description: "Null where the list of sessions has it no more" }),
        target: z.string().nullable(),
        startedAt: time.nullable(),
        state: z.enum(recordingStates).nullable().meta({ description: "Of the recording, now" }),
        foundAt: time,
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: "RecordingAlarms", description: "The newest hundred, newest first" });
export type RecordingAlarms = z.infer<typeof recordingAlarms>;

export const alarmAcknowledge = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1)
      .max(1000)
      .meta({ description: "What was found out, or is done about it" }),
  })
  .meta({ id: "AlarmAcknowledge" });
export type AlarmAcknowledge = z.infer<typeof alarmAcknowledge>;

/** Sessions against the recordings of them that were read back from the store and verified. */
export const recordingCoverage = z
  .object({
    sessions: z.number().int(),
    recordings: z.object({
      recording: z.number().int().meta({ description: "Live: nothing to check yet" }),
      waiting: z.number().int().meta({ description: "Ended, and not yet wholly in the store" }),
      verified: z.number().int().meta({ description: "In the store, and verified since" }),
      unchecked: z.number().int().meta({ description: "In the store, and not yet read again" }),
      faulty: z.number().int().meta({ description: "Not all of it can be vouched for" }),
      expired: z.number().int().meta({ description: "Removed after its retention" }),
    }),
    opened: z.number().int().meta({
      description:
        "Of the verified, those whose frames were decrypted too. A gateway without opening keys checks hashes, chain and signatures only.",
    }),
    opensRecordings: z
      .boolean()
      .meta({ description: "Whether this gateway holds a key that opens recordings" }),
    checkEvery: z.string().meta({ description: "How often each recording is read again: `30d`" }),
    oldestCheck: time.nullable().meta({ description: "The longest ago that a recording was checked" }),
    faults: z
      .array(
        z.object({
          sessionId: id,
          state: z.enum(recordingStates),
          startedAt: time,
          detail: z.string().nullable(),
        }),
      )
      .meta({ description: "The newest hundred of the faulty" }),
  })
  .meta({ id: "RecordingCoverage" });
export type RecordingCoverage = z.infer<typeof recordingCoverage>;
