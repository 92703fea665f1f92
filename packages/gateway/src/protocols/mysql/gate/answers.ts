import type { Clock } from "@gatehouse/kernel";
import { type FrameKind, type QueryOutcome, encodeQueryOutcome } from "@gatehouse/recording";
import { type Capabilities, capability } from "../wire/capabilities.ts";
import { readText } from "../wire/fields.ts";
import {
  type Ok,
  type ServerError,
  answer,
  decodeColumnCount,
  decodeEnd,
  decodeError,
  decodeOk,
  decodePrepared,
  progressCode,
  status,
} from "../wire/messages.ts";
import { withoutQuoted } from "../../../statements/mod.ts";
import { ContentDigest, KeptRows } from "../../../passage/mod.ts";
import { type Treatment, broken, packetBytesMax } from "../wire/packets.ts";
import type { PreparedStatement, PreparedStatements } from "./prepared.ts";
import { type Column, RowKeeper } from "./row-keeper.ts";

/** What the server still owes an answer to, in the order in which it was asked. */
export type Owed = {
  /**
   * `rows`: results with or without rows; `fetch`: rows alone; `fields`: definitions alone; `one`: a single message;
   * `refused`: nothing, the gate answers itself.
   */
  what: "rows" | "fetch" | "fields" | "one" | "prepare" | "refused";
  /** Of the recorded statement; 0 where it has none. */
  statement: number;
  startedUs: number;
  prepared?: PreparedStatement;
  /** The server may ask for a file of the client's. */
  loads?: boolean;
  /** The gate's own answer: alone, or, where the server is asked for `one` message, in its place. */
  error?: ServerError;
  /** It holds secrets: what the server says of it may repeat them. */
  masked?: boolean;
  /** What was prepared, and is executed: its rows come in binary. */
  execution?: PreparedStatement;
  /** Results that are told already. */
  results?: number;
};

/** A file that the server wants of the client. */
export type FileAsked = { statement: number; name: string; masked: boolean };

type Phase = "first" | "parameters" | "parameters-end" | "columns" | "columns-end" | "rows";
type Outcome = Omit<QueryOutcome, "final"> & { final: boolean };

const op = "mysql.server";
const messageCharsMax = 8192;
/** Names are of 64 characters at most; whatever is larger is no definition that is looked at. */
const definitionBytesMax = 16 * 1024;

/**
 * Follows what the server sends, message by message, and records each outcome. It forwards nothing: whoever does awaits
 * what `answered` returns.
 */
export class Answers {
  readonly #record: (kind: FrameKind, data: Uint8Array) => Promise<void>;
  readonly #clock: Pick<Clock, "monotonicUs">;
  readonly #capabilities: Capabilities;
  readonly #statements: PreparedStatements;
  readonly #owed: Owed[] = [];
  #phase: Phase = "first";
  /** Definitions that follow. */
  #left = 0;
  /** The message that is being gathered is a row. */
  #rowBegun = false;
  /** Definitions of columns that follow those of parameters. */
  #columns = 0;
  /** Those of what is being prepared are told at all. */
  #isTold = true;
  #rows = 0;
  /** Of the rows of a result, as they pass: the packets from their length on. */
  readonly #digest = new ContentDigest();
  readonly #keptRows: KeptRows | undefined;
  readonly #rowKeeper: RowKeeper | undefined;
  /** Of the result or the prepared statement that is being told; undefined where one could not be read. */
  #told: Column[] | undefined = [];
  #outcomes: Outcome[] = [];
  /** What else must be durable before the client gets an answer. */
  #noted: Promise<unknown>[] = [];
  /** Set when the server asked for a file; the client's side takes it. */
  fileAsked: FileAsked | undefined;

  constructor(options: {
    record(kind: FrameKind, data: Uint8Array): Promise<void>;
    clock: Pick<Clock, "monotonicUs">;
    capabilities: Capabilities;
    statements: PreparedStatements;
    /** How many rows of each result are kept. */
    keepRows: number;
  }) {
    const { record, keepRows, capabilities } = options;
    if (keepRows > 0)
      this.#rowKeeper = new RowKeeper((this.#keptRows = new KeptRows(keepRows, record)), capabilities);
    this.#record = record;
    this.#clock = options.clock;
    this.#capabilities = capabilities;
    this.#statements = options.statements;
  }

  /** Nothing is owed. */
  get idle(): boolean {
    return this.#owed.length === 0;
  }
  /** The server has yet to give a number to what was prepared. */
  get isPreparing(): boolean {
    return this.#owed.some(({ what }) => what === "prepare");
  }
  /** The next message is the first of an answer, or of none. */
  get atStart(): boolean {
    return this.#phase === "first";
  }

  owe(owed: Omit<Owed, "startedUs">): void {
    this.#owed.push({ ...owed, startedUs: this.#clock.monotonicUs() });
  }

  /** What becomes of the message that begins. Most rows and definitions pass, and rows are counted. */
  begins(first: number, bytes: number): Treatment {
    if (this.#phase === "first") {
      const what = this.#owed[0]?.what;
      // These have no head: their first message is one of the list already.
      if (what === "fetch") this.#phase = "rows";
      else if (what === "fields") this.#phase = "columns";
    }
    switch (this.#phase) {
      case "rows":
        // A row of one text of 16 MB begins with 0xFE too; its first packet is full.
        if (first === answer.error || (first === answer.end && bytes < packetBytesMax)) return "whole";
        this.#rows++;
        return this.#rowKeeper && this.#keepsRow(this.#rowKeeper, bytes) ? "whole" : "count";
      case "columns":
      case "parameters":
        if (first === answer.error || first === answer.end) return "whole";
        // Looked at, it is counted when it is whole.
        if (this.#rowKeeper && this.#phase === "columns" && bytes <= definitionBytesMax) return "whole";
        this.#told = undefined;
        // A COM_FIELD_LIST does not say how many there will be.
        if (this.#owed[0]?.what !== "fields" && --this.#left === 0) this.#listed();
        return "pass";
      default:
        return "whole";
    }
  }
  /** Bytes of rows that `begins` wanted counted. */
  rowsPass(raw: Uint8Array): void {
    this.#digest.update(raw);
  }

  /**
   * A message for which `begins` said so. Returns the gate's answer where that takes its place. Throws `protocol` for what no
   * server sends now.
   */
  whole(payload: Uint8Array, raw: Uint8Array): ServerError | undefined {
    const { error, what } = this.#owed[0] ?? {};
    if (what === "one" && error) {
      this.#failed(this.#owed[0], error);
      return error;
    }
    this.#said(payload, raw);
    return undefined;
  }
  #said(payload: Uint8Array, raw: Uint8Array): void {
    const head = this.#owed[0];
    const first = payload[0] ?? -1;
    if (this.#rowBegun) {
      this.#rowBegun = false;
      this.#digest.update(raw);
      this.#rowKeeper?.row(payload, this.#columnsOf(head) ?? [], head?.execution !== undefined);
      return;
    }
    if (first === answer.error) {
      const error = decodeError(payload);
      if (error.code !== progressCode) this.#failed(head, error);
      return;
    }
    if (!head) throw broken(op, "an answer that nobody asked for");
    switch (this.#phase) {
      case "first":
        this.#first(head, first, payload);
        return;
      case "parameters-end":
        this.#parametersDone();
        return;
      case "columns-end": {
        const { status: flags } = decodeEnd(payload, this.#capabilities);
        if (head.what === "prepare") this.#shift();
        // The rows of a cursor come when they are fetched.
        else if (flags & status.cursorExists) this.#rowsEnd(head, payload);
        else this.#phase = "rows";
        return;
      }
      case "rows":
        this.#rowsEnd(head, payload);
        return;
      case "columns":
        if (this.#rowKeeper && first !== answer.end) return this.#defined(head, payload);
        if (head.what === "fields") {
          this.#outcomeOf(head);
          this.#done(head, 0);
          return;
        }
        throw broken(op, "definitions that end too soon");
      case "parameters":
        throw broken(op, "definitions that end too soon");
    }
  }

  /** The gate's own answer, once everything before it was answered: recorded, and taken from the queue. */
  refusal(): ServerError | undefined {
    const head = this.#owed[0];
    if (head?.what !== "refused" || !head.error) return undefined;
    this.#failed(head, head.error);
    return head.error;
  }

  /** Nothing is answered from now on before this is kept. */
  noted(kept: Promise<unknown>): void {
    this.#noted.push(kept);
  }

  /** Resolves when every outcome since the last call is durable; undefined where there was none. */
  answered(): Promise<unknown> | undefined {
    const kept: Promise<unknown>[] = [...this.#noted.splice(0), ...(this.#keptRows?.kept() ?? [])];
    for (const outcome of this.#outcomes.splice(0))
      kept.push(this.#record("query.outcome", encodeQueryOutcome(outcome)));
    return kept.length > 1 ? Promise.all(kept) : kept[0];
  }

  /** An error is the end of an answer, wherever it comes. */
  #failed(head: Owed | undefined, { code, sqlState, message }: ServerError): void {
    const outcome = this.#outcomeOf(head);
    outcome.error = {
      severity: "ERROR",
      code: sqlState === "" ? String(code) : `${code} (${sqlState})`,
      message: (head?.masked ? withoutQuoted(message) : message).slice(0, messageCharsMax).toWellFormed(),
    };
    if (head?.error) outcome.refused = true;
    // What passed before the error is told with it.
    if (this.#rows > 0) outcome.results.push({ tag: "", rows: this.#rows, ...this.#rowsDigest() });
    outcome.final = true;
    if (head?.what === "prepare" && head.prepared && this.#phase === "first")
      this.#statements.close(head.prepared);
    if (head) this.#shift();
  }

  #first(head: Owed, first: number, payload: Uint8Array): void {
    switch (head.what) {
      case "one":
        // A COM_STATISTICS is answered by a text, everything else by an OK or an EOF.
        if (head.statement !== 0) this.#outcomeOf(head).results.push({ tag: "OK" });
        this.#done(head, 0);
        return;
      case "prepare":
        this.#preparedAs(head, payload);
        return;
      case "rows":
        this.#result(head, first, payload);
        return;
      default:
        throw broken(op, "an answer to what it was not asked");
    }
  }

  #result(head: Owed, first: number, payload: Uint8Array): void {
    if (first === answer.ok && payload.length >= 7) {
      const ok = decodeOk(payload, this.#capabilities);
      this.#outcomeOf(head).results.push({ tag: okTag(ok), rows: ok.affectedRows });
      this.#resultDone(head, ok.status);
    } else if (first === answer.localFile) {
      if (head.loads !== true) throw broken(op, "it asks for a file that nobody offered");
      this.fileAsked = {
        statement: head.statement,
        name: readText(payload.subarray(1)),
        masked: head.masked === true,
      };
    } else {
      const { columns, definitions } = decodeColumnCount(payload, this.#capabilities);
      this.#left = columns;
      // What was told before is only right where it is of as many columns.
      this.#told = definitions || head.execution?.columns?.length === columns ? [] : undefined;
      if (definitions) this.#phase = "columns";
      else this.#listed();
    }
  }

  /** Whether the row that begins is looked at. */
  #keepsRow(keeper: RowKeeper, bytes: number): boolean {
    const head = this.#owed[0];
    if (!head || head.masked || !this.#columnsOf(head)) return false;
    const counted = head.what === "fetch" ? head.execution?.kept : undefined;
    return (this.#rowBegun = keeper.wants(bytes, head.statement, head.results ?? 0, counted));
  }
  /** Those of the result, or those that were told when it was prepared: a server need not repeat them. */
  #columnsOf(head: Owed | undefined): readonly Column[] | undefined {
    const isTold = head?.what !== "fetch" && this.#told?.length !== 0;
    return isTold ? this.#told : head?.execution?.columns;
  }
  #defined(head: Owed, payload: Uint8Array): void {
    const column = this.#rowKeeper?.column(payload);
    if (column) this.#told?.push(column);
    else this.#told = undefined;
    if (head.what !== "fields" && --this.#left === 0) this.#listed();
  }

  /** All definitions of a list have passed, or are not told. */
  #listed(): void {
    const ends = (this.#capabilities.flags & capability.deprecateEof) === 0;
    const { what, prepared, execution } = this.#owed[0] ?? {};
    // Of an execution too: a cursor's rows come without.
    const statement = what === "prepare" ? prepared : execution;
    if (this.#phase === "columns" && statement && this.#told) statement.columns = this.#told;
    if (this.#phase === "parameters") {
      if (ends) this.#phase = "parameters-end";
      else this.#parametersDone();
    } else if (ends) this.#phase = "columns-end";
    else if (this.#owed[0]?.what === "prepare") this.#shift();
    else this.#phase = "rows";
  }

  #preparedAs(head: Owed, payload: Uint8Array): void {
    const prepared = decodePrepared(payload, this.#capabilities);
    if (head.prepared) this.#statements.answered(head.prepared, prepared.id, prepared.parameters);
    this.#columns = prepared.columns;
    this.#isTold = prepared.definitions;
    this.#list("parameters", prepared.parameters);
  }
  #parametersDone(): void {
    const columns = this.#columns;
    this.#columns = 0;
    this.#told = this.#isTold ? [] : undefined;
    this.#list("columns", columns);
  }
  /** Definitions of what was prepared follow, or nothing of them but their end. */
  #list(phase: "parameters" | "columns", count: number): void {
    this.#phase = phase;
    this.#left = count;
    if (count > 0) {
      if (!this.#isTold) this.#listed();
    } else if (phase === "parameters") this.#parametersDone();
    else this.#shift();
  }

  #rowsEnd(head: Owed, payload: Uint8Array): void {
    const { status: flags, warnings } = decodeEnd(payload, this.#capabilities);
    const outcome = this.#outcomeOf(head);
    const rows = this.#rows;
    const tag = `${rows} ${rows === 1 ? "row" : "rows"} in set${warned(warnings)}`;
    outcome.results.push({ tag, rows, ...this.#rowsDigest() });
    // Rows that wait at the server: some are fetched, or none yet.
    if (flags & status.cursorExists && (flags & status.lastRowSent) === 0) outcome.suspended = true;
    this.#resultDone(head, flags);
  }

  #rowsDigest(): { bytes: number; sha256: string } | undefined {
    return this.#digest.bytes > 0 ? this.#digest.done() : undefined;
  }

  #resultDone(head: Owed, flags: number): void {
    this.#phase = "first";
    this.#rows = 0;
    head.results = (head.results ?? 0) + 1;
    if (flags & status.moreResults) return;
    this.#done(head, flags);
  }

  #done(head: Owed, flags: number): void {
    if (head.statement !== 0) {
      const outcome = this.#outcomeOf(head);
      outcome.final = true;
      if (head.what !== "one") outcome.status = flags & status.inTransaction ? "transaction" : "idle";
    }
    this.#shift();
  }

  #shift(): void {
    this.#owed.shift();
    this.#phase = "first";
    this.#left = 0;
    this.#rows = 0;
  }

  #outcomeOf(owed: Owed | undefined): Outcome {
    const statement = owed?.statement ?? 0;
    const last = this.#outcomes.at(-1);
    const durationUs = owed ? Math.max(0, this.#clock.monotonicUs() - owed.startedUs) : 0;
    if (last && !last.final && last.statement === statement) {
      last.durationUs = durationUs;
      return last;
    }
    const outcome: Outcome = { statement, durationUs, final: false, results: [] };
    this.#outcomes.push(outcome);
    return outcome;
  }
}

/** The words of the stock client. */
function okTag({ affectedRows, info, warnings }: Ok): string {
  const rows = `OK, ${affectedRows} ${affectedRows === 1 ? "row" : "rows"} affected`;
  const told = info === "" ? "" : ` (${info.slice(0, 256).toWellFormed()})`;
  return rows + told + warned(warnings);
}
function warned(warnings: number): string {
  return warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
}
