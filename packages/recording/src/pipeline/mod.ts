/**
 * recording/pipeline: the one way by which a session is recorded.
 *
 * Owns: the journal (commit before anything goes on), sealing, the spool, shipping and verifying, recovery after a crash,
 * and the word on whether a session may be opened at all.
 * Never: drops a frame, deletes what the store was not seen to hold, opens a recording but the one that it is writing, or knows
 * users, roles and protocols.
 * It is Node's; the format it writes is the package's isomorphic half.
 */
export type {
  Follower,
  GrowingRecording,
  ObjectStore,
  PipelineStatus,
  RecordingChange,
  RecordingPipeline,
  RecordingState,
  RecordingWriter,
  RecoveredRecording,
  StoreProbe,
} from "./door.ts";
export { type PipelineLimits, defaultPipelineLimits } from "./limits.ts";
export type { PipelineLog } from "./log.ts";
export { objectPrefix } from "./shipper.ts";
export { type PipelineOptions, createPipeline } from "./pipeline.ts";
