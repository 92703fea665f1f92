import { equalBytes, isGatehouseError, messageOf, toBase64, toHex } from "@gatehouse/kernel";
import { canonicalJson } from "./canonical-json.ts";
import { breakOf, type Manifest, type RecordingBreak, type SegmentEntry } from "./manifest.ts";
import { decodeOpening, type Opening } from "./opening.ts";
import { parseSegment, type SegmentHeader, type SegmentParts } from "./segment-layout.ts";
import { asJson } from "./shape.ts";
import { sha256, type SignatureVerdict, verifyAs } from "./signature.ts";
import { FrameWalk } from "./verify-frames.ts";
import type { Findings } from "./verify-findings.ts";
import type { KeyOpener, WrappedKeys } from "./wrapped-keys.ts";
import type { Zstd } from "./zstd.ts";

const noHash = new Uint8Array(32);

/** What the segment that stands before must have been, as far as it is known. */
type Before = { sha256: Uint8Array | string; lastSeq: number; lastTimeUs: number };

/**
 * Walks the chain, segment by segment: what each must be is known from the manifest, and from the one before.
 * Without a manifest the numbers, links and signatures of the segments themselves have to do.
 */
export class ChainWalk {
  opening: Opening | undefined;
  recordingId: string | undefined;
  headSha256: string | undefined;
  segments = 0;
  frames = 0;
  bytes = 0;
  lastTimeUs = 0;
  readonly #manifest: Manifest | undefined;
  readonly #findings: Findings;
  readonly #trustedKeys: readonly Uint8Array[] | undefined;
  readonly #rewrapped: readonly WrappedKeys[];
  readonly #frameWalk: FrameWalk;
  readonly #placeOf = new Map<string, number>();
  /** Places whose own segment stands there. */
  readonly #filled = new Set<number>();
  /** Segments found where they do not belong: reordered if their own place lacks them, duplicated if not. */
  readonly #strays: { found: string; segment: number | undefined; belongs: number }[] = [];
  readonly #foreign = new Set<string>();
  readonly #lostIn = new Map<RecordingBreak, number>();
  #signer: string | undefined;
  #before: Before | undefined = { sha256: noHash, lastSeq: -1, lastTimeUs: 0 };

  constructor(fields: {
    manifest: Manifest | undefined;
    findings: Findings;
    trustedKeys: readonly Uint8Array[] | undefined;
    /** Keys wrapped again, newest first. */
    rewrapped: readonly WrappedKeys[];
    openers: readonly KeyOpener[] | undefined;
    zstd: Zstd;
    expectedId: string | undefined;
  }) {
    const { manifest, findings } = fields;
    this.#manifest = manifest;
    this.#findings = findings;
    this.#trustedKeys = fields.trustedKeys;
    this.#rewrapped = fields.rewrapped;
    this.#frameWalk = new FrameWalk(fields);
    this.#signer = manifest?.signer.publicKey;
    this.recordingId = manifest?.recordingId ?? fields.expectedId;
    for (const entry of manifest?.segments ?? []) this.#placeOf.set(entry.sha256, entry.n);
  }

  absent(n: number): void {
    const entry = this.#manifest?.segments[n];
    if (!entry || !this.#isStated(entry.firstSeq, entry.lastSeq, entry.frames))
      this.#findings.add("segment_missing", undefined, n);
    this.#pass(n);
  }

  /** Judges the object in place `n`; `undefined` is one that could not be read, which was said already. */
  async take(n: number, bytes: Uint8Array | undefined): Promise<void> {
    const good = bytes && (await this.#judge(n, bytes));
    if (!good) return this.#pass(n);
    const { header } = good.parts;
    this.#filled.add(n);
    this.segments++;
    this.frames += header.frames;
    this.bytes += bytes.length;
    this.lastTimeUs = Math.max(this.lastTimeUs, header.lastTimeUs);
    this.headSha256 = toHex(good.sha256);
    this.#before = { sha256: good.sha256, lastSeq: header.lastSeq, lastTimeUs: header.lastTimeUs };
  }

  /** Judges an object that no place asked for. */
  async extra(name: string, bytes: Uint8Array): Promise<void> {
    const belongs = this.#placeOf.get(toHex(await sha256(bytes)));
    if (belongs !== undefined) {
      this.#strays.push({ found: name, segment: undefined, belongs });
      return;
    }
    let parts: SegmentParts;
    try {
      parts = parseSegment(bytes);
    } catch (error) {
      this.#findings.add("segment_malformed", `${name}: ${messageOf(error)}`);
      return;
    }
    const { recordingId, n } = parts.header;
    const trusted = (await signatureOf(parts)) === "valid" && this.#isTrusted(parts);
    if (this.recordingId !== undefined && recordingId !== this.recordingId)
      this.#findings.add("segment_foreign", `${name} is of ${recordingId}`);
    else if (this.#manifest && trusted && n >= this.#manifest.segments.length)
      this.#findings.add("manifest_replayed", `${name} is the recording's segment ${n}, beyond the end`);
    else if (!this.#manifest && trusted) this.#strays.push({ found: name, segment: undefined, belongs: n });
    else this.#findings.add("segment_unlisted", name);
  }

  finish(): void {
    for (const { found, segment, belongs } of this.#strays) {
      const twice = this.#filled.has(belongs);
      this.#findings.add(
        twice ? "segment_duplicated" : "segment_reordered",
        `${found} is segment ${belongs}`,
        segment,
      );
    }
    if (this.#manifest && this.#filled.size === 0 && this.#foreign.size === 1)
      this.#findings.add("manifest_foreign", `the segments are of ${[...this.#foreign][0]}`);
    this.#frameWalk.finish(this.#manifest, this.#filled.size);
  }

  decrypted() {
    return this.#frameWalk.result();
  }

  /** Whether the manifest says that so many frames of this span were lost, and no more than it says. */
  #isStated(firstSeq: number, lastSeq: number, frames: number): boolean {
    const stated = this.#manifest && breakOf(this.#manifest, firstSeq, lastSeq);
    if (!stated) return false;
    const lost = (this.#lostIn.get(stated) ?? 0) + frames;
    this.#lostIn.set(stated, lost);
    return lost <= stated.frames;
  }

  /** Goes past a place whose segment cannot be trusted: the manifest still says what it was. */
  #pass(n: number): void {
    const entry = this.#manifest?.segments[n];
    this.#before = entry && { sha256: entry.sha256, lastSeq: entry.lastSeq, lastTimeUs: entry.lastTimeUs };
    this.#frameWalk.pass();
  }

  async #judge(
    n: number,
    bytes: Uint8Array,
  ): Promise<{ parts: SegmentParts; sha256: Uint8Array } | undefined> {
    const hash = await sha256(bytes);
    const entry = this.#manifest?.segments[n];
    const listed = entry === undefined || toHex(hash) === entry.sha256;
    const belongs = this.#placeOf.get(toHex(hash));
    if (!listed && belongs !== undefined) return this.#stray(n, belongs);

    let parts: SegmentParts;
    try {
      parts = parseSegment(bytes);
    } catch (error) {
      this.#nameBroken(n, bytes, entry, error);
      return undefined;
    }
    const signature = await signatureOf(parts);
    const { header } = parts;
    if (signature === "valid") {
      this.recordingId ??= header.recordingId;
      if (header.recordingId !== this.recordingId) {
        this.#foreign.add(header.recordingId);
        this.#findings.add("segment_foreign", `it is of ${header.recordingId}`, n);
        return undefined;
      }
      if (!this.#manifest && header.n !== n) return this.#stray(n, header.n);
    }
    if (!listed || signature === "invalid") {
      this.#findings.add("segment_altered", listed ? "its signature does not match" : undefined, n);
      return undefined;
    }
    if (signature === "unsigned") this.#findings.add("segment_unsigned", undefined, n);
    else if (!this.#isTrusted(parts)) this.#findings.add("wrong_signer", undefined, n);
    if (entry && !agrees(entry, header, bytes.length))
      this.#findings.add("manifest_inconsistent", "its line differs from the segment's own header", n);
    this.#judgeLink(header, n);
    if (n === 0) await this.#open(header);
    await this.#frameWalk.take(parts, n);
    return { parts, sha256: hash };
  }

  #stray(n: number, belongs: number): undefined {
    this.#strays.push({ found: "what stands here", segment: n, belongs });
  }

  #nameBroken(n: number, bytes: Uint8Array, entry: SegmentEntry | undefined, error: unknown): void {
    const short = entry ? bytes.length < entry.bytes : isGatehouseError(error, "protocol");
    if (short) this.#findings.add("segment_truncated", undefined, n);
    else this.#findings.add(entry ? "segment_altered" : "segment_malformed", messageOf(error), n);
  }

  #judgeLink(header: SegmentHeader, n: number): void {
    const before = this.#before;
    if (before) {
      const linked =
        typeof before.sha256 === "string"
          ? before.sha256 === toHex(header.previousSha256)
          : equalBytes(before.sha256, header.previousSha256);
      if (!linked) this.#findings.add("chain_broken", undefined, n);
      const lost = header.firstSeq - before.lastSeq - 1;
      if (lost > 0 && !this.#isStated(before.lastSeq + 1, header.firstSeq - 1, lost))
        this.#findings.add("seq_gap", `${lost} before sequence ${header.firstSeq}`, n);
      if (lost < 0) this.#findings.add("seq_repeated", `sequence ${header.firstSeq}`, n);
      if (header.firstTimeUs < before.lastTimeUs) this.#findings.add("time_backwards", undefined, n);
    }
    const lost = header.lastSeq - header.firstSeq + 1 - header.frames;
    if (lost > 0 && !this.#isStated(header.firstSeq, header.lastSeq, lost))
      this.#findings.add("seq_gap", `${lost} between ${header.firstSeq} and ${header.lastSeq}`, n);
  }

  async #open(header: SegmentHeader): Promise<void> {
    try {
      this.opening = decodeOpening(header.opening);
    } catch (error) {
      this.#findings.add("segment_malformed", messageOf(error), 0);
    }
    const opening = this.opening;
    if (opening && opening.facts.sessionId !== this.recordingId)
      this.#findings.add("segment_malformed", "its opening names another session", 0);
    const manifest = this.#manifest;
    if (opening && manifest) {
      const same = (a: unknown, b: unknown) => canonicalJson(asJson(a)) === canonicalJson(asJson(b));
      if (!same(opening.facts, manifest.facts))
        this.#findings.add("manifest_inconsistent", "its facts are not those of segment 0");
      if (!same(opening.keys, manifest.keys))
        this.#findings.add("manifest_inconsistent", "its keys are not those of segment 0");
    }
    const from = manifest ?? opening;
    if (from && this.recordingId !== undefined)
      await this.#frameWalk.open(this.recordingId, [...this.#rewrapped, from.keys]);
  }

  /** With trusted keys, those; without, whoever signed the manifest, or else the first segment, signed all. */
  #isTrusted(parts: SegmentParts): boolean {
    const key = parts.signature?.publicKey;
    if (!key) return false;
    if (this.#trustedKeys) return this.#trustedKeys.some((trusted) => equalBytes(trusted, key));
    this.#signer ??= toBase64(key);
    return toBase64(key) === this.#signer;
  }
}

async function signatureOf(parts: SegmentParts): Promise<SignatureVerdict> {
  if (!parts.signature) return "unsigned";
  const { publicKey, bytes } = parts.signature;
  const good = await verifyAs("segment", publicKey, bytes, await sha256(parts.signedBytes));
  return good ? "valid" : "invalid";
}

function agrees(entry: SegmentEntry, header: SegmentHeader, bytes: number): boolean {
  return (
    entry.bytes === bytes &&
    entry.n === header.n &&
    entry.type === header.type &&
    entry.frames === header.frames &&
    entry.firstSeq === header.firstSeq &&
    entry.lastSeq === header.lastSeq &&
    entry.firstTimeUs === header.firstTimeUs &&
    entry.lastTimeUs === header.lastTimeUs
  );
}
