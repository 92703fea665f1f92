/** What people write for a moment: `83`, `83.2s`, `1m23s`, `1:23`, `1:02:03`; undefined for what is none. */
export function parseMoment(text: string): number | undefined {
  const match =
    /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,7}(?:\.\d+)?)s?)?$/.exec(text) ??
    /^(?:(\d{1,4}):)?(\d{1,5}):(\d{2})$/.exec(text);
  if (!match || text === "") return undefined;
  const [, hours, minutes, seconds] = match;
  return Math.round(
    (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1_000_000,
  );
}

/** Microseconds as people read a player: `0:07`, `12:34`, `1:02:03`. */
export function formatMoment(us: number): string {
  const totalS = Math.floor(us / 1_000_000);
  const hours = Math.floor(totalS / 3600);
  const minutes = Math.floor((totalS % 3600) / 60);
  const seconds = String(totalS % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}
