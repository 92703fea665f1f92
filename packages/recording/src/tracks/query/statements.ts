import {
  decodeQuery,
  decodeQueryData,
  decodeQueryOutcome,
  decodeQueryRows,
  decodeQuerySecret,
  type Query,
  type QueryCondition,
  type QueryData,
  type QueryOutcome,
  type QueryResult,
  type QueryRows,
  type QuerySecret,
  type QueryValue,
} from "./query-payloads.ts";

/** A result with what was kept of its rows, from the first one on. */
export type StatementResult = QueryResult & {
  columns?: readonly { name: string; type?: string }[];
  kept?: QueryValue[][];
};
/** What a copy carried, with the content as far as it was kept. */
export type StatementCopy = { bytes: number; sha256: string; kept?: QueryValue[] };

/** A statement that was run, or that failed before it could be, with all that came of it. */
export type Statement = {
  number: number;
  stream: number;
  /** `server`: nobody asked; it is what the server said by itself. `prepare`: it was never run. */
  type: "simple" | "prepare" | "execute" | "call" | "cancel" | "server";
  /** Empty where the gate did not see it prepared, for a cancel and for what the server said. */
  text: string;
  /** Base64, where the text is no UTF-8. */
  textBytes?: string;
  /** The text was cut in the recording. */
  cut: boolean;
  /** Secrets are left out of the text or the values: this reader may not see them. */
  masked: boolean;
  values: QueryValue[];
  startedUs: number;
  /** Absent where the recording ends before it. */
  durationUs?: number;
  results: StatementResult[];
  error?: QueryCondition;
  notices: QueryCondition[];
  notifications: { channel: string; payload: string }[];
  settings: { name: string; value: string }[];
  status?: NonNullable<QueryOutcome["status"]>;
  discarded: boolean;
  refused: boolean;
  suspended: boolean;
  copiedIn?: StatementCopy;
  copiedOut?: StatementCopy;
};

type QueryFrame = { kind: string; stream: number; timeUs: number; data: Uint8Array };

/**
 * The statements of a session, each when its outcome is complete, and at the end those that have none. Memory is what
 * is prepared and what runs, however long the session.
 */
export async function* statements(
  frames: AsyncIterable<QueryFrame> | Iterable<QueryFrame>,
): AsyncGenerator<Statement> {
  const streams = new StatementReading();
  for await (const frame of frames) {
    yield* streams.take(frame);
  }
  yield* streams.unanswered();
}

/** The same of frames that are all there, in the order in which the statements began. */
export function statementsIn(frames: Iterable<QueryFrame>): Statement[] {
  const streams = new StatementReading();
  const all: Statement[] = [];
  for (const frame of frames) {
    all.push(...streams.take(frame));
  }
  all.push(...streams.unanswered());
  return all.sort((a, b) => a.startedUs - b.startedUs);
}

const none: readonly Statement[] = [];

/** The same for who has the frames one by one. */
export class StatementReading {
  readonly #streams = new Map<number, Stream>();

  /** The statements that are complete with this frame. */
  take({ kind, stream, timeUs, data }: QueryFrame): readonly Statement[] {
    switch (kind) {
      case "query":
        return this.#of(stream).ask(decodeQuery(data), timeUs);
      case "query.outcome":
        return this.#of(stream).answer(decodeQueryOutcome(data), timeUs);
      case "query.secret":
        this.#of(stream).secret(decodeQuerySecret(data));
        return none;
      case "query.rows":
        this.#of(stream).rows(decodeQueryRows(data));
        return none;
      case "query.data":
        this.#of(stream).data(decodeQueryData(data));
        return none;
      default:
        return none;
    }
  }
  *unanswered(): Generator<Statement> {
    for (const stream of this.#streams.values()) yield* stream.unanswered();
  }
  #of(number: number): Stream {
    let stream = this.#streams.get(number);
    if (!stream) this.#streams.set(number, (stream = new Stream(number)));
    return stream;
  }
}

/** A statement with what was kept of it before its outcomes told of it. */
type Running = Statement & {
  rowsKept?: QueryRows[];
  dataKept?: { in?: QueryValue[]; out?: QueryValue[] };
  /** Of a prepare: it is shown as what was run of it. */
  ran?: true;
  /** Of a bind: the prepare, 0 where it was not seen. */
  bound?: number;
  /** What it builds on: what was bound, what was prepared. */
  builtOn: readonly number[];
};
/** As many that are replaced wait for an answer behind them. */
const leavingMax = 1000;

class Stream {
  readonly #stream: number;
  readonly #running = new Map<number, Running>();
  /** Prepares and binds by number, and the number that holds each name now. */
  readonly #built = new Map<number, Query>();
  readonly #names = new Map<string, number>();
  /** By what took a name from another, that other: it has the name still if the server refused that. In order. */
  readonly #replaced = new Map<number, number>();
  /** Of those that run: nothing builds on them any more. In order. */
  readonly #leaving = new Set<number>();
  /** It stands before its query. */
  #secret: QuerySecret | undefined;

  constructor(stream: number) {
    this.#stream = stream;
  }

  secret(secret: QuerySecret): void {
    this.#secret = secret;
  }
  rows(rows: QueryRows): void {
    const running = this.#running.get(rows.statement);
    if (running) (running.rowsKept ??= []).push(rows);
  }
  data({ statement, direction, data }: QueryData): void {
    const running = this.#running.get(statement);
    if (running) ((running.dataKept ??= {})[direction] ??= []).push(data);
  }

  /** What is complete by that: a cancel has no outcome. */
  ask(asked: Query, timeUs: number): readonly Statement[] {
    const query = this.#unmasked(asked);
    switch (query.type) {
      case "copy": {
        const running = this.#running.get(query.of ?? 0);
        if (running && query.sha256 !== undefined)
          running.copiedIn = copyOf(query.bytes ?? 0, query.sha256, running.dataKept?.in);
        return none;
      }
      case "bind":
        this.#build(query);
        // A bind is no statement of its own, but one that fails is shown in its place.
        this.#running.set(query.statement, this.#statement(query, "execute", timeUs));
        return this.#overflowing();
      case "prepare":
        this.#build(query);
        this.#running.set(query.statement, this.#statement(query, "prepare", timeUs));
        return this.#overflowing();
      case "cancel":
        return [this.#statement(query, "cancel", timeUs)];
      case "simple":
      case "execute":
      case "call":
        this.#ran(query);
        this.#running.set(query.statement, this.#statement(query, query.type, timeUs));
        // PostgreSQL §55.2.3: a simple statement ends what was prepared without a name.
        if (query.type === "simple") this.#leave(this.#names.get("prepared "));
        return none;
    }
  }

  /** What it builds on is shown as this from here on. */
  #ran({ of }: Pick<Query, "of">): void {
    const source = this.#built.get(of ?? 0);
    const prepared = this.#running.get((source?.type === "bind" ? source.of : of) ?? 0);
    if (prepared) prepared.ran = true;
  }

  /** The server took it: what it replaced is gone. */
  #taken(number: number): void {
    const before = this.#replaced.get(number);
    if (before === undefined) return;
    this.#replaced.delete(number);
    this.#built.delete(before);
    this.#leave(before);
    this.#taken(before);
  }
  /** The server did not take it: the name is what it was. */
  #notTaken(number: number): void {
    const query = this.#built.get(number);
    const before = this.#replaced.get(number);
    if (!query) return;
    const name = nameOf(query);
    this.#built.delete(number);
    this.#replaced.delete(number);
    for (const [later, replaced] of this.#replaced)
      if (replaced === number) {
        if (before === undefined) this.#replaced.delete(later);
        else this.#replaced.set(later, before);
      }
    if (this.#names.get(name) !== number) return;
    if (before === undefined) this.#names.delete(name);
    else this.#names.set(name, before);
  }

  /** Nothing is run of it any more, but it may still be told that it failed. */
  #leave(number: number | undefined): void {
    if (number !== undefined && this.#running.has(number)) this.#leaving.add(number);
  }
  #overflowing(): readonly Statement[] {
    const [oldest = 0] = this.#leaving;
    return this.#leaving.size > leavingMax ? this.#left(oldest + 1) : none;
  }
  /** Those before a statement that was answered: answers come in order. What is shown of them are prepares that never ran. */
  #left(answered: number): Statement[] {
    const all: Statement[] = [];
    for (const number of this.#leaving) {
      if (number >= answered) continue;
      this.#leaving.delete(number);
      const running = this.#running.get(number);
      this.#running.delete(number);
      if (running?.type === "prepare" && !running.ran) all.push(shown(running));
    }
    return all;
  }

  answer(outcome: QueryOutcome, timeUs: number): readonly Statement[] {
    const asked = this.#running.get(outcome.statement);
    // Even where it failed: the server came as far as that.
    if (asked && !outcome.discarded)
      for (const number of asked.builtOn) if (number !== outcome.statement) this.#taken(number);
    const complete = this.#left(outcome.statement);
    const running =
      asked ??
      // What belongs to no statement is shown only when it says something.
      (saysSomething(outcome)
        ? this.#statement({ statement: 1, type: "simple", text: "" }, "server", timeUs)
        : undefined);
    if (!running) return complete;
    running.durationUs = outcome.durationUs;
    for (const result of outcome.results)
      running.results.push({ ...result, ...rowsOf(running.rowsKept, running.results.length) });
    running.notices.push(...(outcome.notices ?? []));
    running.notifications.push(...(outcome.notifications ?? []));
    running.settings.push(...(outcome.settings ?? []));
    if (outcome.error) running.error = outcome.error;
    if (outcome.status) running.status = outcome.status;
    if (outcome.discarded) running.discarded = true;
    if (outcome.refused) running.refused = true;
    if (outcome.suspended) running.suspended = true;
    const { copied } = outcome;
    if (copied) running.copiedOut = copyOf(copied.bytes, copied.sha256, running.dataKept?.out);
    if (!outcome.final) return complete;
    this.#running.delete(outcome.statement);
    this.#leaving.delete(outcome.statement);
    // A bind that failed.
    if (running.bound !== undefined) this.#ran({ of: running.bound });
    if (running.error ?? running.discarded) this.#notTaken(outcome.statement);
    // What was to be run of it was passed over as well, and says so.
    if (!(running.discarded && running.ran)) complete.push(shown(running));
    return complete;
  }

  *unanswered(): Generator<Statement> {
    for (const running of this.#running.values()) {
      const isShown = running.type === "prepare" ? !running.ran : running.bound === undefined;
      if (isShown) yield shown(running);
    }
  }

  #unmasked(query: Query): Query {
    const secret = this.#secret;
    this.#secret = undefined;
    if (secret?.statement !== query.statement) return query;
    const { statement: _statement, ...original } = secret;
    const { masked: _masked, ...rest } = query;
    return { ...rest, ...original };
  }

  #build(query: Query): void {
    const name = nameOf(query);
    const before = this.#names.get(name);
    if (before !== undefined) this.#replaced.set(query.statement, before);
    this.#names.set(name, query.statement);
    this.#built.set(query.statement, query);
    const [oldest = 0] = this.#replaced.keys();
    if (this.#replaced.size > leavingMax) this.#taken(oldest);
  }

  #statement(query: Query, type: Statement["type"], timeUs: number): Running {
    const bind = query.type === "bind" ? query : this.#built.get(query.of ?? 0);
    // PostgreSQL executes what was bound to a prepared statement, MySQL the prepared statement itself.
    const prepared = bind?.type === "bind" ? this.#built.get(bind.of ?? 0) : bind;
    const source = query.text === undefined ? prepared : query;
    const textBytes = source?.textBytes;
    return {
      number: query.statement,
      stream: this.#stream,
      type,
      text: source?.text ?? (query.type === "call" ? called(query.name ?? "") : ""),
      ...(textBytes !== undefined && { textBytes }),
      cut: source?.bytes !== undefined,
      masked: [query, bind, prepared].some((part) => part?.masked),
      values: query.values ?? (query.type === "execute" ? bind?.values : undefined) ?? [],
      startedUs: timeUs,
      results: [],
      notices: [],
      notifications: [],
      settings: [],
      discarded: false,
      refused: false,
      suspended: false,
      builtOn: [bind, prepared].flatMap((part) => (part ? [part.statement] : [])),
      ...(query.type === "bind" && { bound: query.of ?? 0 }),
    };
  }
}

/** What it gives a meaning to; only a bind or a prepare does. */
function nameOf({ type, name = "", portal = "" }: Query): string {
  return type === "bind" ? `portal ${portal}` : `prepared ${name}`;
}

function shown(running: Running): Statement {
  const { rowsKept: _rows, dataKept: _data, ran: _ran, bound: _bound, builtOn: _on, ...statement } = running;
  return statement;
}

function saysSomething({ error, notices, notifications, settings }: QueryOutcome): boolean {
  return [notices, notifications, settings].some((list) => list?.length) || error !== undefined;
}

/** A function by its number, or a command of the protocol by its name. */
function called(name: string): string {
  return /^\d+$/.test(name) ? `function ${name}` : name;
}

function rowsOf(all: QueryRows[] | undefined, result: number): Pick<StatementResult, "columns" | "kept"> {
  const own = (all ?? []).filter((rows) => rows.result === result);
  if (own.length === 0) return {};
  const columns = own.find((rows) => rows.columns)?.columns;
  return { kept: own.flatMap(({ rows }) => rows), ...(columns && { columns }) };
}

function copyOf(bytes: number, sha256: string, kept: QueryValue[] | undefined): StatementCopy {
  return { bytes, sha256, ...(kept && { kept: joined(kept) }) };
}

/** Content came in pieces that were cut wherever the network did; it is one text, as far as it is text. */
function joined(pieces: readonly QueryValue[]): QueryValue[] {
  const values: QueryValue[] = [];
  for (const { text, hex } of pieces) {
    const last = values.at(-1);
    if (text !== undefined && last?.text !== undefined) last.text += text;
    else if (hex !== undefined && last?.hex !== undefined) last.hex += hex;
    else values.push({ ...(text !== undefined && { text }), ...(hex !== undefined && { hex }) });
  }
  return values;
}
