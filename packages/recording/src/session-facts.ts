import type { SessionFacts } from "./frame.ts";
import { integer, object, oneOf, type Shape, text } from "./shape.ts";

/** Limits of what is stored plainly about a session. A command fits whatever one SSH packet can carry. */
const factsLimits = { commandCharsMax: 262_144, nameCharsMax: 1_024 } as const;

const name = text({ charsMax: factsLimits.nameCharsMax });

/** RFC 9562 text of a UUID, lower case: its 16 bytes stand in every segment. */
export const recordingIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const recordingIdText = text({
  charsMax: 36,
  pattern: recordingIdPattern,
  says: "a UUID in lower case",
});

/** Always in UTC, always with `Z`, so that texts compare as times do. */
export const instant = text({
  charsMax: 30,
  pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/,
  says: "a moment like 2026-02-10T14:30:00.000Z",
});

const cells = integer(0, 65_535);

export const sessionFacts: Shape<SessionFacts> = object(
  {
    sessionId: recordingIdText,
    startedAt: instant,
    protocol: name,
    kind: name,
    track: oneOf("terminal", "exec", "files", "forward", "query", "http", "desktop"),
    user: object({ id: name, name }, {}, "refuse"),
    login: name,
    target: object({ id: name, name, address: name }, {}, "refuse"),
    remoteAddress: name,
    connectionId: name,
    gatewayId: name,
  },
  {
    client: name,
    command: text({ charsMax: factsLimits.commandCharsMax }),
    size: object({ cols: cells, rows: cells }, {}, "refuse"),
    retentionMs: integer(0, Number.MAX_SAFE_INTEGER),
  },
  "refuse",
);
