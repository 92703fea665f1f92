import { type Clock, GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import {
  type KeyOpener,
  type Recording,
  type RecordingSource,
  type SessionFacts,
  type Zstd,
  openRecording,
} from "@gatehouse/recording";
import type { RecordingIndex } from "@gatehouse/recording/index";
import type { Indexes } from "../indexes/mod.ts";

export type Opened = {
  recording: Recording;
  /** Undefined where there is none yet. */
  index(): Promise<RecordingIndex | undefined>;
};

/** A manifest of many segments takes longer to read than a window of frames, so what was opened just now stays open. */
const keptMs = 60_000;
const keptMax = 32;

/** Opens recordings for playing. What is closed is kept open for a little: it does not change. Who may see it is decided each time. */
export function createOpened({
  sourceOf,
  openers,
  trustedKeys,
  zstd,
  indexes,
  clock,
}: {
  sourceOf(facts: SessionFacts): RecordingSource;
  openers: readonly KeyOpener[];
  trustedKeys: readonly Uint8Array[];
  zstd: Zstd;
  indexes: Pick<Indexes, "open">;
  clock: Pick<Clock, "nowMs">;
}): { open(facts: SessionFacts): Promise<Opened>; forget(sessionId: string): void } {
  const kept = new Map<string, { opened: Opened; untilMs: number }>();

  function withIndex(recording: Recording): Opened {
    let index: RecordingIndex | undefined;
    return { recording, index: async () => (index ??= await indexes.open(recording)) };
  }

  return {
    async open(facts) {
      const known = kept.get(facts.sessionId);
      kept.delete(facts.sessionId);
      if (known && known.untilMs > clock.nowMs()) {
        kept.set(facts.sessionId, known);
        return known.opened;
      }
      const source = sourceOf(facts);
      const recording = await openRecording({ source, openers, zstd, trustedKeys }).catch(notStored);
      const opened = withIndex(recording);
      if (!recording.manifest) return opened;
      kept.set(facts.sessionId, { opened, untilMs: clock.nowMs() + keptMs });
      const oldest = kept.keys().next();
      if (kept.size > keptMax && !oldest.done) kept.delete(oldest.value);
      return opened;
    },
    forget: (sessionId) => void kept.delete(sessionId),
  };
}

function notStored(error: unknown): never {
  if (!isGatehouseError(error, "not_found")) throw error;
  throw new GatehouseError({
    code: "conflict",
    op: "playback.open",
    message: "nothing of this recording is in the store yet",
    hint: "Segments reach the store within seconds; try again in a moment.",
    cause: error,
  });
}
