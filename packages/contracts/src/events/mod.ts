/**
 * events: the words of the audit log.
 *
 * Owns: each event with its codes, category and fields, one file each; the schema of a line of the log; and the one way
 * to write it as JSON.
 * Never: holds a field that could be a secret, or knows how the log is kept.
 */
export { canonicalJson } from "./canonical-json.ts";
export { eventCatalogue, eventCode, eventCodes, eventDescriptor } from "./catalogue.ts";
export {
  type EventCategory,
  type EventDescriptor,
  type EventSeverity,
  eventCategories,
} from "./descriptor.ts";
export { type LoggedEvent, eventBase, loggedEventJsonSchema, loggedEventSchema } from "./schema.ts";
