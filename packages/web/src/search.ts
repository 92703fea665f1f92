/**
 * What the address bar may hold. A link is a handover, and may be old or mistyped: what is not understood is left out
 * rather than refused.
 */
type Raw = Record<string, unknown>;

function text(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function oneOf<T extends string>(raw: Raw, name: string, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === raw[name]);
}

function withoutAbsent<T extends Record<string, unknown>>(
  search: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export const states = ["live", "ended", "interrupted"] as const;
export const kinds = ["shell", "exec", "sftp", "scp", "forward", "sql"] as const;
export const recordingStates = [
  "recording",
  "shipping",
  "stored",
  "held",
  "interrupted",
  "corrupt",
  "expired",
] as const;

/** `from` and `to` are days of the viewer: `2026-11-22`. */
export const sessionSearch = (raw: Raw) =>
  withoutAbsent({
    q: text(raw, "q"),
    user: text(raw, "user"),
    target: text(raw, "target"),
    state: oneOf(raw, "state", states),
    kind: oneOf(raw, "kind", kinds),
    recording: oneOf(raw, "recording", recordingStates),
    from: day(raw, "from"),
    to: day(raw, "to"),
  });
export type SessionSearch = ReturnType<typeof sessionSearch>;

export const auditSearch = (raw: Raw) =>
  withoutAbsent({
    event: text(raw, "event"),
    user: text(raw, "user"),
    target: text(raw, "target"),
    session: text(raw, "session"),
    outcome: oneOf(raw, "outcome", ["ok", "refused"] as const),
    from: day(raw, "from"),
    to: day(raw, "to"),
    // The event that is unfolded.
    open: text(raw, "open"),
  });
export type AuditSearch = ReturnType<typeof auditSearch>;

export const requestStates = ["pending", "approved", "denied", "cancelled", "expired"] as const;
/** One's own and what waits for one, or everybody's. */
export const requestSearch = (raw: Raw) =>
  withoutAbsent({ of: oneOf(raw, "of", ["everybody"] as const), state: oneOf(raw, "state", requestStates) });

export const lockedThings = ["user", "target", "role", "login", "address"] as const;
/** The lock that is about to be set, as far as it is known. */
export const lockSearch = (raw: Raw) =>
  withoutAbsent({ on: oneOf(raw, "on", lockedThings), name: text(raw, "name") });

export const findModes = [
  { value: "exact", name: "In this case" },
  { value: "regex", name: "A pattern" },
] as const;
/** What is looked for in all recordings, and in which. `label` is one of the target's: `env=prod`. */
export const everywhereSearch = (raw: Raw) =>
  withoutAbsent({
    text: text(raw, "text")?.slice(0, 256),
    mode: oneOf(
      raw,
      "mode",
      findModes.map(({ value }) => value),
    ),
    of: oneOf(raw, "of", ["shown", "typed"] as const),
    user: text(raw, "user"),
    team: text(raw, "team"),
    target: text(raw, "target"),
    label: text(raw, "label"),
    kind: oneOf(raw, "kind", kinds),
    event: text(raw, "event"),
    from: day(raw, "from"),
    to: day(raw, "to"),
  });
export type EverywhereSearch = ReturnType<typeof everywhereSearch>;

export function labelsOf(label: string | undefined): Record<string, string[]> | undefined {
  const at = label?.indexOf("=") ?? -1;
  return label !== undefined && at > 0 ? { [label.slice(0, at)]: [label.slice(at + 1)] } : undefined;
}

/** The sign-in of a command line on this machine. */
export const approveSearch = (raw: Raw) => withoutAbsent({ request: text(raw, "request") });
export const nameSearch = (raw: Raw) => withoutAbsent({ q: text(raw, "q") });

export const panels = ["moments", "transcript", "facts", "audit"] as const;

export type Panel = (typeof panels)[number];

/**
 * The session's page: the moment, of the recording or (`at`) of the day, the panel beside the player, the words looked for,
 * and whether a live session is looked on at.
 */
export const momentSearch = (raw: Raw) =>
  withoutAbsent({
    t: text(raw, "t"),
    at: text(raw, "at"),
    panel: oneOf(raw, "panel", panels),
    // A link from a search says `q`.
    find: text(raw, "find") ?? text(raw, "q"),
    only: oneOf(raw, "only", ["failed", "slow"] as const),
    watch: oneOf(raw, "watch", ["live"] as const),
  });

export type MomentSearch = ReturnType<typeof momentSearch>;

function day(raw: Raw, name: string): string | undefined {
  const value = text(raw, name);
  return value !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;
}

/** The viewer's midnight at which a day begins, or with `days` 1, ends. */
export function midnight(dayText: string, days = 0): string {
  const [year, month, date] = dayText.split("-").map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + days).toISOString();
}
