/**
 * What a v1 object may claim, checked before memory is given to it. A writer seals long before these; a reader refuses
 * beyond them, so that a hostile recording costs a known amount of memory: about two segments.
 */
export const formatLimits = {
  /** One lane of one segment, or one record, before compression: the largest frame and as much again. */
  laneBytesMax: 32 * 1024 * 1024,
  segmentFramesMax: 1_048_576,
  recordsMax: 1_048_576,
  openingBytesMax: 4 * 1024 * 1024,
  /** Two lanes, the opening and every header. */
  segmentBytesMax: 72 * 1024 * 1024,
  segmentsMax: 200_000,
  manifestBytesMax: 64 * 1024 * 1024,
  /** How many wraps one lane's key may have, and how large each may be. */
  wrapsMax: 64,
  wrapCharsMax: 65_536,
  /** Keys wrapped again: how many there may be beside a manifest, how many a reader tries, and how large each may be. */
  keysObjectsMax: 9_999,
  keysObjectsReadMax: 16,
  keysBytesMax: 16 * 1024 * 1024,
  /** A bundle's audit events, and what is signed of them. */
  auditEventsBytesMax: 256 * 1024 * 1024,
  auditStatementBytesMax: 4 * 1024,
} as const;
