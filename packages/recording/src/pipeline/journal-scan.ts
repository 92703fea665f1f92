import {
  fileHeaderBytes,
  groupBytes,
  groupHeaderBytes,
  groupMagic,
  type GroupHeader,
  type PlacedEntry,
  readEntries,
  readFileHeader,
  readGroupHeader,
} from "./journal-layout.ts";
import type { JournalFile } from "./journal.ts";

/** What the scan met that is not as it was written. */
export type JournalFinding = {
  /** `torn`: the last write, which was never acknowledged. `damage`: something that had been acknowledged. */
  readonly kind: "torn" | "damage";
  readonly file: string;
  /** Byte in the file. */
  readonly at: number;
  readonly message: string;
};

export type ScannedGroup = {
  readonly file: string;
  readonly seq: number;
  readonly entries: readonly PlacedEntry[];
};

export type JournalScan = {
  /** The highest number that any use may have given to a group; 0 for none. */
  readonly lastGroup: number;
  /** The last group that is there or must have been there. */
  readonly committed: number;
  readonly findings: readonly JournalFinding[];
  /** Files by age, those never used first: the order in which they are to be used again. */
  readonly files: readonly JournalFile[];
};

type FileIndex = {
  file: JournalFile;
  name: string;
  nonce: Uint8Array;
  firstGroup: number;
  committed: number;
};

/**
 * Reads the whole journal in the order of its commits and hands out each group that is intact. A torn end is
 * recognised and everything before it kept; damage in the middle is named, and reading goes on behind it.
 */
export async function scanJournal(
  files: readonly JournalFile[],
  onGroup: (group: ScannedGroup) => void,
): Promise<JournalScan> {
  const findings: JournalFinding[] = [];
  const unused: JournalFile[] = [];
  const index: FileIndex[] = [];
  for (const file of files) {
    const found = await indexFile(file, findings);
    if (found) index.push(found);
    else unused.push(file);
  }
  index.sort((a, b) => a.firstGroup - b.firstGroup);
  let last = 0;
  for (const [i, file] of index.entries()) {
    if (i > 0 && file.committed > last)
      findings.push({
        kind: "damage",
        file: file.name,
        at: 0,
        message: `groups ${last + 1} to ${file.committed}, committed before this file, are missing`,
      });
    const follower = index[i + 1];
    const bytes = asBuffer(await file.file.handle.read(0, file.file.bytes));
    last = Math.max(last, scanFile(bytes, file, follower, findings, onGroup));
  }
  return {
    lastGroup: Math.max(last, index.at(-1)?.firstGroup ?? 0),
    committed: last,
    findings,
    files: [...unused, ...index.map((file) => file.file)],
  };
}

async function indexFile(file: JournalFile, findings: JournalFinding[]): Promise<FileIndex | undefined> {
  const { name } = file;
  const read = readFileHeader(asBuffer(await file.handle.read(0, fileHeaderBytes)));
  if (read === "empty") return undefined;
  if (read !== "damaged") {
    if (!read.intact)
      // Harmless, and after a crash while a file was begun to be expected; on an old file it is the disk.
      findings.push({
        kind: "torn",
        file: name,
        at: 0,
        message: "one of the two copies of the file's header is not whole",
      });
    return { file, name, ...read.header };
  }
  // The groups still say whose they are: the newest one belongs to the last use.
  const bytes = asBuffer(await file.handle.read(0, file.bytes));
  let newest: GroupHeader | undefined;
  for (let at = 0; (at = nextGroup(bytes, at)) !== -1; at += 8) {
    const header = readGroupHeader(bytes, at) as GroupHeader;
    if (!newest || header.seq > newest.seq) newest = header;
  }
  if (!newest) {
    findings.push({
      kind: "torn",
      file: name,
      at: 0,
      message: "the file's first write is torn; it holds nothing",
    });
    return undefined;
  }
  findings.push({
    kind: "damage",
    file: name,
    at: 0,
    message: "both copies of the file's header are damaged",
  });
  const nonce = Buffer.from(newest.nonce);
  let at = 0;
  while ((at = nextGroup(bytes, at, nonce)) === -1) at += 8;
  const first = (readGroupHeader(bytes, at) as GroupHeader).seq;
  return { file, name, nonce, firstGroup: first, committed: first - 1 };
}

/** Where the next intact group header stands, of one use or of any; -1 for nowhere. Groups begin at multiples of 8. */
function nextGroup(bytes: Buffer, from: number, nonce?: Uint8Array): number {
  let at = bytes.indexOf(groupMagic, from);
  for (; at !== -1; at = bytes.indexOf(groupMagic, at + 1)) {
    if (at % 8 !== 0) continue;
    const header = readGroupHeader(bytes, at);
    if (header && (!nonce || Buffer.compare(header.nonce, nonce) === 0)) return at;
  }
  return -1;
}

function scanFile(
  bytes: Buffer,
  file: FileIndex,
  follower: FileIndex | undefined,
  findings: JournalFinding[],
  onGroup: (group: ScannedGroup) => void,
): number {
  let at = fileHeaderBytes;
  let expected = file.firstGroup;
  for (;;) {
    const header = readGroupHeader(bytes, at);
    const own = header && Buffer.compare(header.nonce, file.nonce) === 0;
    const body = own ? readEntries(bytes, at, header) : undefined;
    if (own && body?.whole) {
      onGroup({ file: file.name, seq: header.seq, entries: body.entries });
      expected = header.seq + 1;
      at += groupBytes(header.bodyBytes);
      continue;
    }
    const next = nextGroup(bytes, at + 8, file.nonce);
    const isLast = next === -1;
    // A following file says what had been committed before it was begun.
    const acknowledged = !isLast || (follower !== undefined && follower.committed >= expected);
    if (own && acknowledged) {
      // Some entries of it are intact, and they were acknowledged.
      const kept = body?.entries.length ?? 0;
      findings.push({
        kind: "damage",
        file: file.name,
        at,
        message: `group ${header.seq} is damaged; ${kept} of its ${header.entries} entries are intact`,
      });
      if (body) onGroup({ file: file.name, seq: header.seq, entries: body.entries });
      expected = header.seq + 1;
    } else if (acknowledged) {
      const until = isLast
        ? (follower as FileIndex).committed
        : (readGroupHeader(bytes, next) as GroupHeader).seq - 1;
      findings.push({
        kind: "damage",
        file: file.name,
        at,
        message: `groups ${expected} to ${until} are damaged: nothing readable up to byte ${isLast ? bytes.length : next}`,
      });
      expected = until + 1;
    } else if (!header && !follower && !isZero(bytes, at))
      findings.push({
        kind: "torn",
        file: file.name,
        at,
        message: `the write of group ${expected} is torn; it was the last one and had not been acknowledged`,
      });
    else if (own && !follower)
      findings.push({
        kind: "torn",
        file: file.name,
        at,
        message: `the write of group ${header.seq} is torn; it was the last one and had not been acknowledged`,
      });
    if (isLast) return expected - 1;
    at = next;
  }
}

const isZero = (bytes: Buffer, at: number) =>
  bytes.subarray(at, at + groupHeaderBytes).every((byte) => byte === 0);
const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
