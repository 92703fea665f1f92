/**
 * recording: what a recording is, readable by anybody.
 *
 * Owns: frames and what their data means, segments, the chain, the manifest, keys, verification, bundles, and the tracks
 * that derive what people look at. `docs/format.md` is its specification.
 * Never: touches a disk, a socket or a clock, keeps a key, or knows roles and stores. It runs unchanged in Node and in a
 * browser; the pipeline that writes recordings is Node's and has its own door, `./pipeline`.
 */
export {
  type Frame,
  type FrameKind,
  type Lane,
  type SessionFacts,
  frameKinds,
  frameLimits,
  laneOf,
} from "./frame.ts";
export {
  type ChainBreak,
  type Pause,
  type SessionEnd,
  type Terminate,
  type Watch,
  decodeBreak,
  decodePause,
  decodeSessionEnd,
  decodeSessionStart,
  decodeTerminate,
  decodeWatch,
  encodeBreak,
  encodePause,
  encodeSessionEnd,
  encodeSessionStart,
  encodeTerminate,
  encodeWatch,
} from "./tracks/session-payloads.ts";
export {
  type Digest,
  type Env,
  type Eof,
  type Exit,
  type Request,
  type Resize,
  type Signal,
  decodeDigest,
  decodeEnv,
  decodeEof,
  decodeExit,
  decodeRequest,
  decodeResize,
  decodeSignal,
  encodeDigest,
  encodeEnv,
  encodeEof,
  encodeExit,
  encodeRequest,
  encodeResize,
  encodeSignal,
} from "./tracks/terminal-payloads.ts";
export {
  type ForwardClose,
  type ForwardOpen,
  decodeForwardClose,
  decodeForwardOpen,
  encodeForwardClose,
  encodeForwardOpen,
} from "./tracks/forward-payloads.ts";
export {
  type Query,
  type QueryCondition,
  type QueryData,
  type QueryOutcome,
  type QueryResult,
  type QueryRows,
  type QuerySecret,
  type QueryValue,
  type Statement,
  type StatementFormat,
  decodeQuery,
  decodeQueryData,
  decodeQueryOutcome,
  decodeQueryRows,
  decodeQuerySecret,
  encodeQuery,
  encodeQueryData,
  encodeQueryOutcome,
  encodeQueryRows,
  encodeQuerySecret,
  queryLimits,
  keptLines,
  statementFormats,
  statementLine,
  valueText,
  statements,
  statementsAs,
} from "./tracks/query/mod.ts";
export {
  type FileOperation,
  decodeFileOperation,
  encodeFileOperation,
  pathFields,
  recordedCount,
  targetFields,
} from "./tracks/file-operation.ts";
export { ByteRanges, rangesMax } from "./tracks/byte-ranges.ts";
export { type Json, canonicalBytes, canonicalJson } from "./canonical-json.ts";
export { formatLimits } from "./format-limits.ts";
export { type FrameBase, type UnknownFrame, FrameCursor, encodeFrames } from "./frame-codec.ts";
export { LaneSealer } from "./lane-sealer.ts";
export {
  type Manifest,
  type ManifestContent,
  type RecordingEnd,
  type SegmentEntry,
  manifestName,
  manifestSignature,
  parseManifest,
  segmentName,
  signManifest,
} from "./manifest.ts";
export { type Opening, decodeOpening, encodeOpening } from "./opening.ts";
export { type RecordHeader, encodeRecord, lanes, readRecordHeader, recordHeaderBytes } from "./record.ts";
export type { Hasher, RecordingSigner, SealCrypto } from "./seal-crypto.ts";
export { type SegmentHeader, type SegmentParts, type SegmentType, parseSegment } from "./segment-layout.ts";
export { type BuiltSegment, type SegmentPlace, buildRawSegment, sealSegment } from "./segment-writer.ts";
export { type SignatureVerdict, signerKeyId } from "./signature.ts";
export {
  type KeyOpener,
  type KeyWrap,
  type KeyWrapper,
  type RecordingKeys,
  type WrappedKeys,
  ageOpener,
  ageWrapper,
  unwrapKeys,
  wrapKeys,
} from "./wrapped-keys.ts";
export { keysName, keysNumbers } from "./rewrapped-keys.ts";
export { recipientNames } from "./recipient-names.ts";
export { type KeyWrappers, type RewrapPlan, planRewrap, rewrapKeys } from "./rewrap.ts";
export { type FrameFilter, type Recording, openRecording } from "./recording-reader.ts";
export { type OpenKeys, type OpenedSegment, importKeys, openSegment } from "./segment-opener.ts";
export { type RecordingSource, memorySource, storeSource } from "./source.ts";
export { type Zstd, scriptZstd } from "./zstd.ts";
export { type Verification, type VerifyOptions, verifyRecording } from "./verify.ts";
export { type Finding, type FindingCode, findingCodes } from "./verify-findings.ts";
export { type AuditExtract, signAuditExtract } from "./audit-extract.ts";
export { bundleNames, bytesReader, openBundle, publicKeyPem, writeBundle } from "./bundle.ts";
export type { RangeReader } from "./tar.ts";
export { type AsciicastOptions, asciicast } from "./tracks/asciicast.ts";
export {
  type ExecDirection,
  type ExecStream,
  type ExecSummary,
  execBytes,
  execSummaries,
} from "./tracks/exec.ts";
export {
  type FilesSummary,
  type FileTransfer,
  type TimedFileOperation,
  fileOperations,
  filesSummary,
} from "./tracks/files.ts";
export { type Forward, forwards } from "./tracks/forward.ts";
