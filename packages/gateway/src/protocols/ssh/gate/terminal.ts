import type { Request } from "@gatehouse/recording";
import { SshReader } from "../transport/wire.ts";
import type { PtyRequest } from "../connection/mod.ts";

/** RFC 4254 §8: what each mode is called. The others are told by their number. */
const modeNames: Readonly<Record<number, string>> = {
  1: "VINTR",
  2: "VQUIT",
  3: "VERASE",
  4: "VKILL",
  5: "VEOF",
  6: "VEOL",
  7: "VEOL2",
  8: "VSTART",
  9: "VSTOP",
  10: "VSUSP",
  11: "VDSUSP",
  12: "VREPRINT",
  13: "VWERASE",
  14: "VLNEXT",
  15: "VFLUSH",
  16: "VSWTCH",
  17: "VSTATUS",
  18: "VDISCARD",
  30: "IGNPAR",
  31: "PARMRK",
  32: "INPCK",
  33: "ISTRIP",
  34: "INLCR",
  35: "IGNCR",
  36: "ICRNL",
  37: "IUCLC",
  38: "IXON",
  39: "IXANY",
  40: "IXOFF",
  41: "IMAXBEL",
  42: "IUTF8",
  50: "ISIG",
  51: "ICANON",
  52: "XCASE",
  53: "ECHO",
  54: "ECHOE",
  55: "ECHOK",
  56: "ECHONL",
  57: "NOFLSH",
  58: "TOSTOP",
  59: "IEXTEN",
  60: "ECHOCTL",
  61: "ECHOKE",
  62: "PENDIN",
  70: "OPOST",
  71: "OLCUC",
  72: "ONLCR",
  73: "OCRNL",
  74: "ONOCR",
  75: "ONLRET",
  90: "CS7",
  91: "CS8",
  92: "PARENB",
  93: "PARODD",
  128: "TTYOPISPEED",
  129: "TTYOOSPEED",
};

export type Terminal = NonNullable<Request["pty"]>;

/** A terminal as the recording tells it. The request itself passes to the target as it came. */
export function terminalOf(pty: PtyRequest): Terminal {
  const modes: Record<string, number> = {};
  const encoded = new SshReader(pty.modes);
  // §8: opcode 0 ends the list; from 160 on nothing is defined and parsing stops.
  for (let count = 0; encoded.remaining > 0 && count < 256; count++) {
    const opcode = encoded.byte();
    if (opcode === 0 || opcode >= 160 || encoded.remaining < 4) break;
    modes[modeNames[opcode] ?? String(opcode)] = encoded.uint32();
  }
  return { term: pty.term.slice(0, 256), cols: pty.columns, rows: pty.rows, modes };
}

/** The size that a session's facts carry: what no terminal has is cut to what they can say. */
export function cellsOf({ cols, rows }: { cols: number; rows: number }): { cols: number; rows: number } {
  return { cols: Math.min(cols, 65_535), rows: Math.min(rows, 65_535) };
}
