import { flag, integer, list, object, oneOf, type Shaped, text } from "../../shape.ts";
import { payloadOf } from "../payload.ts";

/** Texts beyond this are cut, and their whole length and digest stand beside what is kept. */
export const queryLimits = {
  textCharsMax: 1024 * 1024,
  valuesMax: 65_535,
  resultsMax: 65_536,
  rowsMax: 65_536,
  columnsMax: 65_535,
  notesMax: 64,
} as const;

const count = integer(0, Number.MAX_SAFE_INTEGER);
const sql = text({ charsMax: queryLimits.textCharsMax });
const name = text({ charsMax: 65_536 });
const word = text({ charsMax: 128 });
const sha256 = text({ charsMax: 64, pattern: /^[0-9a-f]{64}$/, says: "64 hexadecimal digits" });
const base64 = text({
  charsMax: 8 * queryLimits.textCharsMax,
  pattern: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  says: "base64",
});

/**
 * One parameter, or one value of a row. `text` where it was sent as text or its type is known, `hex` where neither; none of
 * them is an empty value. `bytes` and `sha256` are of the whole value and stand only where it was cut. `type` is the
 * database's own name or number. `masked`: it is a secret, and stands in the statement's `query.secret` only.
 */
const value = object(
  {},
  { null: oneOf(true), text: sql, hex: sql, type: word, bytes: count, sha256, masked: oneOf(true) },
);
export type QueryValue = Shaped<typeof value>;

/**
 * What the person's client asked for. `statement` numbers the frames of this kind from 1 within a stream; `of` is the number
 * of the one that it builds on.
 *
 * - `simple`: `text`, perhaps of several statements, run at once;
 * - `prepare`: `text` is parsed as `name` with the parameter `types`;
 * - `bind`: `values` for the prepared `of` (or for `name`, which the gate did not see prepared), as `portal`;
 * - `execute`: `of` a bind, or of a prepare with `values` of its own, is run, for at most `rowsMax` rows where that stands;
 * - `call`: the function of the number `name`, or the protocol's own command of that name, with `values`;
 * - `copy`: all data of the copy in that belongs to `of` was sent: `bytes` and `sha256` of it; `failed` is the client's word, `name` the file that was asked for;
 * - `cancel`: the running statement is to be stopped.
 *
 * `textBytes` (base64) stands where the text is no UTF-8; `text` shows it as far as it can be shown. `masked`: secrets of
 * the text or values are left out here, and stand in a `query.secret` of the same number.
 */
const query = object(
  {
    statement: integer(1, Number.MAX_SAFE_INTEGER),
    type: oneOf("simple", "prepare", "bind", "execute", "call", "copy", "cancel"),
  },
  {
    of: count,
    text: sql,
    textBytes: base64,
    bytes: count,
    sha256,
    name,
    portal: name,
    types: list(word, queryLimits.valuesMax),
    values: list(value, queryLimits.valuesMax),
    rowsMax: count,
    failed: name,
    masked: oneOf(true),
  },
);
export type Query = Shaped<typeof query>;

/** What was masked in the query of that number, whole. In the lane of what was typed, so that its key decides who reads it. */
const secret = object(
  { statement: integer(1, Number.MAX_SAFE_INTEGER) },
  { text: sql, textBytes: base64, values: list(value, queryLimits.valuesMax) },
);
export type QuerySecret = Shaped<typeof secret>;

/**
 * `tag` is the database's own word for what was done; `rows` is what it counts, else what passed. `bytes` and `sha256` are
 * of all rows as they passed, in the database's own wire form.
 */
const result = object({ tag: name }, { rows: count, bytes: count, sha256 });
export type QueryResult = Shaped<typeof result>;
const condition = object(
  { severity: text({ charsMax: 64 }), code: text({ charsMax: 64 }), message: text({ charsMax: 65_536 }) },
  { detail: text({ charsMax: 65_536 }), hint: text({ charsMax: 65_536 }) },
);
export type QueryCondition = Shaped<typeof condition>;

/**
 * What came of the statement of that number; 0 where it belongs to none. Several may follow each other, `final` is the
 * last. `durationUs` runs from when the statement was recorded. `discarded`: an error before it kept it from being run.
 * `refused`: the gate answered, and the database did not see it. `suspended`: rows are left. `status` is the transaction
 * afterwards. `copied` is what was sent to the client by a copy out. `notices`, `notifications` and `settings` (what the
 * server says of its settings) are cut where there are many.
 */
const outcome = object(
  { statement: count, durationUs: count, final: flag, results: list(result, queryLimits.resultsMax) },
  {
    error: condition,
    status: oneOf("idle", "transaction", "failed"),
    discarded: oneOf(true),
    refused: oneOf(true),
    suspended: oneOf(true),
    copied: object({ bytes: count, sha256 }),
    notices: list(condition, queryLimits.notesMax),
    notifications: list(object({ channel: name, payload: name }), queryLimits.notesMax),
    settings: list(object({ name, value: name }), queryLimits.notesMax),
  },
);
export type QueryOutcome = Shaped<typeof outcome>;

/**
 * Rows of a result, where a policy keeps them: `result` counts the results of the statement from 0, `from` its rows before
 * these. `columns` stand in the first of each result.
 */
const rows = object(
  {
    statement: integer(1, Number.MAX_SAFE_INTEGER),
    result: count,
    from: count,
    rows: list(list(value, queryLimits.columnsMax), queryLimits.rowsMax),
  },
  { columns: list(object({ name }, { type: word }), queryLimits.columnsMax) },
);
export type QueryRows = Shaped<typeof rows>;

/** Content of a copy, up to a limit: `in` is what the client sent. `offset` counts bytes of that copy. */
const data = object({
  statement: count,
  direction: oneOf("in", "out"),
  offset: count,
  data: value,
});
export type QueryData = Shaped<typeof data>;

const queryPayload = payloadOf<Query>("query", query);
const outcomePayload = payloadOf<QueryOutcome>("query.outcome", outcome);
const secretPayload = payloadOf<QuerySecret>("query.secret", secret);
const rowsPayload = payloadOf<QueryRows>("query.rows", rows);
const dataPayload = payloadOf<QueryData>("query.data", data);

export const encodeQuery = queryPayload.encode;
export const decodeQuery = queryPayload.decode;
export const encodeQueryOutcome = outcomePayload.encode;
export const decodeQueryOutcome = outcomePayload.decode;
export const encodeQuerySecret = secretPayload.encode;
export const decodeQuerySecret = secretPayload.decode;
export const encodeQueryRows = rowsPayload.encode;
export const decodeQueryRows = rowsPayload.decode;
export const encodeQueryData = dataPayload.encode;
export const decodeQueryData = dataPayload.decode;
