import { flag, integer, list, object, oneOf, type Shaped, text } from "../../shape.ts";
import { payloadOf } from "../payload.ts";

/** Texts beyond this are cut, and their whole length and digest stand beside what is kept. */
export const queryLimits = { textCharsMax: 1024 * 1024, valuesMax: 65_535, resultsMax: 65_536 } as const;

const count = integer(0, Number.MAX_SAFE_INTEGER);
const sql = text({ charsMax: queryLimits.textCharsMax });
const name = text({ charsMax: 65_536 });
const sha256 = text({ charsMax: 64, pattern: /^[0-9a-f]{64}$/, says: "64 hexadecimal digits" });

/**
 * One parameter. `text` where it was sent as text or its type is known, `hex` where neither; none of them is an empty value.
 * `bytes` and `sha256` are of the whole value and stand only where it was cut. `type` is the database's own name or number.
 */
const value = object(
  {},
  { null: oneOf(true), text: sql, hex: sql, type: text({ charsMax: 128 }), bytes: count, sha256 },
);
export type QueryValue = Shaped<typeof value>;

/**
 * What the person's client asked for. `statement` numbers the frames of this kind from 1 within a stream; `of` is the number
 * of the one that it builds on.
 *
 * - `simple`: `text`, perhaps of several statements, run at once;
 * - `prepare`: `text` is parsed as `name` with the parameter `types`;
 * - `bind`: `values` for the prepared `of` (or for `name`, which the gate did not see prepared), as `portal`;
 * - `execute`: `of` a bind is run, for at most `rowsMax` rows where that stands;
 * - `call`: the function `name` with `values`;
 * - `copy`: all data of the copy in that belongs to `of` was sent: `bytes` and `sha256` of it; `failed` is the client's word;
 * - `cancel`: the running statement is to be stopped.
 */
const query = object(
  {
    statement: integer(1, Number.MAX_SAFE_INTEGER),
    type: oneOf("simple", "prepare", "bind", "execute", "call", "copy", "cancel"),
  },
  {
    of: count,
    text: sql,
    bytes: count,
    sha256,
    name,
    portal: name,
    types: list(text({ charsMax: 128 }), queryLimits.valuesMax),
    values: list(value, queryLimits.valuesMax),
    rowsMax: count,
    failed: name,
  },
);
export type Query = Shaped<typeof query>;

/** `tag` is the database's own word for what was done; `rows` is what it counts, else what passed. */
const result = object({ tag: name }, { rows: count });
export type QueryResult = Shaped<typeof result>;
const condition = object({
  severity: text({ charsMax: 64 }),
  code: text({ charsMax: 64 }),
  message: text({ charsMax: 65_536 }),
});
export type QueryCondition = Shaped<typeof condition>;

/**
 * What came of the statement of that number; 0 where it belongs to none. Several may follow each other, `final` is the
 * last. `durationUs` runs from when the statement was recorded. `discarded`: an error before it kept it from being run.
 * `suspended`: rows are left. `status` is the transaction afterwards. `copied` is what was sent to the client by a copy out.
 * `notices` are cut where there are many.
 */
const outcome = object(
  { statement: count, durationUs: count, final: flag, results: list(result, queryLimits.resultsMax) },
  {
    error: condition,
    status: oneOf("idle", "transaction", "failed"),
    discarded: oneOf(true),
    suspended: oneOf(true),
    copied: object({ bytes: count, sha256 }),
    notices: list(condition, 64),
  },
);
export type QueryOutcome = Shaped<typeof outcome>;

const queryPayload = payloadOf<Query>("query", query);
const outcomePayload = payloadOf<QueryOutcome>("query.outcome", outcome);

export const encodeQuery = queryPayload.encode;
export const decodeQuery = queryPayload.decode;
export const encodeQueryOutcome = outcomePayload.encode;
export const decodeQueryOutcome = outcomePayload.decode;
