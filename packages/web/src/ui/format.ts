/** `1h 04m`, `3m 07s`, `12s`, `0.4s`: two units at most, the second always of two digits. */
export function duration(ms: number): string {
  if (ms < 1000) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** How long something shall hold, in words: `45 minutes`, `2 hours`, `1 day`, `1 h 30 min`. */
export function spanWords(minutes: number): string {
  const of = (n: number, unit: string) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  if (minutes % 1440 === 0) return of(minutes / 1440, "day");
  if (minutes % 60 === 0) return of(minutes / 60, "hour");
  if (minutes < 60) return of(minutes, "minute");
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment of a recording as a player shows it: `04:09`, `1:04:09`. */
export function clockTime(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** The same to the hundredth, for what lies close together: `04:09.25`. */
export function preciseTime(us: number): string {
  return `${clockTime(us)}.${String(Math.floor(us / 10_000) % 100).padStart(2, "0")}`;
}

export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"] as const;
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? "B"}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-GB").replaceAll(",", "\u202f");
}

/** The first and last parts of what is long and looks alike: enough to compare by eye, copied whole. */
export function shortened(text: string, head = 8, tail = 4): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayYearFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const timeFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** In the viewer's zone: `21:14:03` today, `22 Nov 21:14:03` this year. */
export function localTime(iso: string, nowMs = Date.now()): string {
  const at = new Date(iso);
  const now = new Date(nowMs);
  const time = timeFormat.format(at);
  if (at.toDateString() === now.toDateString()) return time;
  const day = at.getFullYear() === now.getFullYear() ? dayFormat : dayYearFormat;
  return `${day.format(at)} ${time}`;
}

/** For the hover: UTC, to the second, as logs have it. */
export function utcTime(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The largest unit only: `41h ago`. */
export function ago(iso: string, nowMs = Date.now()): string {
  const ms = nowMs - Date.parse(iso);
  return ms < 60_000 ? "just now" : `${duration(ms).split(" ")[0] ?? ""} ago`;
}

/** A moment in the address bar: `4m09.25s` reads, and is typed, better than microseconds. */
export function momentText(us: number): string {
  const ms = Math.round(us / 1000);
  const seconds = (ms % 60_000) / 1000;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

/** Undefined for what is no moment. */
export function parseMoment(text: string): number | undefined {
  const match = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,7}(?:\.\d+)?)s?)?$/.exec(text.trim());
  if (!match || text.trim() === "") return undefined;
  const [, hours, minutes, seconds] = match;
  return Math.round(
    (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1_000_000,
  );
}
