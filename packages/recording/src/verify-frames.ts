import { isGatehouseError, messageOf } from "@gatehouse/kernel";
import { canonicalJson } from "./canonical-json.ts";
import type { Frame, Lane, SessionFacts } from "./frame.ts";
import type { UnknownFrame } from "./frame-codec.ts";
import type { Manifest } from "./manifest.ts";
import { lanes } from "./record.ts";
import { importKeys, type OpenKeys, openSegment, recordsOf } from "./segment-opener.ts";
import type { SegmentParts } from "./segment-layout.ts";
import { asJson } from "./shape.ts";
import { decodeSessionStart } from "./tracks/session-payloads.ts";
import type { Findings } from "./verify-findings.ts";
import { type KeyOpener, unwrapKeys, type WrappedKeys } from "./wrapped-keys.ts";
import type { Zstd } from "./zstd.ts";

/** Decrypts what there are keys for and checks every frame. Without keys it still holds raw records to their headers. */
export class FrameWalk {
  readonly #findings: Findings;
  readonly #openers: readonly KeyOpener[] | undefined;
  readonly #zstd: Zstd;
  #keys: OpenKeys = {};
  #frames = 0;
  #unknown = 0;
  /** The first and last frame seen; only meaningful when no place was passed over. */
  #started: SessionFacts | undefined;
  #last: Frame | UnknownFrame | undefined;
  #passed = false;

  constructor(fields: { findings: Findings; openers: readonly KeyOpener[] | undefined; zstd: Zstd }) {
    this.#findings = fields.findings;
    this.#openers = fields.openers;
    this.#zstd = fields.zstd;
  }

  /** `keys` in the order in which they are tried. */
  async open(recordingId: string, keys: readonly WrappedKeys[]): Promise<void> {
    try {
      this.#keys = await importKeys(await unwrapKeys(recordingId, keys, this.#openers ?? []));
    } catch (error) {
      this.#findings.add("key_unusable", messageOf(error));
    }
  }

  pass(): void {
    this.#passed = true;
  }

  async take(parts: SegmentParts, n: number): Promise<void> {
    try {
      if (this.#openers === undefined) {
        for (const _ of recordsOf(parts));
        return;
      }
      const opened = await openSegment(parts, this.#keys, this.#zstd);
      this.#walk(parts, n, opened.frames(), opened.withheld.length > 0);
    } catch (error) {
      if (!isGatehouseError(error)) throw error;
      const code = codeOf[error.op] ?? "frames_malformed";
      this.#findings.add(code, error.message, n);
      this.#passed = true;
    }
  }

  /** After the last segment: `complete` must mean that the session's own first and last words are there. */
  finish(manifest: Manifest | undefined, segments: number): void {
    if (this.#openers === undefined || this.#passed || segments === 0 || !this.#keys.main) return;
    if (!this.#started) this.#findings.add("end_missing", "it does not begin with session.start");
    else if (manifest && canonicalJson(asJson(this.#started)) !== canonicalJson(asJson(manifest.facts)))
      this.#findings.add("manifest_inconsistent", "its facts are not those of session.start");
    if (manifest?.state === "complete" && this.#last?.kind !== "session.end")
      this.#findings.add("end_missing", "it does not end with session.end");
  }

  result(): { frames: number; unknown: number; withheld: readonly Lane[] | undefined } {
    const withheld = this.#openers && lanes.filter((lane) => !this.#keys[lane]);
    return { frames: this.#frames, unknown: this.#unknown, withheld };
  }

  #walk(parts: SegmentParts, n: number, frames: Iterable<Frame | UnknownFrame>, withheld: boolean): void {
    const { firstSeq, lastSeq, firstTimeUs, lastTimeUs } = parts.header;
    let seq = firstSeq - 1;
    let timeUs = firstTimeUs;
    let count = 0;
    let lost = 0;
    for (const frame of frames) {
      if (frame.seq <= seq || frame.seq > lastSeq)
        this.#findings.add("seq_repeated", `sequence ${frame.seq}`, n);
      if (frame.timeUs < timeUs || frame.timeUs > lastTimeUs)
        this.#findings.add("time_backwards", `at sequence ${frame.seq}`, n);
      lost += Math.max(0, frame.seq - seq - 1);
      seq = Math.max(seq, frame.seq);
      timeUs = Math.max(timeUs, frame.timeUs);
      count++;
      this.#frames++;
      if (frame.kind === undefined) this.#unknown++;
      if (frame.seq === 0 && frame.kind === "session.start") this.#started = decodeSessionStart(frame.data);
      this.#last = frame;
    }
    if (withheld) return;
    // A gap that the header already admits was named from the header.
    const admitted = lastSeq - firstSeq + 1 - parts.header.frames;
    lost += lastSeq - seq;
    if (lost !== admitted) this.#findings.add("seq_gap", `${lost} lost, ${admitted} admitted`, n);
    if (count !== parts.header.frames)
      this.#findings.add("frame_count", `${count}, declared ${parts.header.frames}`, n);
  }
}

/** Which step failed tells what is wrong. */
const codeOf: Readonly<Record<string, "undecryptable" | "frame_count" | "segment_malformed">> = {
  "segment.decrypt": "undecryptable",
  "segment.frames": "frame_count",
  "segment.records": "segment_malformed",
  "record.read": "segment_malformed",
};
