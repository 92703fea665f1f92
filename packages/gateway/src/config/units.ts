import { z } from "zod";

/** A length of time as configured. The unit is in the name, so that nobody passes seconds where milliseconds go. */
export type Duration = { readonly ms: number };
/** An amount of data as configured. */
export type Size = { readonly bytes: number };
/** Where to listen, or where others find us. Port 0 asks the system for a free one. */
export type Address = { readonly host: string; readonly port: number };

const msPerUnit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytesPerUnit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** `1h30m`, `250ms`, `365d`. A bare number is refused, because nobody knows its unit. */
export function parseDuration(text: string): Duration | undefined {
  if (!/^(\d{1,9}(ms|s|m|h|d))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    ms += Number(amount) * msPerUnit[unit as keyof typeof msPerUnit];
  return { ms };
}

/** `16 MiB`, `512KiB`, `64 B`. Powers of two only: what a decimal unit means differs between tools. */
export function parseSize(text: string): Size | undefined {
  const match = /^(\d{1,12})\s?(B|KiB|MiB|GiB|TiB)$/.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * bytesPerUnit[match[2] as keyof typeof bytesPerUnit];
  return Number.isSafeInteger(bytes) ? { bytes } : undefined;
}

/** `host:port`, with an IPv6 host in brackets: `[::1]:3022`. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function formatDuration({ ms }: Duration): string {
  let rest = ms;
  let out = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const amount = Math.floor(rest / msPerUnit[unit]);
    if (amount > 0) out += `${amount}${unit}`;
    rest -= amount * msPerUnit[unit];
  }
  return out === "" ? "0s" : out;
}

export function formatSize({ bytes }: Size): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"] as const)
    if (bytes > 0 && bytes % bytesPerUnit[unit] === 0) return `${bytes / bytesPerUnit[unit]} ${unit}`;
  return `${bytes} B`;
}

function parsed<T>(
  parse: (text: string) => T | undefined,
  expected: string,
  check: (value: T) => string | undefined,
) {
  return z
    .string({ error: () => `expected ${expected}` })
    .transform((text, context): T => {
      const value = parse(text);
      const wrong = value === undefined ? `expected ${expected}` : check(value);
      if (wrong === undefined) return value as T;
      context.addIssue({ code: "custom", message: wrong, input: text });
      return z.NEVER;
    })
    .meta({ expected });
}

/** A duration key. The limits are inclusive and are told in the error. */
export function duration({ min = "0s", max = "3650d" }: { min?: string; max?: string } = {}) {
  const minMs = parseDuration(min)?.ms ?? 0;
  const maxMs = parseDuration(max)?.ms ?? 0;
  return parsed(parseDuration, `a duration such as 30s, 15m or 1h30m`, ({ ms }) =>
    ms < minMs || ms > maxMs ? `expected a duration from ${min} to ${max}` : undefined,
  );
}

export function size({ min = "1 B", max = "1024 TiB" }: { min?: string; max?: string } = {}) {
  const minBytes = parseSize(min)?.bytes ?? 0;
  const maxBytes = parseSize(max)?.bytes ?? 0;
  return parsed(parseSize, `a size such as 64 KiB or 16 MiB`, ({ bytes }) =>
    bytes < minBytes || bytes > maxBytes ? `expected a size from ${min} to ${max}` : undefined,
  );
}

export function address() {
  return parsed(parseAddress, `host:port, such as 127.0.0.1:3022`, () => undefined);
}
