import { assert, type Clock, type GatehouseError, messageOf, type Timer } from "@gatehouse/kernel";
import { type Frame, type FrameKind, frameLimits, type Lane, laneOf } from "../frame.ts";
import type { LaneSealer } from "../lane-sealer.ts";
import { encodeOpening, type Opening } from "../opening.ts";
import { encodeRecordParts } from "../record.ts";
import { encodeSessionEnd } from "../tracks/session-payloads.ts";
import type { RecordingWriter } from "./door.ts";
import type { FrameMemory } from "./frame-memory.ts";
import { type Entry, entryOf } from "./journal-layout.ts";
import type { JournalSeat } from "./journal-room.ts";
import type { EntrySource, Journal, JournalFile } from "./journal.ts";
import type { PipelineLimits } from "./limits.ts";
import { unavailable } from "./unavailable.ts";

/** Frames that were committed and become one segment. */
export type Batch = {
  readonly frames: Frame[];
  bytes: number;
  /** What they take of the journal's room until they are in the spool. */
  cost: number;
  readonly pins: Set<JournalFile>;
};

type Item = Frame | { readonly opening: Opening };

/** Below this `ready` resolves; where sessions have little room of their own, below half of that. */
const pendingBytesLow = 256 * 1024;
/** A journal under pressure from which nobody has given anything back for so long will not be relieved by waiting. */
const stallMs = 10_000;
/** A frame's share of record and group headers, on the safe side. */
const frameOverheadBytes = 128;
const costOf = (frame: Frame) => frame.data.length + frameOverheadBytes;

export type LiveRecordingOptions = {
  opening: Opening;
  sealers: Readonly<Record<Lane, LaneSealer>>;
  journal: Journal;
  seat: JournalSeat;
  memory: FrameMemory;
  clock: Clock;
  limits: Pick<PipelineLimits, "segmentBytes" | "segmentFramesMax" | "segmentAgeMs" | "sessionReserveBytes">;
  /** Whether writers should wait, and why nothing may be appended at all now. */
  pressed(): boolean;
  refusal(): GatehouseError | undefined;
  /** A batch is complete; batches are sealed in this order. */
  full(batch: Batch): void;
  /** Called after each commit, with what is durable now. */
  kept(frames: readonly Frame[]): void;
  /** The writer has died: what it committed is to be closed as interrupted. */
  died(error: GatehouseError): void;
  /** Called once by `close`, when everything appended has settled and the last batch was handed over. */
  finish(end: {
    reason: string;
    detail?: string;
  }): Promise<{ headSha256: string; frames: number; bytes: number }>;
};

/** One session's recording while it is written: gives frames their number and moment, commits them, gathers segments. */
export class LiveRecording implements RecordingWriter, EntrySource<Item> {
  readonly #options: LiveRecordingOptions;
  readonly #startedUs: number;
  readonly #lowBytes: number;
  #nextSeq = 0;
  #lastKind: FrameKind | undefined;
  #uncommittedBytes = 0;
  #uncommittedFrames = 0;
  #batch: Batch = newBatch();
  #ageTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #dead: GatehouseError | undefined;
  #closing: ReturnType<RecordingWriter["close"]> | undefined;
  #waiting: (() => void)[] = [];
  #drained: (() => void)[] = [];

  constructor(options: LiveRecordingOptions) {
    this.#options = options;
    this.#startedUs = options.clock.monotonicUs();
    this.#lowBytes = Math.min(pendingBytesLow, options.limits.sessionReserveBytes / 2);
  }

  get sessionId(): string {
    return this.#options.opening.facts.sessionId;
  }
  get pendingBytes(): number {
    // A dead writer holds nobody back: `ready` resolves at once, and who asked again for ever would never hear why.
    if (this.#dead) return 0;
    return this.#uncommittedBytes + (this.#options.pressed() ? this.#options.seat.takenBytes : 0);
  }
  elapsedUs(): number {
    return this.#options.clock.monotonicUs() - this.#startedUs;
  }

  /** The journal's first words on this recording: whose it is and who can open it. */
  begin(sessionStart: Uint8Array): Promise<void> {
    const { journal, opening } = this.#options;
    // A group holds items in their order, and groups are in theirs, so the second settles after the first.
    void journal.append<Item>(this, { opening }, encodeOpening(opening).length).catch(() => {});
    return this.append("session.start", 0, sessionStart);
  }

  append(kind: FrameKind, stream: number, data: Uint8Array): Promise<void> {
    const { journal, seat, memory } = this.#options;
    const refusal = this.#dead ?? (this.#closing ? closed() : this.#options.refusal());
    if (refusal) return this.#refuse(refusal);
    if (data.length > Math.min(frameLimits.dataBytesMax, journal.itemBytesMax))
      return this.#refuse(
        unavailable("journal.append", `a frame of ${data.length} bytes is too large for the journal`),
      );
    const frame: Frame = {
      seq: this.#nextSeq,
      timeUs: this.elapsedUs(),
      kind,
      stream,
      // Kept until the segment is sealed, while the caller may use its buffer again after the commit.
      data: memory.copy(data),
    };
    const cost = costOf(frame);
    if (!seat.take(cost))
      return this.#refuse(
        unavailable("journal.append", "the journal is full", "The store or the spool may be slow or down."),
      );
    this.#nextSeq++;
    this.#lastKind = kind;
    this.#uncommittedBytes += cost;
    this.#uncommittedFrames++;
    return journal.append<Item>(this, frame, cost);
  }

  ready(): Promise<void> {
    if (this.#dead || this.pendingBytes <= this.#lowBytes) return Promise.resolve();
    // Under pressure it is space in the journal that is waited for, and a segment gives it back.
    if (this.#options.pressed()) this.cut();
    if (!this.#stallTimer) this.#watchStall();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets those go on who wait in `ready`, where they may. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    this.#stallTimer?.cancel();
    this.#stallTimer = undefined;
    if (!this.#dead && this.pendingBytes > this.#lowBytes) this.#watchStall();
    else for (const resolve of this.#waiting.splice(0)) resolve();
  }

  close(end: { reason: string; detail?: string }): ReturnType<RecordingWriter["close"]> {
    // `#close` appends before its first await, and so before `#closing` refuses all further frames.
    this.#closing ??= this.#close(end);
    return this.#closing;
  }

  /** Hands over what has gathered, whatever its size. */
  cut(): void {
    this.#ageTimer?.cancel();
    this.#ageTimer = undefined;
    if (this.#batch.frames.length === 0) return;
    const batch = this.#batch;
    this.#batch = newBatch();
    this.#options.full(batch);
  }

  pinsGathered(file: JournalFile): boolean {
    return this.#batch.pins.has(file);
  }

  /** Resolves when nothing of this recording is on its way to the journal. */
  async drained(): Promise<void> {
    if (this.#uncommittedFrames > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  encode(items: readonly Item[]): readonly Entry[] {
    const { sealers, memory } = this.#options;
    const entries: Entry[] = [];
    const main: Frame[] = [];
    const input: Frame[] = [];
    for (const item of items)
      if ("opening" in item) entries.push(entryOf("opening", [encodeOpening(item.opening)]));
      else if (laneOf(item.kind) === "main") main.push(item);
      else input.push(item);
    if (main.length > 0)
      entries.push(entryOf("record", encodeRecordParts(sealers.main, main, memory.scratch)));
    if (input.length > 0)
      entries.push(entryOf("record", encodeRecordParts(sealers.input, input, memory.scratch)));
    return entries;
  }

  committed(items: readonly Item[], file: JournalFile): void {
    const { limits, clock } = this.#options;
    const batch = this.#batch;
    const frames: Frame[] = [];
    for (const item of items) {
      if ("opening" in item) continue;
      frames.push(item);
      batch.frames.push(item);
      const cost = costOf(item);
      batch.bytes += item.data.length;
      batch.cost += cost;
      this.#uncommittedBytes -= cost;
      this.#uncommittedFrames--;
    }
    if (!batch.pins.has(file)) {
      batch.pins.add(file);
      file.pins++;
    }
    // Between commits only: a record cannot be divided by a recovery that cannot open it.
    if (batch.bytes >= limits.segmentBytes || batch.frames.length >= limits.segmentFramesMax) this.cut();
    else if (batch.frames.length > 0 && !this.#ageTimer)
      this.#ageTimer = clock.after(limits.segmentAgeMs, () => this.cut());
    this.#options.kept(frames);
    this.#settled();
  }

  failed(items: readonly Item[], error: GatehouseError): void {
    for (const item of items) {
      if ("opening" in item) continue;
      const cost = costOf(item);
      this.#uncommittedBytes -= cost;
      this.#uncommittedFrames--;
      this.#options.seat.give(cost);
    }
    this.#die(error);
    this.#settled();
  }

  async #close(end: { reason: string; detail?: string }): ReturnType<RecordingWriter["close"]> {
    if (this.#dead) throw this.#dead;
    try {
      if (this.#lastKind !== "session.end") await this.append("session.end", 0, encodeSessionEnd(end));
    } catch (error) {
      // Such as an end that cannot be written down: it must not keep the rest from being closed.
      this.#die(unavailable("pipeline.close", messageOf(error), undefined, error));
      throw error;
    }
    await this.drained();
    if (this.#dead) throw this.#dead;
    this.cut();
    return this.#options.finish(end);
  }

  #refuse(error: GatehouseError): Promise<void> {
    if (!this.#closing) this.#die(error);
    return Promise.reject(error);
  }

  #die(error: GatehouseError): void {
    if (this.#dead) return;
    this.#dead = error;
    this.wake();
    this.#options.died(error);
  }

  /** Whoever waits must not wait for ever: a session that stands still, and does not say why, helps nobody. */
  #watchStall(): void {
    this.#stallTimer = this.#options.clock.after(stallMs, () => {
      this.#stallTimer = undefined;
      if (this.#dead || this.#waiting.length === 0) return;
      // What waits for a commit, and not for room, is told by the journal itself.
      if (!this.#options.pressed()) return this.#watchStall();
      this.#die(
        unavailable(
          "journal.append",
          `the journal has been full for ${stallMs / 1000} seconds`,
          "The store or the spool may be slow, full or down.",
        ),
      );
    });
  }

  #settled(): void {
    this.wake();
    if (this.#uncommittedFrames > 0) return;
    assert(this.#uncommittedBytes === 0, "every frame's cost was given back");
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

const newBatch = (): Batch => ({ frames: [], bytes: 0, cost: 0, pins: new Set() });
const closed = () => unavailable("journal.append", "the recording is closed");
