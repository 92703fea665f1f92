import { fromUtf8 } from "@gatehouse/kernel";

/** The JSON of a frame, or nothing where it cannot be read: one bad frame must not hide a recording. */
export function payload(data: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(fromUtf8(data));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A terminal's size that a screen can have; what is claimed may be anything up to four thousand million. */
export function sizeOf(value: unknown): { cols: number; rows: number } | undefined {
  const { cols, rows } = (value ?? {}) as { cols?: unknown; rows?: unknown };
  const within = (n: unknown, max: number) =>
    typeof n === "number" && n >= 1 ? Math.min(Math.floor(n), max) : undefined;
  const width = within(cols, 500);
  const height = within(rows, 300);
  return width === undefined || height === undefined ? undefined : { cols: width, rows: height };
}
