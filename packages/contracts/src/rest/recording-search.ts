import { z } from "zod";
import { watermark } from "./shapes.ts";

export const searchModes = ["any-case", "exact", "regex"] as const;
/** `screen`: what was shown; `statement`: what was run on a database; `command`: what was asked to run; `input`: what was typed. */
export const searchSources = ["screen", "statement", "command", "input"] as const;
export const searchText = z.string().min(1).max(256);

/** `POST /recordings/{id}/search`. In a body, since what is looked for may be a secret and addresses are written down. */
export const recordingSearch = z
  .strictObject({
    text: searchText,
    mode: z
      .enum(searchModes)
      .default("any-case")
      .meta({ description: "`regex` in RE2's syntax: no backreferences, and time that grows with the text" }),
    sources: z
      .array(z.enum(searchSources))
      .min(1)
      .max(searchSources.length)
      .optional()
      .meta({ description: "Left out: all that the caller may see" }),
    limit: z.number().int().min(1).max(500).default(100),
    cursor: z
      .string()
      .max(64)
      .regex(/^[a-z]+(-\d{1,16}){1,2}$/)
      .optional()
      .meta({ description: "What the page before gave" }),
  })
  .meta({ id: "RecordingSearch" });
export type RecordingSearch = z.input<typeof recordingSearch>;

export const recordingHit = z
  .object({
    timeUs: z.number().int().meta({ description: "At this moment it can be read" }),
    source: z.enum(searchSources),
    text: z.string().meta({ description: "The line, or as much of it as stands around the find" }),
    at: z.number().int().meta({ description: "Where in `text` it begins, in UTF-16 units" }),
    length: z.number().int(),
  })
  .meta({ id: "RecordingHit" });
export type RecordingHit = z.infer<typeof recordingHit>;

export const recordingHits = z
  .object({
    hits: z.array(recordingHit).meta({ description: "Of a page, in order of time" }),
    next: z.string().nullable(),
    watermark,
    isWhole: z.boolean().meta({
      description:
        "False where there is more text than was searched: the session is live, or its index was cut",
    }),
  })
  .meta({ id: "RecordingHits" });
export type RecordingHits = z.infer<typeof recordingHits>;
