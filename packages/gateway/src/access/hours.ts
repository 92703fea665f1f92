import type { AllowedHours, Day } from "@gatehouse/contracts/rest";

/** Making one takes longer than using it a thousand times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return format;
}

const week: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Whether the moment lies in one of the windows, by the clocks of their zone. The end of a window is outside. */
export function isWithin({ zone, windows }: AllowedHours, ms: number): boolean {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  const today = (parts["weekday"] ?? "").toLowerCase() as Day;
  const yesterday = week[(week.indexOf(today) + 6) % 7] as Day;
  const now = Number(parts["hour"]) * 60 + Number(parts["minute"]);
  return windows.some(({ days, from, to }) => {
    const begin = minutesOf(from);
    const end = minutesOf(to);
    if (begin < end) return days.includes(today) && now >= begin && now < end;
    // Over midnight: it belongs to the day on which it begins.
    return (days.includes(today) && now >= begin) || (days.includes(yesterday) && now < end);
  });
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}
