import { z } from "zod";
import { eventCatalogue, eventCodes } from "./catalogue.ts";
import { type EventDescriptor, count, instant, sha256, text } from "./descriptor.ts";

/**
 * What every event has: the event schema of the specification (9.5.2), Teleport's `code`, `uid` and `sid`,
 * and its place in the chain.
 */
export const eventBase = {
  event: text(128).describe("Event type"),
  code: text(16).describe("Event code; the last letter is I, W, E or S"),
  uid: text(64).describe("Identifier of this event"),
  time: instant().describe("When it happened, ISO 8601, UTC"),
  user: text(256).describe("User identity; empty where nobody is known"),
  "addr.remote": text(256).optional().describe("Client IP address and, where known, port"),
  server_id: text(256).optional().describe("Target resource"),
  session_id: text(64).optional().describe("Session identifier"),
  sid: text(64).optional().describe("The same as session_id, under Teleport's name"),
  success: z.boolean().describe("Operation outcome"),
  index: count().describe("Place in the log: 0, 1, 2, ... without a gap"),
  prev_hash: sha256().describe("Hash of the event before; 64 zeros in the first"),
  hash: sha256().describe("SHA-256 over the bytes of prev_hash and the canonical JSON of all other members"),
} as const;

/** An event as it is listed, exported and sent to sinks: the base and the event's own fields, flat. */
export type LoggedEvent = z.output<z.ZodObject<typeof eventBase>> & { readonly [field: string]: unknown };

/** The whole schema of one event. */
export function loggedEventSchema(descriptor: EventDescriptor): z.ZodObject {
  return z
    .strictObject({
      ...eventBase,
      event: z.literal(descriptor.event).describe("Event type"),
      code: z.enum(eventCodes(descriptor)).describe("Event code; the last letter is I, W, E or S"),
      ...descriptor.fields.shape,
    })
    .meta({
      id: descriptor.event,
      description: descriptor.description,
      "x-category": descriptor.category,
      "x-severity": descriptor.severity,
    });
}

/** JSON Schema (2020-12) of a line of the log: any event of the catalogue. */
export function loggedEventJsonSchema(): Record<string, unknown> {
  const options = eventCatalogue.map(loggedEventSchema);
  return z.toJSONSchema(z.union(options as [z.ZodObject, ...z.ZodObject[]]), {
    target: "draft-2020-12",
  }) as Record<string, unknown>;
}
