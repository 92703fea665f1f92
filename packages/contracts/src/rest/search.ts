import { z } from "zod";
import { labelSelector } from "./access.ts";
import { recordingHit, searchModes, searchSources, searchText } from "./recording-search.ts";
import { session } from "./sessions.ts";
import { time, watermark } from "./shapes.ts";

const name = z.string().min(1).max(256);

/** `POST /search`. In a body, since what is looked for may be a secret and addresses are written down. */
export const search = z
  .strictObject({
    text: searchText,
    mode: z.enum(searchModes).default("any-case"),
    sources: z
      .array(z.enum(searchSources))
      .min(1)
      .max(searchSources.length)
      .optional()
      .meta({ description: "Left out: all that the caller may see of each session" }),
    user: name.optional().meta({ description: "Name or id of the person" }),
    team: name.optional().meta({ description: "Name or id of a team that the person is in" }),
    target: name.optional().meta({ description: "Name or id of the target" }),
    labels: labelSelector.optional().meta({ description: "Labels of the target" }),
    login: name.optional(),
    protocol: z.string().max(32).optional(),
    kind: z.string().max(32).optional(),
    from: time.optional().meta({ description: "Started at this time or later" }),
    to: time.optional().meta({ description: "Started before this time" }),
    event: z
      .string()
      .max(64)
      .optional()
      .meta({ description: "Something of this name is in its audit log; for who may read that" }),
    limit: z.number().int().min(1).max(500).default(100).meta({ description: "Finds per page" }),
    perSession: z
      .number()
      .int()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: "No more finds of one session than these; left out: all" }),
    cursor: z.string().max(2048).optional().meta({ description: "What the page before gave" }),
  })
  .meta({ id: "Search" });
export type Search = z.input<typeof search>;

export const searchPage = z
  .object({
    items: z
      .array(
        z.object({
          session: session
            .pick({
              id: true,
              user: true,
              login: true,
              target: true,
              protocol: true,
              kind: true,
              track: true,
              command: true,
              startedAt: true,
            })
            .meta({ description: "In what it was found" }),
          hits: z.array(recordingHit).meta({ description: "In order of time" }),
          more: z.boolean().meta({ description: "There is more in this session than `perSession`" }),
          isWhole: z.boolean().meta({ description: "False where not all of its text can be searched" }),
        }),
      )
      .meta({ description: "The newest session first; one goes on in the next page where it did not fit" }),
    next: z
      .string()
      .nullable()
      .meta({ description: "Null at the end. A page may be empty and not the last: it took long enough" }),
    watermark,
    progress: z.object({
      searched: z.number().int(),
      sessions: z.number().int().meta({ description: "That fit the filters, when the search began" }),
    }),
    unread: z.number().int().meta({
      description: "Recordings so far that could not be opened: no key, or damaged",
    }),
  })
  .meta({ id: "SearchPage" });
export type SearchPage = z.infer<typeof searchPage>;
