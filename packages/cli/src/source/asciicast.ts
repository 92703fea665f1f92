import { createReadStream } from "node:fs";
import { checkLimit, GatehouseError, utf8 } from "@gatehouse/kernel";
import { encodeExit, encodeResize } from "@gatehouse/recording";
import type { PlayFrame, PlaySource } from "../player/mod.ts";

/** docs.asciinema.org/manual/asciicast, versions 2 and 3: a header line of JSON, then one JSON array a line. */
type Header = { version: 2 | 3; cols: number; rows: number; title: string };

const lineCharsMax = 16 * 1024 * 1024;
/** Thirty years: what is later is no time of a recording. */
const secondsMax = 1e9;
const op = "cli.asciicast.read";

/** Any program's cast, ours or asciinema's. It is read anew for each pass, so its size does not matter. */
export async function openAsciicast(path: string): Promise<PlaySource> {
  let header: Header | undefined;
  let lastUs = 0;
  for await (const item of itemsOf(path)) {
    if ("version" in item) header = item;
    else lastUs = Math.max(lastUs, item.timeUs);
  }
  if (!header) throw malformed(path, 1, "the file is empty");
  return {
    title: header.title,
    track: "terminal",
    size: { cols: header.cols, rows: header.rows },
    durationUs: lastUs,
    async *frames() {
      for await (const item of itemsOf(path)) if (!("version" in item)) yield item;
    },
  };
}

async function* itemsOf(path: string): AsyncGenerator<Header | PlayFrame> {
  let header: Header | undefined;
  let number = 0;
  let timeUs = 0;
  let seq = 0;
  for await (const line of linesOf(path)) {
    number++;
    // Version 3 allows comments.
    if (line.trim() === "" || line.startsWith("#")) continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw malformed(path, number, "not JSON");
    }
    if (!header) {
      header = headerOf(value);
      if (!header) throw malformed(path, number, "not the header of an asciicast version 2 or 3");
      yield header;
      continue;
    }
    const event = eventOf(value);
    if (!event) throw malformed(path, number, "not an event [time, code, data]");
    // Version 2 counts from the start, version 3 from the event before.
    timeUs = header.version === 2 ? Math.max(timeUs, event.us) : timeUs + event.us;
    const frame = frameOf(event, timeUs, seq);
    if (!frame) continue;
    seq++;
    yield frame;
  }
}

function headerOf(value: unknown): Header | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { version, width, height, term, title } = value as Record<string, unknown>;
  const inTerm = (typeof term === "object" && term !== null ? term : {}) as Record<string, unknown>;
  const cols = version === 3 ? inTerm["cols"] : width;
  const rows = version === 3 ? inTerm["rows"] : height;
  if ((version !== 2 && version !== 3) || !isSize(cols) || !isSize(rows)) return undefined;
  return { version, cols, rows, title: typeof title === "string" ? title : "" };
}

const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 65_535;

type Event = { us: number; code: string; data: string };

function eventOf(value: unknown): Event | undefined {
  if (!Array.isArray(value)) return undefined;
  const [time, code, data] = value as unknown[];
  if (
    typeof time !== "number" ||
    !(time >= 0 && time <= secondsMax) ||
    typeof code !== "string" ||
    typeof data !== "string"
  )
    return undefined;
  return { us: Math.round(time * 1_000_000), code, data };
}

function frameOf({ code, data }: Event, timeUs: number, seq: number): PlayFrame | undefined {
  const frame = (kind: string, bytes: Uint8Array): PlayFrame => ({
    seq,
    timeUs,
    kind,
    stream: 0,
    data: bytes,
  });
  switch (code) {
    case "o":
      return frame("output", utf8(data));
    case "i":
      return frame("input", utf8(data));
    case "r": {
      const [, cols, rows] = /^(\d{1,5})x(\d{1,5})$/.exec(data) ?? [];
      return cols && rows
        ? frame("resize", encodeResize({ cols: Number(cols), rows: Number(rows) }))
        : undefined;
    }
    case "x":
      return /^\d{1,9}$/.test(data) ? frame("exit", encodeExit({ status: Number(data) })) : undefined;
    default:
      // Markers, and what later versions bring.
      return undefined;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let held = "";
  for await (const chunk of createReadStream(path, "utf8") as AsyncIterable<string>) {
    held += chunk;
    let at = 0;
    for (let feed = held.indexOf("\n"); feed >= 0; feed = held.indexOf("\n", at)) {
      yield held.slice(at, feed);
      at = feed + 1;
    }
    held = held.slice(at);
    checkLimit(op, "characters of one line", held.length, lineCharsMax);
  }
  if (held !== "") yield held;
}

function malformed(path: string, line: number, what: string): GatehouseError {
  return new GatehouseError({
    code: "invalid",
    op,
    message: `${path}, line ${line}: ${what}`,
    hint: "Only asciicast versions 2 and 3 are read.",
  });
}
