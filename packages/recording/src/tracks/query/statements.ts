import {
  decodeQuery,
  decodeQueryOutcome,
  type Query,
  type QueryCondition,
  type QueryOutcome,
  type QueryResult,
  type QueryValue,
} from "./query-payloads.ts";

/** A statement that was run, or that failed before it could be, with all that came of it. */
export type Statement = {
  number: number;
  stream: number;
  type: "simple" | "prepare" | "execute" | "call" | "cancel";
  /** Empty where the gate did not see it prepared, and for a cancel. */
  text: string;
  /** The text was cut in the recording. */
  cut: boolean;
  values: QueryValue[];
  startedUs: number;
  /** Absent where the recording ends before it. */
  durationUs?: number;
  results: QueryResult[];
  error?: QueryCondition;
  notices: QueryCondition[];
  status?: NonNullable<QueryOutcome["status"]>;
  discarded: boolean;
  suspended: boolean;
  copiedIn?: { bytes: number; sha256: string };
  copiedOut?: { bytes: number; sha256: string };
};

type QueryFrame = { kind: string; stream: number; timeUs: number; data: Uint8Array };

/**
 * The statements of a session, each when its outcome is complete, and at the end those that have none. Memory is what
 * is prepared and what runs, however long the session.
 */
export async function* statements(
  frames: AsyncIterable<QueryFrame> | Iterable<QueryFrame>,
): AsyncGenerator<Statement> {
  const streams = new Streams();
  for await (const frame of frames) {
    const complete = streams.take(frame);
    if (complete) yield complete;
  }
  yield* streams.unanswered();
}

/** The same of frames that are all there, in the order in which the statements began. */
export function statementsIn(frames: Iterable<QueryFrame>): Statement[] {
  const streams = new Streams();
  const all: Statement[] = [];
  for (const frame of frames) {
    const complete = streams.take(frame);
    if (complete) all.push(complete);
  }
  all.push(...streams.unanswered());
  return all.sort((a, b) => a.startedUs - b.startedUs);
}

class Streams {
  readonly #streams = new Map<number, Stream>();

  take({ kind, stream, timeUs, data }: QueryFrame): Statement | undefined {
    if (kind === "query") return this.#of(stream).ask(decodeQuery(data), timeUs);
    if (kind === "query.outcome") return this.#of(stream).answer(decodeQueryOutcome(data), timeUs);
    return undefined;
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

class Stream {
  readonly #stream: number;
  readonly #running = new Map<number, Statement>();
  /** Prepares and binds by number, and the number that holds each name now. */
  readonly #built = new Map<number, Query>();
  readonly #names = new Map<string, number>();

  constructor(stream: number) {
    this.#stream = stream;
  }

  /** The statement where it is complete by itself: a cancel has no outcome. */
  ask(query: Query, timeUs: number): Statement | undefined {
    switch (query.type) {
      case "copy": {
        const running = this.#running.get(query.of ?? 0);
        if (running && query.sha256 !== undefined)
          running.copiedIn = { bytes: query.bytes ?? 0, sha256: query.sha256 };
        return undefined;
      }
      case "bind":
        this.#build(`portal ${query.portal ?? ""}`, query);
        // A bind is no statement of its own, but one that fails is shown in its place.
        this.#running.set(query.statement, this.#statement(query, "execute", timeUs));
        return undefined;
      case "prepare":
        this.#build(`prepared ${query.name ?? ""}`, query);
        this.#running.set(query.statement, this.#statement(query, "prepare", timeUs));
        return undefined;
      case "cancel":
        return this.#statement(query, "cancel", timeUs);
      case "simple":
      case "execute":
      case "call":
        this.#running.set(query.statement, this.#statement(query, query.type, timeUs));
        return undefined;
    }
  }

  answer(outcome: QueryOutcome, timeUs: number): Statement | undefined {
    const running =
      this.#running.get(outcome.statement) ??
      // What belongs to no statement is shown only when it says that something went wrong.
      (outcome.error && this.#statement({ statement: 1, type: "simple", text: "" }, "simple", timeUs));
    if (!running) return undefined;
    running.durationUs = outcome.durationUs;
    running.results.push(...outcome.results);
    running.notices.push(...(outcome.notices ?? []));
    if (outcome.error) running.error = outcome.error;
    if (outcome.status) running.status = outcome.status;
    if (outcome.discarded) running.discarded = true;
    if (outcome.suspended) running.suspended = true;
    if (outcome.copied) running.copiedOut = outcome.copied;
    if (!outcome.final) return undefined;
    this.#running.delete(outcome.statement);
    return running;
  }

  *unanswered(): Generator<Statement> {
    for (const [number, statement] of this.#running)
      if (!this.#built.has(number) && statement.type !== "prepare") yield statement;
  }

  #build(name: string, query: Query): void {
    const before = this.#names.get(name);
    if (before !== undefined) {
      this.#built.delete(before);
      this.#running.delete(before);
    }
    this.#names.set(name, query.statement);
    this.#built.set(query.statement, query);
  }

  #statement(query: Query, type: Statement["type"], timeUs: number): Statement {
    const bind = query.type === "bind" ? query : this.#built.get(query.of ?? 0);
    const prepared = bind?.type === "bind" ? this.#built.get(bind.of ?? 0) : undefined;
    const source = query.text === undefined ? prepared : query;
    return {
      number: query.statement,
      stream: this.#stream,
      type,
      text: source?.text ?? (query.type === "call" ? `function ${query.name ?? ""}` : ""),
      cut: source?.bytes !== undefined,
      values: query.values ?? (query.type === "execute" ? bind?.values : undefined) ?? [],
      startedUs: timeUs,
      results: [],
      notices: [],
      discarded: false,
      suspended: false,
    };
  }
}

/** One line for people: the statement with its parameters, and what came of it. */
export function statementLine(statement: Statement): string {
  const { text, values, results, error, durationUs } = statement;
  const parts = [statement.type === "cancel" ? "cancel" : onOneLine(text) || "(not seen prepared)"];
  if (values.length > 0)
    parts.push(`[${values.map((value, i) => `$${i + 1}=${valueText(value)}`).join(", ")}]`);
  if (statement.type === "cancel") return parts.join(" ");
  const ends: string[] = results.map(({ tag }) => tag);
  if (statement.suspended) ends.push("suspended");
  if (statement.discarded) ends.push("discarded");
  if (error) ends.push(`${error.severity} ${error.code} ${onOneLine(error.message)}`);
  if (ends.length === 0) ends.push(durationUs === undefined ? "no outcome" : "done");
  if (durationUs !== undefined) ends.push(`${(durationUs / 1000).toFixed(1)} ms`);
  return `${parts.join(" ")} -> ${ends.join(", ")}`;
}

export function valueText(value: QueryValue): string {
  if (value.null) return "NULL";
  const shown = value.hex !== undefined ? `0x${value.hex}` : `'${onOneLine(value.text ?? "")}'`;
  return value.bytes === undefined ? shown : `${shown} (cut, ${value.bytes} bytes)`;
}

/** Nothing in a statement may draw on the terminal that shows it. */
function onOneLine(text: string): string {
  return (
    text
      .replaceAll(/\s*[\r\n]\s*/g, " ")
      // eslint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd")
      .trim()
  );
}
