/** Two clocks are read one after the other at both ends of a session: the audit log's and the recording's. */
const clocksApartMs = 500;

/**
 * The moment of a session's recording at a time of day, in microseconds; undefined where that is none of it, such as somebody else's
 * look at it later. A session without an end goes on.
 */
export function momentWithin(
  {
    startedAtMs,
    endedAtMs = Number.POSITIVE_INFINITY,
  }: { startedAtMs: number; endedAtMs?: number | undefined },
  atMs: number,
): number | undefined {
  const isWithin = atMs >= startedAtMs - clocksApartMs && atMs <= endedAtMs + clocksApartMs;
  return isWithin ? Math.max(0, atMs - startedAtMs) * 1000 : undefined;
}
