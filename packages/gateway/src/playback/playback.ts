import {
  type ExportFormat,
  type FilmCut,
  type IndexMade,
  type RecordingHits,
  type RecordingOverview,
  type RecordingPictures,
  type RecordingScreen,
  type RecordingSearch,
  type RecordingText,
  type Recording as RecordingWords,
  type Verification as VerificationWords,
  type WireFrame,
  searchSources,
} from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import {
  type KeyOpener,
  type Recording,
  type RecordingSigner,
  type RecordingSource,
  type SessionFacts,
  type Zstd,
  signAuditExtract,
  verifyRecording,
} from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import type { Decision, Question } from "../access/mod.ts";
import type { AuditLog } from "../audit/door.ts";
import type { AuditRows, Resources, SessionEntries } from "../directory/mod.ts";
import type { Indexes } from "../indexes/mod.ts";
import type { LastingRights } from "../sessions/mod.ts";
import { type Exported, exportRecording } from "./export.ts";
import { type AskedPart, type Part, createParts } from "./parts.ts";
import { overviewOf, picturesOf, screenAt, textOf } from "./index-words.ts";
import { type Opened, createOpened } from "./opened.ts";
import { placeOf, placeText, textFrom } from "./recorded-text.ts";
import { recordingWords } from "./recording-words.ts";
import { findIn, findsDefault, inOrder } from "./search.ts";
import { auditedSession } from "./session-audit.ts";
import { manyMatcher, textMatcher } from "./text-matcher.ts";
import { verificationWords } from "./verification-words.ts";
import { visibleFrames } from "./visible-frames.ts";
import { type Admission, type Reader, type Viewer, createViewing, plainName } from "./viewing.ts";

type Playback = {
  /** What is known of a recording. No frame of it is decrypted, so only a refusal leaves an event. */
  get(viewer: Viewer, sessionId: string): Promise<RecordingWords>;
  /**
   * The frames of a window, as far as they are stored: `toUs` is not included. Without the right to what was typed the
   * input lane is left out. Pulled, one segment in memory. It ends when the reader has gone, and with `denied` when their right
   * has: so does all that is read for a while.
   */
  frames(
    viewer: Viewer,
    sessionId: string,
    window: { fromUs: number; toUs?: number },
    reader: Reader,
  ): Promise<AsyncIterable<WireFrame>>;
  /** `held`: the tag of what they have the beginning of. `cut`: of a film. */
  export(
    viewer: Viewer,
    sessionId: string,
    format: ExportFormat,
    reader: Reader,
    how?: { held?: string | undefined; cut?: FilmCut },
  ): Promise<Omit<Exported, "same"> & { same?: { tag: string; part?: (asked: AskedPart) => Promise<Part> } }>;
  /** The whole at a glance, out of the index; nothing where none was made yet. */
  overview(viewer: Viewer, sessionId: string): Promise<RecordingOverview>;
  /** Where to begin in order to show a moment. */
  screen(viewer: Viewer, sessionId: string, at: { atUs: number }): Promise<RecordingScreen>;
  /** A block of what was shown. Throws `not_found` for one that the index does not have. */
  text(viewer: Viewer, sessionId: string, which: { block: number }): Promise<RecordingText>;
  pictures(viewer: Viewer, sessionId: string): Promise<RecordingPictures>;
  makeIndex(viewer: Viewer, sessionId: string, how: { anew: boolean }): Promise<IndexMade>;
  /** Finds text; audited with its terms. Rejects with `denied` where what was typed is asked for and may not be seen. */
  search(viewer: Viewer, sessionId: string, search: RecordingSearch, reader: Reader): Promise<RecordingHits>;
  /** What has to stand over what they were let see of a session. Decides nothing. */
  watermark(viewer: Viewer, sessionId: string): Promise<string | undefined>;
  /** Checks what is stored, now. One that does not verify is an answer, and an event of its own. */
  verify(viewer: Viewer, sessionId: string): Promise<VerificationWords>;
};

type PlaybackOptions = {
  rights: Pick<LastingRights, "watch">;
  /** Where the objects of a recording lie. */
  sourceOf(facts: SessionFacts): RecordingSource;
  /** What this gateway can open recordings with; none on a gateway that only writes. */
  openers: readonly KeyOpener[];
  /** What this gateway signs with. */
  signer: RecordingSigner;
  /** Ed25519 public keys of the gateways whose signatures count. */
  trustedKeys: readonly Uint8Array[];
  sessions: Pick<SessionEntries, "byId">;
  resources: Pick<Resources, "ofSession">;
  indexes: Pick<Indexes, "open" | "make">;
  auditRows: Pick<AuditRows, "list">;
  decide: (question: Question) => Decision;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** Of this program. */
  version: string;
  /** Node's own unless a test wants another. */
  zstd?: Zstd;
};

/** Every call rejects with `not_found` for who may not see the session, exactly as for a session that never was. */
export function createPlayback(options: PlaybackOptions): Playback {
  const { sourceOf, openers, clock, audit } = options;
  const zstd = options.zstd ?? nodeZstd;
  const viewing = createViewing(options);

  const opened = createOpened({ ...options, zstd });
  const parts = createParts();

  async function openReadable(admission: Admission): Promise<Recording> {
    return (await openShown(admission)).recording;
  }
  async function openShown({ entry }: Admission): Promise<Opened> {
    const found = await opened.open(entry.facts);
    if (!found.recording.withheld.includes("main")) return found;
    throw new GatehouseError({
      code: "denied",
      op: "playback.open",
      message: "this gateway holds no key that opens this recording",
      hint: "Export the bundle and play it where one of its recipients' identities is: gatehouse play session.tar --identity key.txt.",
    });
  }

  /** What `made` gives, as long as the reader may have it. */
  async function* allowed<T>(
    { signal, renew }: Reader,
    { entry, needs, remoteAddress }: Admission,
    made: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const right = options.rights.watch({
      sessionId: entry.facts.sessionId,
      actions: needs,
      remoteAddress,
      renew: async () => (await renew())?.subject,
      gone: signal,
      lost: "you may not see this recording any longer",
    });
    try {
      for await (const part of made(right.signal)) {
        right.require();
        yield part;
      }
      right.require();
    } finally {
      right.end();
    }
  }

  /** What an index tells is of the recording, so it is the same access. */
  async function indexFor(viewer: Viewer, sessionId: string, continues = true) {
    const admission = await viewing.admit(viewer, sessionId, "play", { continues });
    return await (await openShown(admission)).index();
  }

  return {
    async get(viewer, sessionId) {
      const { entry, may, watermark } = await viewing.facts(viewer, sessionId);
      const found = await opened.open(entry.facts).catch((error: unknown) => {
        // What the table knows is an answer too, when there is nothing in the store yet or it does not answer.
        if (isGatehouseError(error, "conflict") || isGatehouseError(error, "unavailable")) return undefined;
        throw error;
      });
      return { ...recordingWords(entry, found?.recording), watermark: watermark ?? null, may };
    },
    async frames(viewer, sessionId, { fromUs, toUs }, reader) {
      const admission = await viewing.admit(viewer, sessionId, "play", { continues: fromUs > 0 });
      const window = { fromTimeUs: fromUs, ...(toUs !== undefined && { toTimeUs: toUs - 1 }) };
      const recording = await openReadable(admission);
      return allowed(reader, admission, (signal) => visibleFrames(recording, admission, signal, window));
    },
    async export(viewer, sessionId, format, reader, { held, cut = {} } = {}) {
      const action = format === "bundle" ? "download" : "export";
      const admission = await viewing.admit(viewer, sessionId, action, { format });
      const { readsLog } = admission;
      const { facts } = admission.entry;
      const { chunks, same, ...exported } = await exportRecording({
        format,
        facts,
        watermark: admission.watermark,
        takenBy: admission.watermark === undefined ? undefined : plainName(viewer.subject),
        source: sourceOf(facts),
        // A bundle stays sealed, so it needs no key; everything else is made of frames.
        recording: () => openReadable(admission),
        frames: (recording, window) => visibleFrames(recording, admission, reader.signal, window),
        index: async () => await (await openShown(admission)).index(),
        auditEvents: (upTo) => auditedSession(options.auditRows, sessionId, { upTo, all: readsLog }),
        signed: (lines, upTo) => signAuditExtract({ recordingId: sessionId, lines, upTo }, options.signer),
        input: admission.input,
        version: options.version,
        held,
        cut,
        signal: reader.signal,
      });
      const again = same?.again;
      return {
        ...exported,
        chunks: allowed(reader, admission, () => chunks),
        ...(same && {
          same: {
            tag: same.tag,
            ...(again && {
              part: async (asked) => {
                const part = await parts.of(asked, () => allowed(reader, admission, again), reader);
                // What is kept is shown as long as what is made.
                return { ...part, chunks: allowed(reader, admission, () => part.chunks) };
              },
            }),
          },
        }),
      };
    },
    async overview(viewer, sessionId) {
      return overviewOf(await indexFor(viewer, sessionId, false));
    },
    async screen(viewer, sessionId, { atUs }) {
      return screenAt(await indexFor(viewer, sessionId), atUs);
    },
    async text(viewer, sessionId, { block }) {
      return textOf(await indexFor(viewer, sessionId), block);
    },
    async pictures(viewer, sessionId) {
      return picturesOf(await indexFor(viewer, sessionId));
    },
    async makeIndex(viewer, sessionId, how) {
      const admission = await viewing.admit(viewer, sessionId, "play", { continues: true });
      await openShown(admission);
      const made = await options.indexes.make(sessionId, how);
      opened.forget(sessionId);
      return made;
    },
    async search(viewer, sessionId, search, reader) {
      const matches = textMatcher(search);
      const mayHold = manyMatcher(search);
      const admission = await viewing.admit(viewer, sessionId, "search", { search });
      const { facts } = admission.entry;
      if (!admission.input && search.sources?.includes("input")) throw mayNotSeeInput();
      const { recording, index: openIndex } = await openShown(admission);
      const index = await openIndex();
      const sources = new Set(search.sources ?? searchSources);
      if (!admission.input) sources.delete("input");
      const text = (signal: AbortSignal) =>
        textFrom(
          {
            facts,
            index,
            sources,
            mayHold,
            frames: (window) => visibleFrames(recording, admission, signal, window),
          },
          search.cursor === undefined ? undefined : placeOf(search.cursor),
        );
      const { finds, next } = await findIn(allowed(reader, admission, text), matches, {
        limit: search.limit ?? findsDefault,
      });
      return {
        hits: inOrder(finds),
        next: next ? placeText(next) : null,
        watermark: admission.watermark ?? null,
        isWhole: recording.manifest !== undefined && index?.directory.textEndsUs === undefined,
      };
    },
    watermark: (viewer, sessionId) => viewing.watermark(viewer, sessionId),
    async verify(viewer, sessionId) {
      const { entry } = await viewing.admit(viewer, sessionId, "verify");
      const audited = await auditedSession(options.auditRows, sessionId);
      const verification = await verifyRecording(sourceOf(entry.facts), {
        trustedKeys: options.trustedKeys,
        ...(openers.length > 0 && { openers }),
        zstd,
        expected: {
          recordingId: sessionId,
          ...(audited.headSha256 !== undefined && { headSha256: audited.headSha256 }),
        },
      });
      const words = verificationWords(sessionId, verification, audited.headSha256, clock.nowMs());
      // A live recording is not closed, which is no corruption.
      if (!words.ok && verification.state !== "open")
        await audit.append({
          event: "session.recording.corrupted",
          user: viewer.subject.name,
          success: false,
          serverId: entry.facts.target.id,
          sessionId,
          fields: { detail: words.firstFault ?? "it does not verify" },
        });
      return words;
    },
  };
}

function mayNotSeeInput(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "playback.search",
    message: "you may not see what was typed in this session",
    hint: "Leave `input` out of the sources.",
  });
}
