/* oxlint-disable no-control-regex -- terminals speak in control characters */
import type { WireFrame } from "@gatehouse/contracts/rest";
import { utf8 } from "@gatehouse/kernel";
import type { Index } from "./material.ts";
import { numberOf, payload, textOf } from "./payload.ts";

/** Something worth jumping to. Derived for reading; the frames are what happened. */
export type Moment = {
  /** The frame that it was read from. */
  seq: number;
  timeUs: number;
  kind:
    | "typed"
    | "hidden"
    | "notice"
    | "resize"
    | "signal"
    | "env"
    | "request"
    | "people"
    | "exit"
    | "end"
    | "break"
    | "file"
    | "forward";
  text: string;
  /** What was run is told by the shell, or taken from what stood beside the cursor. */
  isGuessed?: boolean;
};

const decoder = new TextDecoder();

/** Control sequences out of what a terminal was told: CSI, OSC, and the two-byte ones (ECMA-48 §5.3, §5.4). */
export function plainText(output: string): string {
  return output
    .replaceAll(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, "")
    .replaceAll(/\u001b\[[0-?]*[ -/]*[@-~]/g, "")
    .replaceAll(/\u001b[ -/]*[0-~]/g, "")
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "");
}

/** Takes keys and gives lines. Keys that move about or complete make what was typed differ from what was run. */
class TypedLine {
  text = "";
  edited = false;
  startUs = 0;
  echo = "";
  isEmpty = true;

  key(data: string, timeUs: number): void {
    if (this.isEmpty) this.startUs = timeUs;
    this.isEmpty = false;
    for (const char of data.replaceAll(
      /\u001b(?:\[[0-?]*[ -/]*[@-~]|O.|.)/g,
      () => ((this.edited = true), ""),
    )) {
      if (char === "\u007f" || char === "\b") this.text = this.text.slice(0, -1);
      else if (char === "\u0015" || char === "\u0003") this.text = "";
      else if (char === "\u0017") this.text = this.text.replace(/\S*\s*$/, "");
      else if (char === "\t") this.edited = true;
      else if (char >= " ") this.text += char;
    }
  }

  /** The echo's own line: the piece that holds what was typed, else the last that holds anything. */
  #echoed(typed: string): string {
    const pieces = plainText(this.echo)
      .split(/[\r\n]/)
      .map((piece) => piece.trim())
      .filter((piece) => piece !== "");
    return pieces.find((piece) => typed !== "" && piece.includes(typed)) ?? pieces.at(-1) ?? "";
  }

  /**
   * A line that was not echoed was not meant to be seen, a password most likely: it is not shown here either. Where keys
   * completed or moved, the echo is what was run.
   */
  moment(): Omit<Moment, "seq"> | undefined {
    const typed = this.text.trim();
    const echoed = this.#echoed(typed);
    if (typed === "" && !(this.edited && echoed !== "")) return undefined;
    const timeUs = this.startUs;
    if (echoed.includes(typed) && !this.edited) return { timeUs, kind: "typed", text: typed };
    // Keys that a program took before the prompt came back stand before the line itself.
    const own = commonEnd(typed, echoed).trimStart();
    if (!this.edited && own.length >= 3) return { timeUs, kind: "typed", text: own };
    if (echoed !== "" && (this.edited || echoed.length >= typed.length / 2))
      return { timeUs, kind: "typed", text: echoed };
    return { timeUs, kind: "hidden", text: "typed without being shown" };
  }
}

function commonEnd(a: string, b: string): string {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length === 0 ? "" : a.slice(-length);
}

const textMax = 300;
/** More lines than this waiting for their echo were not typed at a prompt. */
const enteredMax = 50;

/** The moments of a recording in their order. */
export function momentsOf(frames: readonly WireFrame[]): Moment[] {
  const out: Moment[] = [];
  const add = (frame: WireFrame, kind: Moment["kind"], text: string) =>
    out.push({ seq: frame.seq, timeUs: frame.timeUs, kind, text: text.slice(0, textMax) });
  let line = new TypedLine();
  /** Lines that were entered and whose echo has not come to its end: what is typed fast is echoed later. */
  const entered: { line: TypedLine; seq: number }[] = [];
  const finish = (count: number) => {
    for (const { line: done, seq } of entered.splice(0, count)) {
      const moment = done.moment();
      if (moment) out.push({ ...moment, seq, text: moment.text.slice(0, textMax) });
    }
  };
  for (const frame of frames) {
    switch (frame.kind) {
      case "input": {
        const keys = decoder.decode(frame.data);
        for (const part of keys.split(/(?<=[\r\n\u0003])/)) {
          line.key(part.replace(/[\r\n]$/, ""), frame.timeUs);
          if (!/[\r\n\u0003]$/.test(part)) continue;
          entered.push({ line, seq: frame.seq });
          line = new TypedLine();
          if (entered.length > enteredMax) finish(1);
        }
        break;
      }
      case "output": {
        // Each line's end in the output ends the echo of the line that was entered first.
        for (const part of decoder.decode(frame.data).split(/(?<=\n)/)) {
          const echoing = entered[0]?.line ?? line;
          if (!echoing.isEmpty && echoing.echo.length < 4096) echoing.echo += part;
          if (part.endsWith("\n")) finish(1);
        }
        break;
      }
      default: {
        const other = momentOf(frame);
        if (other) add(frame, other.kind, other.text);
      }
    }
  }
  finish(entered.length);
  return out.sort((a, b) => a.timeUs - b.timeUs || a.seq - b.seq);
}

/** The same of an index: it has commands where frames have keys, and nothing of what was typed and not shown. */
export function momentsOfEvents(events: Index["events"]): Moment[] {
  const out: Moment[] = [];
  for (const [seq, { timeUs, kind, text, source }] of events.entries()) {
    if (kind === "command") {
      out.push({ seq, timeUs, kind: "typed", text: text.slice(0, textMax), isGuessed: source === "guessed" });
      continue;
    }
    const other = momentOf({ seq, timeUs, kind, stream: 0, data: utf8(text) });
    if (other) out.push({ seq, timeUs, kind: other.kind, text: other.text.slice(0, textMax) });
  }
  return out.sort((a, b) => a.timeUs - b.timeUs || a.seq - b.seq);
}

/** Of what an index has, and of the frames after it. */
export function momentsAfter(events: Index["events"], frames: readonly WireFrame[]): Moment[] {
  const newest = momentsOf(frames);
  // What comes from an index is numbered from 0, as its events are.
  for (const moment of newest) moment.seq += events.length;
  return [...momentsOfEvents(events), ...newest];
}

export function watchersInEvents(events: Index["events"]): string[] {
  return watchersIn(events.map(({ kind, text }) => ({ kind, data: utf8(text) })));
}

/** Who looked on while it was live, each once. */
export function watchersIn(frames: readonly Pick<WireFrame, "kind" | "data">[]): string[] {
  const joins = frames.filter(({ kind }) => kind === "join");
  return [...new Set(joins.map(({ data }) => userIn(payload(data))))].filter((name) => name !== "");
}

function userIn(said: Record<string, unknown>): string {
  return textOf((said["user"] as { name?: unknown } | undefined)?.name);
}

function momentOf(frame: WireFrame): { kind: Moment["kind"]; text: string } | undefined {
  const said = payload(frame.data);
  const user = userIn(said);
  switch (frame.kind) {
    case "notice":
      return { kind: "notice", text: plainText(decoder.decode(frame.data)).trim() };
    case "resize":
      return {
        kind: "resize",
        text: `window ${numberOf(said["cols"]) ?? "?"} × ${numberOf(said["rows"]) ?? "?"}`,
      };
    case "signal":
      return { kind: "signal", text: `signal ${textOf(said["signal"])}` };
    case "env":
      return {
        kind: "env",
        text:
          said["refused"] === true
            ? `${textOf(said["name"])} refused`
            : `${textOf(said["name"])}=${textOf(said["value"])}`,
      };
    case "request":
      return {
        kind: "request",
        text: [textOf(said["type"]), textOf(said["command"])].filter(Boolean).join(": "),
      };
    case "pause":
    case "resume":
      return { kind: "people", text: `${frame.kind}d by ${user}` };
    case "join":
      return { kind: "people", text: `${user} began to watch` };
    case "leave":
      return { kind: "people", text: `${user} stopped watching` };
    case "break":
      return { kind: "break", text: `the chain begins anew: ${textOf(said["why"])}` };
    case "exit":
      return {
        kind: "exit",
        text:
          "signal" in said
            ? `killed by ${textOf(said["signal"])}`
            : `exit ${numberOf(said["status"]) ?? "?"}`,
      };
    case "session.end":
      return { kind: "end", text: `ended: ${textOf(said["reason"])}` };
    case "terminate":
      return {
        kind: "people",
        text: [user === "" ? "terminated" : `terminated by ${user}`, textOf(said["reason"])]
          .filter(Boolean)
          .join(": "),
      };
    case "query":
      return { kind: "typed", text: textOf(said["text"]) };
    case "forward.open":
      return { kind: "forward", text: `${textOf(said["host"])}:${numberOf(said["port"]) ?? "?"}` };
    case "file":
      return { kind: "file", text: `${textOf(said["op"])} ${textOf(said["path"])}` };
    default:
      return undefined;
  }
}
