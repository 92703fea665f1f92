import { z } from "zod";
import { id, time } from "./shapes.ts";

export const rewrapStart = z
  .strictObject({
    dryRun: z.boolean().default(false).meta({ description: "Count what is to be done, and write nothing" }),
    from: time.optional().meta({ description: "Of sessions that started at this time or later" }),
    to: time.optional().meta({ description: "Of sessions that started before this time" }),
  })
  .meta({ id: "RewrapStart" });
export type RewrapStart = z.input<typeof rewrapStart>;

/** `GET /recordings/rewrap`: recordings' keys wrapped again for the recipients that are configured now. */
export const rewrapping = z
  .object({
    state: z.enum(["idle", "running", "done", "stopped", "failed"]).meta({
      description: "`stopped`: the gateway was; it goes on by itself after its next start",
    }),
    dryRun: z.boolean(),
    by: z.string().nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    recipients: z.array(z.string()).meta({ description: "For whom, and to what of it" }),
    seen: z.int().meta({ description: "Recordings that were looked at" }),
    wrapped: z
      .int()
      .meta({ description: "Wrapped again, and read back from the store; in a dry run, to be wrapped" }),
    partly: z
      .int()
      .meta({ description: "Of these, where a part kept its old recipients, for no key here opens it" }),
    same: z.int().meta({ description: "For these recipients already" }),
    withheld: z.int().meta({ description: "Not done: no key here opens them" }),
    failed: z.int().meta({ description: "Not done for another reason; the same call tries them again" }),
    detail: z.string().nullable().meta({ description: "Why it ended, where it did not end well" }),
    faults: z
      .array(z.object({ sessionId: id, detail: z.string() }))
      .meta({ description: "The first hundred" }),
  })
  .meta({ id: "Rewrapping" });
export type Rewrapping = z.infer<typeof rewrapping>;
