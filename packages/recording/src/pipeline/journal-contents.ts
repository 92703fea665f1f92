import { decodeOpening, type Opening } from "../opening.ts";
import { readRecordHeader, type RecordHeader } from "../record.ts";
import { recordingIdOf } from "../recording-id.ts";
import type { ScannedGroup } from "./journal-scan.ts";
import type { JournalFile } from "./journal.ts";

/** Where a record lies in the journal, and what its header says. */
export type PlacedRecord = Pick<
  RecordHeader,
  "frames" | "firstSeq" | "lastSeq" | "firstTimeUs" | "lastTimeUs" | "bytes"
> & { readonly file: JournalFile; readonly at: number; readonly group: number };

export type JournaledRecording = {
  opening: Opening | undefined;
  /** In the order of their commits. */
  readonly records: PlacedRecord[];
  closed: boolean;
};

/** What a scan of the journal found, by recording. Records are kept as places, so that memory does not grow with them. */
export class JournalContents {
  readonly recordings = new Map<string, JournaledRecording>();
  readonly problems: string[] = [];
  readonly #sealedUpTo: ReadonlyMap<string, number>;
  readonly #files: ReadonlyMap<string, JournalFile>;

  /** `sealedUpTo`: the last sequence of each recording that the spool's ledger has. What is older is not needed. */
  constructor(files: readonly JournalFile[], sealedUpTo: ReadonlyMap<string, number>) {
    this.#files = new Map(files.map((file) => [file.name, file]));
    this.#sealedUpTo = sealedUpTo;
  }

  take(group: ScannedGroup): void {
    for (const { type, bytes, at } of group.entries)
      try {
        switch (type) {
          case "record":
            this.#record(readRecordHeader(bytes), group, at);
            break;
          case "opening": {
            // A copy: the scan's buffer is a whole file.
            const opening = decodeOpening(new Uint8Array(bytes));
            this.#of(opening.facts.sessionId).opening = opening;
            break;
          }
          case "closed":
            this.#of(recordingIdOf(bytes)).closed = true;
            break;
        }
      } catch (error) {
        // Its checksum held, so it was written so; nothing that we know wrote it.
        this.problems.push(`${group.file}, byte ${at}: ${(error as Error).message}`);
      }
  }

  #record(header: RecordHeader, group: ScannedGroup, at: number): void {
    const { recordingId, frames, firstSeq, lastSeq, firstTimeUs, lastTimeUs, bytes } = header;
    if (lastSeq <= (this.#sealedUpTo.get(recordingId) ?? -1)) return;
    const file = this.#files.get(group.file) as JournalFile;
    this.#of(recordingId).records.push({
      frames,
      firstSeq,
      lastSeq,
      firstTimeUs,
      lastTimeUs,
      bytes,
      file,
      at,
      group: group.seq,
    });
  }

  #of(sessionId: string): JournaledRecording {
    let recording = this.recordings.get(sessionId);
    if (!recording) {
      recording = { opening: undefined, records: [], closed: false };
      this.recordings.set(sessionId, recording);
    }
    return recording;
  }
}
