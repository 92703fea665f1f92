import { formatLimits } from "../format-limits.ts";
import { frameLimits } from "../frame.ts";

export type PipelineLimits = {
  /** Room of the journal; taken from the disk at the start. */
  journalCapacityBytes: number;
  /** One file of the journal: space is given back in files, and a frame must fit into one. */
  journalFileBytes: number;
  /** A group, and so one write, is not made larger by waiting frames. */
  groupBytesMax: number;
  /** How long a commit waits for company when nothing is in flight. 0: not at all. */
  commitDelayMs: number;
  /** Journal space that a session has for itself. */
  sessionReserveBytes: number;
  /** A segment is sealed at this size, number of frames or age. */
  segmentBytes: number;
  segmentFramesMax: number;
  segmentAgeMs: number;
  /** Frames of all sessions in memory, on their way into a segment. */
  unsealedBytesMax: number;
  /**
   * What may wait to be shipped. Beyond it sessions are refused and live ones end; what they had committed is still
   * sealed, so that the spool can be larger by what the journal holds.
   */
  spoolBytesMax: number;
  /** Objects on their way to the store at once. */
  shipConcurrency: number;
  retryMinMs: number;
  retryMaxMs: number;
  probeIntervalMs: number;
  /** For how long after the store has failed sessions are still admitted. */
  outageToleranceMs: number;
  /** A store that does not answer for so long has failed. */
  storeTimeoutMs: number;
  /** How long a recording can be neither changed nor removed after its session. */
  retentionMs: number;
  /** The longest session: segments are stored before their session has ended, and kept for so much longer. */
  sessionMsMax: number;
};

const mebi = 1024 * 1024;

export const defaultPipelineLimits: PipelineLimits = {
  journalCapacityBytes: 512 * mebi,
  journalFileBytes: 64 * mebi,
  groupBytesMax: mebi / 2,
  commitDelayMs: 0,
  sessionReserveBytes: mebi,
  segmentBytes: mebi,
  segmentFramesMax: 65_536,
  segmentAgeMs: 15_000,
  unsealedBytesMax: 256 * mebi,
  spoolBytesMax: 8192 * mebi,
  shipConcurrency: 8,
  retryMinMs: 500,
  retryMaxMs: 30_000,
  probeIntervalMs: 30_000,
  outageToleranceMs: 0,
  storeTimeoutMs: 60_000,
  retentionMs: 0,
  sessionMsMax: 24 * 3_600_000,
};

/** What a configuration asks for, held to what the format can hold and a journal can turn round. */
export function pipelineLimits(given: Partial<PipelineLimits>): PipelineLimits {
  const limits = { ...defaultPipelineLimits, ...given };
  const { journalCapacityBytes } = limits;
  return {
    ...limits,
    // At least four files, so that one can be given back while another is written.
    journalFileBytes: Math.min(limits.journalFileBytes, Math.floor(journalCapacityBytes / 4 / 4096) * 4096),
    groupBytesMax: Math.min(limits.groupBytesMax, Math.floor(journalCapacityBytes / 16), 4 * mebi),
    // A batch is cut after the group that fills it, so the largest frame comes on top, and a lane must hold it all.
    segmentBytes: Math.min(
      limits.segmentBytes,
      formatLimits.laneBytesMax - frameLimits.dataBytesMax - 4 * mebi,
    ),
  };
}
