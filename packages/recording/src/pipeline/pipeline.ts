import { createHash } from "node:crypto";
import { dirname } from "node:path";
import {
  assert,
  type Clock,
  type GatehouseError,
  isGatehouseError,
  messageOf,
  type Random,
} from "@gatehouse/kernel";
import type { Lane, SessionFacts } from "../frame.ts";
import { LaneSealer } from "../lane-sealer.ts";
import { nodeSealCrypto } from "../node/seal-crypto.ts";
import { recordingIdBytes } from "../recording-id.ts";
import { signManifest } from "../manifest.ts";
import type { RecordingSigner, SealCrypto } from "../seal-crypto.ts";
import { encodeSessionStart } from "../tracks/session-payloads.ts";
import { type KeyWrapper, type RecordingKeys, wrapKeys } from "../wrapped-keys.ts";
import { type Disk, writeWhole } from "./disk.ts";
import type {
  GrowingRecording,
  ObjectStore,
  PipelineStatus,
  RecordingChange,
  RecordingPipeline,
  RecordingWriter,
  RecoveredRecording,
} from "./door.ts";
import { FrameMemory } from "./frame-memory.ts";
import { journalFileNames, makeJournalFile, numberOf, openJournalFile } from "./journal-files.ts";
import { entryOf } from "./journal-layout.ts";
import { JournalRoom, type JournalSeat } from "./journal-room.ts";
import { type EntrySource, Journal, type JournalFile } from "./journal.ts";
import { type PipelineLimits, pipelineLimits } from "./limits.ts";
import { type Batch, LiveRecording } from "./live-recording.ts";
import { lockDirectory } from "./lock.ts";
import type { PipelineLog } from "./log.ts";
import { nodeDisk } from "./node-disk.ts";
import { RecordingSoFar } from "./recording-so-far.ts";
import { RecordingSealer } from "./recording-sealer.ts";
import { RecoveredNotes } from "./recovered-notes.ts";
import { type Recovery, recoverRecordings } from "./recovery.ts";
import { objectPrefix, Shipper } from "./shipper.ts";
import { Spool } from "./spool.ts";
import { StoreHealth } from "./store-health.ts";
import { unavailable } from "./unavailable.ts";
import { pause, Slots } from "./waiting.ts";

export type PipelineOptions = {
  /** The pipeline's own: `lock`, `journal/`, `spool/`, `recovered/`, `damaged/`. On a local disk. */
  directory: string;
  store: ObjectStore;
  clock: Clock;
  random: Random;
  signer: RecordingSigner;
  /** For whom the keys are wrapped: what was shown, and what was typed. At least one each. */
  recipients: { main: readonly KeyWrapper[]; input: readonly KeyWrapper[] };
  limits?: Partial<PipelineLimits>;
  log: PipelineLog;
  /** Another file system, for tests. */
  disk?: Disk;
  /** How the directory is taken for this process alone; tests with a file system of their own pass another. */
  lock?: (directory: string) => { release(): void };
};

export function createPipeline(options: PipelineOptions): RecordingPipeline {
  return new Pipeline(options);
}

class Pipeline implements RecordingPipeline {
  readonly #options: PipelineOptions;
  readonly #limits: PipelineLimits;
  readonly #disk: Disk;
  readonly #crypto: SealCrypto;
  readonly #stopping = new AbortController();
  readonly #spool: Spool;
  readonly #notes: RecoveredNotes;
  readonly #health: StoreHealth;
  readonly #shipper: Shipper;
  readonly #sealSlots = new Slots(2);
  readonly #listeners = new Set<(change: RecordingChange) => void>();
  readonly #memory = new FrameMemory();
  readonly #live = new Set<LiveRecording>();
  readonly #sealers = new Set<RecordingSealer>();
  readonly #growing = new Map<string, RecordingSoFar>();
  #lock: { release(): void } | undefined;
  #journal: Journal | undefined;
  #room: JournalRoom | undefined;
  #spoolFailure: GatehouseError | undefined;
  #filling: Promise<void> | undefined;
  #fillFailure: string | undefined;
  #recoverFailure: string | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#limits = pipelineLimits(options.limits ?? {});
    this.#disk = options.disk ?? nodeDisk;
    this.#crypto = { ...nodeSealCrypto, random: (length) => options.random.bytes(length) };
    const disk = this.#disk;
    const { clock, log, store } = options;
    this.#spool = new Spool({ disk, directory: this.#path("spool"), damaged: this.#path("damaged") });
    this.#notes = new RecoveredNotes({ disk, directory: this.#path("recovered") });
    this.#health = new StoreHealth({ store, clock, log, ...this.#limits });
    this.#shipper = new Shipper({
      spool: this.#spool,
      store,
      health: this.#health,
      clock,
      log,
      signal: this.#stopping.signal,
      ...this.#limits,
      forget: (sessionId) => this.#forget(sessionId),
      restate: async ({ facts, state, end, keys, segments }, breaks) => {
        const signed = await signManifest(
          { facts, state, end, keys, segments, breaks },
          this.#options.signer,
        );
        await this.#spool.addManifest(facts.sessionId, signed.bytes);
        return signed;
      },
      stored: (sessionId, { headSha256, frames, breaks }, bytes) => {
        const detail = breaks?.map(({ reason }) => reason).join("; ");
        const figures = { sessionId, headSha256, frames, bytes };
        this.#tell(
          detail === undefined ? { ...figures, state: "stored" } : { ...figures, state: "corrupt", detail },
        );
      },
      troubled: (sessionId, detail) => this.#tell({ sessionId, state: "corrupt", detail }),
      shrunk: () => this.#wake(),
    });
  }

  async recover(): Promise<readonly RecoveredRecording[]> {
    assert(!this.#journal, "recovery happens once");
    const files: JournalFile[] = [];
    try {
      return await this.#recover(files);
    } catch (error) {
      for (const file of files) await file.handle.close().catch(() => {});
      await this.#spool.close();
      this.#lock?.release();
      this.#lock = undefined;
      this.#journal = undefined;
      this.#recoverFailure = messageOf(error);
      if (isGatehouseError(error)) throw error;
      throw unavailable(
        "pipeline.recover",
        `the journal cannot be used (${messageOf(error)})`,
        undefined,
        error,
      );
    }
  }

  async #recover(files: JournalFile[]): Promise<readonly RecoveredRecording[]> {
    for (const name of ["", "journal", "spool", "recovered"])
      await this.#disk.makeDirectory(this.#path(name));
    // A directory that a power cut takes away takes all that is in it.
    for (const directory of [this.#options.directory, dirname(this.#options.directory)])
      await this.#disk.syncDirectory(directory);
    this.#lock = (this.#options.lock ?? lockDirectory)(this.#options.directory);
    const directory = this.#path("journal");
    for (const name of await journalFileNames(this.#disk, directory))
      files.push(await openJournalFile(this.#disk, directory, name));
    const { clock, random, signer } = this.#options;
    const recovery = await recoverRecordings({
      files,
      spool: this.#spool,
      notes: this.#notes,
      signer,
      crypto: this.#crypto,
      clock,
    });
    await this.#keepDamaged(recovery.worthKeeping);
    const journal = new Journal({ clock, random, ...this.#limits }, recovery.scan);
    for (const file of recovery.scan.files) journal.add(file);
    this.#journal = journal;
    this.#room = new JournalRoom(journal, this.#limits.unsealedBytesMax);
    // Two files are enough to begin with; the rest is made while sessions already come.
    await this.#fillJournal(2 * this.#limits.journalFileBytes);
    const recovered = await this.#notes.all();
    this.#report(recovery);
    await this.#shipSpool(new Set(recovery.interrupted));
    this.#health.watch();
    void this.#health.probe();
    void this.#fill();
    return recovered;
  }

  /** The journal will write over its files; what is damaged may still tell a person something. */
  async #keepDamaged(files: Iterable<JournalFile>): Promise<void> {
    for (const file of files) {
      const directory = this.#path("damaged");
      const bytes = await file.handle.read(0, file.bytes);
      const name = `${file.name}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
      await this.#disk.makeDirectory(directory);
      if ((await this.#disk.list(directory)).includes(name)) continue;
      await writeWhole(this.#disk, directory, name, bytes);
      this.#options.log.error("a damaged file of the journal was copied aside", {
        copy: `${directory}/${name}`,
      });
    }
  }

  #report(recovery: Recovery): void {
    const { log } = this.#options;
    for (const { kind, file, at, message } of recovery.scan.findings)
      log[kind === "torn" ? "warn" : "error"](`journal: ${message}`, { file, at });
    for (const problem of recovery.problems) log.error(`journal: ${problem}`, {});
    for (const sessionId of recovery.interrupted) this.#tell({ sessionId, state: "interrupted" });
    for (const { sessionId, detail } of recovery.corrupt) {
      log.error("a recording cannot be recovered; what there is of it is kept", {
        session: sessionId,
        detail,
      });
      this.#tell({ sessionId, state: "corrupt", detail });
    }
  }

  confirmRecovered(sessionId: string): Promise<void> {
    return this.#notes.remove(sessionId);
  }

  async admissible(): Promise<void> {
    (await this.#sit()).leave();
  }

  async open(facts: SessionFacts): Promise<RecordingWriter> {
    const seat = await this.#sit();
    let recording: LiveRecording | undefined;
    try {
      const { random, recipients } = this.#options;
      const keys = { main: random.bytes(32), input: random.bytes(32) };
      const recordingId = facts.sessionId;
      const wrapped = await wrapKeys(recordingId, keys, recipients, (error) =>
        this.#options.log.error("a recording's key could not be wrapped for one of its recipients", {
          session: recordingId,
          error: messageOf(error),
        }),
      );
      const opening = { facts, keys: wrapped };
      const sealerOf = (lane: Lane) =>
        new LaneSealer({ recordingId, lane, key: keys[lane], crypto: this.#crypto });
      const sealers = { main: sealerOf("main"), input: sealerOf("input") };
      recording = this.#begin(opening, keys, sealers, seat);
      await recording.begin(encodeSessionStart(facts));
      this.#tell({ sessionId: facts.sessionId, state: "recording" });
      return recording;
    } catch (error) {
      // A writer that was begun has died and gives its seat back itself.
      if (!recording) seat.leave();
      if (isGatehouseError(error, "recording_unavailable")) throw error;
      throw unavailable(
        "pipeline.open",
        `the recording could not be begun (${messageOf(error)})`,
        undefined,
        error,
      );
    }
  }

  growing(sessionId: string): GrowingRecording | undefined {
    return this.#growing.get(sessionId);
  }

  onState(listener: (change: RecordingChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): PipelineStatus {
    const journal = this.#journal;
    const room = this.#room;
    const failure = journal?.failure?.message ?? this.#fillFailure ?? this.#spoolFailure?.message;
    const { lastError: storeError, lastProbe, reachable, failedForMs } = this.#health;
    const { lastError } = this.#shipper;
    return {
      journal: {
        capacityBytes: journal?.capacityBytes ?? 0,
        usedBytes: journal ? journal.capacityBytes - journal.freeBytes : 0,
        reservedBytes: room?.heldBytes ?? 0,
        ...(failure !== undefined && { failure }),
      },
      shipping: {
        waitingSegments: this.#spool.usedFiles,
        waitingBytes: this.#spool.usedBytes,
        ...(lastError !== undefined && { lastError }),
      },
      store: {
        reachable,
        ...(storeError !== undefined && { lastError: storeError }),
        ...(failedForMs !== undefined && { failedForMs }),
        ...(lastProbe && { probe: lastProbe }),
      },
    };
  }

  stop(options: { deadlineMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(options.deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const deadline = new AbortController();
    await Promise.race([this.#shipper.settled(), pause(this.#options.clock, deadlineMs, deadline.signal)]);
    deadline.abort();
    this.#stopping.abort();
    this.#health.stop();
    await this.#filling;
    // A segment that is being written is written to its end; what waits stays in the journal for the next start.
    await Promise.all([...this.#sealers].map((sealer) => sealer.settled()));
    await this.#journal?.close();
    await this.#spool.close();
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Fail-closed: room in the journal for a session, once everything else that it depends on has been seen to work. */
  async #sit(): Promise<JournalSeat> {
    const op = "pipeline.admit";
    if (this.#stopped) throw unavailable(op, "the gate is stopping");
    const journal = this.#journal;
    const room = this.#room;
    if (!journal || !room)
      throw unavailable(op, this.#recoverFailure ?? "the gate has not yet recovered what the last run left");
    if (journal.failure) await journal.revive();
    const refusal = this.#refusal() ?? this.#spoolFailure;
    if (refusal) throw refusal;
    await this.#health.require();
    const { sessionReserveBytes } = this.#limits;
    const seat = room.sit(sessionReserveBytes);
    if (seat) return seat;
    // The journal may not have all its files yet.
    await this.#fill();
    const second = room.sit(sessionReserveBytes);
    if (second) return second;
    const why = this.#fillFailure === undefined ? "" : ` (${this.#fillFailure})`;
    throw unavailable(op, `the journal has no room for another session${why}`);
  }

  /** Why nothing may be appended now, whoever asks. */
  #refusal(): GatehouseError | undefined {
    if (this.#journal?.failure) return this.#journal.failure;
    if (this.#spool.usedBytes < this.#limits.spoolBytesMax) return undefined;
    return unavailable(
      "journal.append",
      `${this.#spool.usedBytes} bytes wait for the store, which is all that may wait`,
      "The store is slow or down; sessions are admitted again when it has taken them.",
    );
  }

  #begin(
    opening: { facts: SessionFacts; keys: Awaited<ReturnType<typeof wrapKeys>> },
    keys: RecordingKeys,
    sealers: Readonly<Record<Lane, LaneSealer>>,
    seat: JournalSeat,
  ): LiveRecording {
    const { clock, log, signer } = this.#options;
    const { sessionId } = opening.facts;
    const prefix = objectPrefix(opening.facts);
    const journal = this.#journal as Journal;
    const room = this.#room as JournalRoom;
    let spoolTrouble: (error: GatehouseError) => void = () => {};
    const soFar = new RecordingSoFar({
      sessionId,
      prefix,
      keys,
      spool: this.#spool,
      store: this.#options.store,
      elapsedUs: () => recording.elapsedUs(),
      log,
    });
    const sealer = new RecordingSealer({
      memory: this.#memory,
      opening,
      sealers,
      signer,
      crypto: this.#crypto,
      spool: this.#spool,
      slots: this.#sealSlots,
      retry: { clock, signal: this.#stopping.signal, ...this.#limits },
      log,
      spooled: (batch, segment) => {
        soFar.sealed(segment.entry);
        this.#release(batch, seat);
        this.#shipper.segment(opening.facts, segment.entry, segment.bytes);
      },
      heard: (error) => {
        this.#spoolFailure =
          error === undefined
            ? undefined
            : unavailable(
                "pipeline.seal",
                `the spool cannot be written (${messageOf(error)})`,
                undefined,
                error,
              );
        if (this.#spoolFailure) spoolTrouble(this.#spoolFailure);
      },
    });
    const finish = async (state: "complete" | "interrupted", end: { reason: string; detail?: string }) => {
      this.#growing.delete(sessionId);
      soFar.close();
      const signed = await sealer.finish(state, { ...end, at: new Date(clock.nowMs()).toISOString() });
      seat.leave();
      this.#live.delete(recording);
      this.#sealers.delete(sealer);
      if (!signed) return undefined;
      this.#tell({ sessionId, state: state === "complete" ? "shipping" : "interrupted" });
      this.#shipper.manifest(signed.manifest, signed.bytes);
      return signed;
    };
    /** What was committed is sealed and shipped; the writer's last group may still be on its way. */
    const salvage = async (error: GatehouseError) => {
      await recording.drained();
      recording.cut();
      await finish("interrupted", { reason: "recording_unavailable", detail: error.message });
    };
    const recording = new LiveRecording({
      opening,
      sealers,
      journal,
      seat,
      memory: this.#memory,
      clock,
      limits: this.#limits,
      pressed: () => room.pressed,
      refusal: () => this.#refusal(),
      full: (batch) => sealer.seal(batch),
      kept: (frames) => {
        soFar.committed(frames);
        this.#relieve();
      },
      died: (error) => {
        log.error("a session's recording ended early", { session: sessionId, error: error.message });
        void salvage(error);
      },
      finish: async (end) => {
        const { promise, reject } = Promise.withResolvers<never>();
        spoolTrouble = reject;
        if (this.#spoolFailure) reject(this.#spoolFailure);
        const signed = await Promise.race([finish("complete", end), promise]);
        if (!signed) throw unavailable("pipeline.close", "the gate stopped before the recording was sealed");
        const { headSha256, frames, bytes } = signed.manifest;
        return { headSha256, frames, bytes: bytes + signed.bytes.length };
      },
    });
    this.#live.add(recording);
    this.#sealers.add(sealer);
    this.#growing.set(sessionId, soFar);
    return recording;
  }

  #release(batch: Batch, seat: JournalSeat): void {
    seat.give(batch.cost);
    for (const frame of batch.frames) this.#memory.release(frame.data);
    for (const file of batch.pins) (this.#journal as Journal).release(file);
    this.#wake();
  }

  /** Files are given back oldest first: under pressure, whoever still holds the oldest is sealed early. */
  #relieve(): void {
    const oldest = this.#journal?.oldest;
    if (!oldest || !this.#room?.pressed) return;
    for (const recording of this.#live) if (recording.pinsGathered(oldest)) recording.cut();
  }

  #wake(): void {
    for (const recording of this.#live) recording.wake();
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#fillJournal(this.#limits.journalCapacityBytes).finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** Makes files until they take so much of the disk. A failure is told at the next admission, which tries again. */
  async #fillJournal(wantedBytes: number): Promise<void> {
    const { journalFileBytes } = this.#limits;
    const journal = this.#journal as Journal;
    const directory = this.#path("journal");
    try {
      let number = Math.max(0, ...(await journalFileNames(this.#disk, directory)).map(numberOf));
      while (journal.fileBytes + journalFileBytes <= wantedBytes && !this.#stopping.signal.aborted) {
        const name = await makeJournalFile(this.#disk, directory, ++number, journalFileBytes);
        journal.add(await openJournalFile(this.#disk, directory, name));
      }
      this.#fillFailure = undefined;
    } catch (error) {
      this.#fillFailure = `the journal could not take its room on the disk: ${messageOf(error)}`;
      this.#options.log.error("the journal could not take its room on the disk", { error: messageOf(error) });
    }
  }

  /** After a start: whatever the spool holds goes on its way. */
  async #shipSpool(interrupted: ReadonlySet<string>): Promise<void> {
    for (const { sessionId, manifest, waiting, damage } of await this.#spool.survey()) {
      if (!manifest || damage !== undefined) continue;
      const { content } = manifest;
      const names = new Set(waiting);
      for (const entry of content.segments) {
        const isLost = content.breaks?.some(
          (one) =>
            one.firstSeq === entry.firstSeq && one.lastSeq === entry.lastSeq && one.frames === entry.frames,
        );
        if (isLost) await this.#spool.setAside(sessionId, entry.name);
        else if (names.has(entry.name)) this.#shipper.segment(content.facts, entry);
        else this.#shipper.expected(content.facts, entry);
      }
      this.#shipper.manifest(content, manifest.raw);
      if (!interrupted.has(sessionId)) this.#tell({ sessionId, state: "shipping" });
    }
  }

  async #forget(sessionId: string): Promise<void> {
    const journal = this.#journal as Journal;
    if (journal.failure) await journal.revive();
    await journal.append(closing, sessionId, 64);
  }

  #tell(change: RecordingChange): void {
    for (const listener of this.#listeners)
      try {
        listener(change);
      } catch (error) {
        this.#options.log.error("a listener to recordings threw", { error: messageOf(error) });
      }
  }

  #path(name: string): string {
    return name === "" ? this.#options.directory : `${this.#options.directory}/${name}`;
  }
}

/** Says of recordings that they are in the store, so that no recovery takes up their old records. */
const closing: EntrySource<string> = {
  encode: (sessionIds) => sessionIds.map((id) => entryOf("closed", [recordingIdBytes(id)])),
  committed() {},
  failed() {},
};
