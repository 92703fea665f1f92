import { canonicalBytes } from "../canonical-json.ts";
import { asJson, list, integer, object, oneOf, parseJson, type Shape, text } from "../shape.ts";
import { indexLimits } from "./index-layout.ts";

/**
 * Something worth a mark. `command` is a line that was run: told by the shell itself (OSC 133), or else guessed from what stood
 * beside the cursor when a line was entered, which `source` says. The rest are frames, named by their kind.
 */
export type IndexEvent = {
  timeUs: number;
  kind: string;
  /** A command's line, a notice's text, or the frame's own JSON. */
  text: string;
  source: "recorded" | "shell" | "guessed";
};

export const eventsPerBlock = 1_000;
export const eventCharsMax = 2_000;

const event: Shape<IndexEvent> = object({
  timeUs: integer(0, Number.MAX_SAFE_INTEGER),
  kind: text({ charsMax: 64 }),
  text: text({ charsMax: eventCharsMax }),
  source: oneOf("recorded", "shell", "guessed"),
});
const events = list(event, eventsPerBlock);

export const encodeEvents = (value: readonly IndexEvent[]): Uint8Array =>
  canonicalBytes(asJson(events([...value], "")));
export const decodeEvents = (bytes: Uint8Array): IndexEvent[] =>
  events(parseJson("index.events", bytes, indexLimits.eventsBytesMax), "");
