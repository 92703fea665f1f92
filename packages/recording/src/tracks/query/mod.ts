/**
 * query: what was run on a database, read from a recording.
 *
 * Owns: the payloads of query frames, the statements that they tell of, and how these are written for people and programs.
 * Never: knows one database from another; what is in a recording is in words that fit them all.
 */
export {
  type Query,
  type QueryCondition,
  type QueryData,
  type QueryOutcome,
  type QueryResult,
  type QueryRows,
  type QuerySecret,
  type QueryValue,
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
} from "./query-payloads.ts";
export { keptLines, onOneLine, statementLine, statementState, valueText } from "./statement-line.ts";
export {
  type Statement,
  type StatementCopy,
  type StatementResult,
  StatementReading,
  statements,
  statementsIn,
} from "./statements.ts";
export { type StatementFormat, statementFormats, statementsAs } from "./statement-export.ts";
