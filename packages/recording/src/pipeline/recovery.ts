import { type Clock, fromHex } from "@gatehouse/kernel";
import { type RecordingBreak, type SegmentEntry, signManifest } from "../manifest.ts";
import type { Opening } from "../opening.ts";
import type { RecordingSigner, SealCrypto } from "../seal-crypto.ts";
import { buildRawSegment, type SegmentPlace } from "../segment-writer.ts";
import { JournalContents, type JournaledRecording, type PlacedRecord } from "./journal-contents.ts";
import { type JournalFinding, type JournalScan, scanJournal } from "./journal-scan.ts";
import type { JournalFile } from "./journal.ts";
import type { RecoveredNotes } from "./recovered-notes.ts";
import type { Spool, SpooledRecording } from "./spool.ts";

/** A raw segment of recovery holds about so much; one group more than that at most. */
const rawSegmentBytes = 8 * 1024 * 1024;

export type RecoveryOptions = {
  files: readonly JournalFile[];
  spool: Spool;
  notes: Pick<RecoveredNotes, "add">;
  signer: RecordingSigner;
  crypto: SealCrypto;
  clock: Clock;
};

export type Recovery = {
  readonly scan: JournalScan;
  /** Recordings that were closed just now. */
  readonly interrupted: readonly string[];
  /** Recordings that cannot be closed, and why: a person has to look. */
  readonly corrupt: readonly { sessionId: string; detail: string }[];
  readonly problems: readonly string[];
  /** Files of the journal that hold something damaged, or records that could not be given to a recording. */
  readonly worthKeeping: ReadonlySet<JournalFile>;
};

/**
 * Closes what a crash left open. For each recording without a manifest, the records that no segment holds become raw
 * segments, as they are: no key is needed, so a gateway that can open nothing does it too. Each step is durable before
 * the next and can be done again, so a crash in here is recovered from in the same way. The journal is only read.
 */
export async function recoverRecordings(options: RecoveryOptions): Promise<Recovery> {
  const { files, spool } = options;
  const spooled = new Map((await spool.survey()).map((recording) => [recording.sessionId, recording]));
  const sealedUpTo = new Map<string, number>();
  for (const { sessionId, ledger } of spooled.values())
    sealedUpTo.set(sessionId, ledger.entries.at(-1)?.lastSeq ?? -1);
  const contents = new JournalContents(files, sealedUpTo);
  const scan = await scanJournal(files, (group) => contents.take(group));

  const interrupted: string[] = [];
  const corrupt: { sessionId: string; detail: string }[] = [];
  const sessionIds = new Set([...spooled.keys(), ...contents.recordings.keys()]);
  for (const sessionId of [...sessionIds].sort()) {
    const inSpool = spooled.get(sessionId);
    const inJournal = contents.recordings.get(sessionId);
    if (inSpool?.damage !== undefined) {
      corrupt.push({ sessionId, detail: inSpool.damage });
      continue;
    }
    // Closed already; what the journal still has of it lies in the segments.
    if (inSpool?.manifest || inJournal?.closed) continue;
    const detail = await closeInterrupted(options, sessionId, inSpool, inJournal, scan.findings);
    if (detail === undefined) interrupted.push(sessionId);
    else if (detail !== "") corrupt.push({ sessionId, detail });
  }
  const named = new Set(scan.findings.flatMap(({ kind, file }) => (kind === "damage" ? [file] : [])));
  const worthKeeping = new Set(files.filter((file) => named.has(file.name)));
  for (const { sessionId } of corrupt)
    for (const record of contents.recordings.get(sessionId)?.records ?? []) worthKeeping.add(record.file);
  return { scan, interrupted, corrupt, problems: contents.problems, worthKeeping };
}

/** `undefined` when closed, a reason when it cannot be, an empty text when there is nothing to close. */
async function closeInterrupted(
  options: RecoveryOptions,
  sessionId: string,
  inSpool: SpooledRecording | undefined,
  inJournal: JournaledRecording | undefined,
  findings: readonly JournalFinding[],
): Promise<string | undefined> {
  const { spool, notes, signer, clock } = options;
  const entries: SegmentEntry[] = [...(inSpool?.ledger.entries ?? [])];
  const records = inJournal?.records ?? [];
  const opening = inSpool?.ledger.opening ?? inJournal?.opening;
  if (!opening) {
    const damage = findings.find((finding) => finding.kind === "damage");
    // Without damage these are the last traces of a recording whose opening and end are both long overwritten.
    if (!damage || records.length === 0) return "";
    return `the journal has ${records.length} records of it and not its opening (${damage.message})`;
  }
  if (entries.length === 0 && records.length === 0)
    // The opening stands in one group with the first frame, so only damage can part them.
    return inSpool ? "its ledger names no segment, and the journal has none of its records" : "";

  const missing = missingFrames(entries.at(-1)?.lastSeq ?? -1, records);
  for (const part of parts(records)) {
    const bytes = await Promise.all(part.map((record) => record.file.handle.read(record.at, record.bytes)));
    const previous = entries.at(-1);
    const place: SegmentPlace = previous
      ? { recordingId: sessionId, n: entries.length, previousSha256: fromHex(previous.sha256) }
      : { recordingId: sessionId, n: 0, opening };
    const segment = await buildRawSegment({ ...options, place, records: bytes });
    await spool.addSegment(sessionId, opening, segment);
    entries.push(segment.entry);
  }
  await closeWithManifest({ spool, notes, signer, clock }, opening, entries, missing);
  return undefined;
}

async function closeWithManifest(
  options: Pick<RecoveryOptions, "spool" | "notes" | "signer" | "clock">,
  opening: Opening,
  segments: SegmentEntry[],
  missing: RecordingBreak | undefined,
): Promise<void> {
  const { spool, notes, signer, clock } = options;
  const lastTimeUs = (segments.at(-1) as SegmentEntry).lastTimeUs;
  const end = {
    reason: "interrupted",
    ...(missing && { detail: missing.reason }),
    at: new Date(clock.nowMs()).toISOString(),
    lastTimeUs,
  };
  const { manifest, bytes } = await signManifest(
    { ...opening, state: "interrupted", end, segments, ...(missing && { breaks: [missing] }) },
    signer,
  );
  await notes.add({
    facts: opening.facts,
    frames: manifest.frames,
    bytes: manifest.bytes + bytes.length,
    headSha256: manifest.headSha256,
    lastTimeUs,
    ...(missing && { damage: missing.reason }),
  });
  await spool.addManifest(opening.facts.sessionId, bytes);
}

/** Names frames that should lie between the last segment and the last record and do not: the journal was damaged there. */
function missingFrames(sealedUpTo: number, records: readonly PlacedRecord[]): RecordingBreak | undefined {
  const last = records.reduce((max, record) => Math.max(max, record.lastSeq), sealedUpTo);
  const have = records.reduce((sum, record) => sum + record.frames, 0);
  const frames = last - sealedUpTo - have;
  if (frames === 0) return undefined;
  const firstSeq = sealedUpTo + 1;
  const reason = `${frames} frames between sequence ${firstSeq} and ${last} are missing: the journal was damaged`;
  return { firstSeq, lastSeq: last, frames, reason };
}

/** Records by segment. Groups stay together: the two lanes of one group overlap in their sequences. */
function parts(records: readonly PlacedRecord[]): PlacedRecord[][] {
  const made: PlacedRecord[][] = [];
  let bytes = 0;
  let group = -1;
  for (const record of records) {
    if (made.length === 0 || (bytes >= rawSegmentBytes && record.group !== group)) {
      made.push([]);
      bytes = 0;
    }
    (made.at(-1) as PlacedRecord[]).push(record);
    bytes += record.bytes;
    group = record.group;
  }
  return made;
}
