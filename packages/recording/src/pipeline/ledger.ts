import { crc32 } from "node:zlib";
import { fromUtf8, utf8 } from "@gatehouse/kernel";
import type { SegmentEntry } from "../manifest.ts";
import { decodeOpening, encodeOpening, type Opening } from "../opening.ts";

/**
 * The ledger of one recording in the spool: its opening, then each segment that was put there. It is what the manifest is
 * made of, and stays when the segments themselves have been shipped and removed. Lines: eight hexadecimal digits of
 * CRC-32, a blank, JSON. A last line without its end or with a wrong sum is a write that a crash cut short.
 */
export const openingLine = (opening: Opening) => line(fromUtf8(encodeOpening(opening)));
export const segmentLine = (entry: SegmentEntry) => line(JSON.stringify(entry));

function line(json: string): Uint8Array {
  return utf8(`${sum(json)} ${json}\n`);
}
const sum = (json: string) => crc32(json).toString(16).padStart(8, "0");

export type Ledger = {
  readonly opening: Opening | undefined;
  readonly entries: readonly SegmentEntry[];
  /** How much of the file is good; what follows is overwritten. */
  readonly bytes: number;
  /** Set when something other than the last line is damaged. */
  readonly damage: string | undefined;
};

export function readLedger(bytes: Uint8Array): Ledger {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: SegmentEntry[] = [];
  let opening: Opening | undefined;
  let at = 0;
  while (at < buffer.length) {
    const end = buffer.indexOf(0x0a, at);
    const text = end === -1 ? "" : buffer.toString("utf8", at, end);
    const json = text.slice(9);
    if (text.slice(0, 9) !== `${sum(json)} `) {
      const damage = end !== -1 && (end + 1 < buffer.length || endsInLine(text));
      return {
        opening,
        entries,
        bytes: at,
        damage: damage ? `the ledger is damaged at byte ${at}` : undefined,
      };
    }
    if (opening === undefined) opening = decodeOpening(utf8(json));
    else entries.push(JSON.parse(json) as SegmentEntry);
    at = end + 1;
  }
  return { opening, entries, bytes: at, damage: undefined };
}

/** Whether a good line stands at the end of a bad one: then the end of a line was damaged, and no write was cut short. */
function endsInLine(text: string): boolean {
  for (const { 0: found, index } of text.matchAll(/[0-9a-f]{8}(?= )/g))
    if (index > 0 && found === sum(text.slice(index + 9))) return true;
  return false;
}
