import { type Clock, GatehouseError } from "@gatehouse/kernel";
import {
  type FrameKind,
  type Query,
  type QueryCondition,
  type QueryOutcome,
  type QueryResult,
  type QuerySecret,
  type QueryValue,
  encodeQuery,
  encodeQueryOutcome,
  encodeQuerySecret,
  queryLimits,
} from "@gatehouse/recording";
import {
  ContentDigest,
  type Counted,
  type KeepLimits,
  KeptCopy,
  KeptRows,
  maskedValues,
  recordedText,
  textSecrets,
} from "../../../passage/mod.ts";
import {
  backend,
  decodeBind,
  decodeError,
  decodeExecute,
  decodeFunctionCall,
  decodeNamed,
  decodeNotification,
  decodeParameterDescription,
  decodeParameterStatus,
  decodeParse,
  decodeQuery,
  decodeReady,
  decodeRowDescription,
  decodeText,
  frontend,
  rowsOfTag,
} from "../wire/messages.ts";
import { type Piece, eachBody } from "../wire/splitter.ts";
import { typeName } from "../wire/values.ts";
import { type Judged, type RefusedPiece, type Runs, deniedResponse } from "./judged-statement.ts";
import { Names, type Naming } from "./names.ts";
import { type Reviewed, runBy, withValues } from "./reviewed-statement.ts";
import { type Column, RowKeeper } from "./row-keeper.ts";
import { recordedValues } from "./recorded-value.ts";
import { bounded, boundedNotification, boundedSetting, short, withoutSecrets } from "./recorded-words.ts";

/** What the server still owes an answer to, in the order in which it was asked. */
type Owed = {
  what: "simple" | "call" | "parse" | "bind" | "describe" | "close" | "execute" | "sync" | "copy-end";
  /** Of the recorded statement; 0 where it has none. */
  statement: number;
  startedUs: number;
  rows: number;
  prepared: Prepared | undefined;
  /** It holds secrets: what the server says of it may repeat them. */
  masked: boolean;
  /** The gate denied it, and the server's error is only that it got something else in its place. */
  refused: RefusedPiece | undefined;
  /** Results that are told already. */
  results: number;
  /** What its rows are read by, where they are kept. */
  portal: Portal | undefined;
  /** The meaning that it gives a name. */
  naming: Naming | undefined;
};
type Columns = { columns?: readonly Column[] };
/** What was recorded, and whether it holds secrets. */
type Asked = { statement: number; masked?: true };
type Portal = Asked &
  Columns & {
    formats?: readonly number[];
    prepared?: Prepared;
    review?: Reviewed;
    runs?: Runs;
    /** Rows of it that were kept: an Execute may ask for a part of them. */
    kept?: Counted;
  };
/** `secrets` are the numbers of the parameters that stand for some. */
type Prepared = Asked &
  Columns & { types: number[]; secrets?: ReadonlySet<number>; review?: Reviewed; runs?: Runs };
type Outcome = Omit<QueryOutcome, "final"> & { final: boolean };

/** What is told of where an error passes over it. A bind is told of by what it was bound for. */
const toldOf = new Set<Owed["what"]>(["execute", "simple", "call", "parse"]);
const notesMax = queryLimits.notesMax;

/**
 * Follows both directions of a session, message by message, and records each statement as it is asked and each outcome
 * as it is answered. It forwards nothing: whoever does awaits what `asked` and `answered` return.
 */
export class StatementLog {
  readonly #record: (kind: FrameKind, data: Uint8Array) => Promise<void>;
  readonly #clock: Clock;
  #statements = 0;
  #owed: Owed[] = [];
  readonly #prepared = new Names<Prepared>();
  readonly #portals = new Names<Portal>();
  /** So many were asked, and so many of them are owed. */
  #syncs = 0;
  #syncsOwed = 0;
  readonly #copyIn = new ContentDigest();
  /** The server waits for the client's data: a Sync now is passed over by it (§55.2.6). */
  #copyingIn = false;
  readonly #copyOut = new ContentDigest();
  #copyingOut = false;
  /** Of the rows of one result, as they passed. */
  readonly #rows = new ContentDigest();
  /** Of the messages that are being looked at; recorded together. */
  #asked: Promise<void>[] = [];
  #outcomes: Outcome[] = [];
  /** Of what the server says beside its answers; they go with the next outcome. */
  #notices: QueryCondition[] = [];
  #notifications: NonNullable<QueryOutcome["notifications"]> = [];
  #settings: NonNullable<QueryOutcome["settings"]> = [];

  readonly #keptRows: KeptRows | undefined;
  readonly #rowKeeper: RowKeeper | undefined;
  readonly #keptIn: KeptCopy | undefined;
  readonly #keptOut: KeptCopy | undefined;

  constructor(options: {
    record(kind: FrameKind, data: Uint8Array): Promise<void>;
    clock: Clock;
    keep?: KeepLimits;
  }) {
    const { record, keep } = options;
    this.#record = record;
    if (keep && keep.rows > 0)
      this.#rowKeeper = new RowKeeper((this.#keptRows = new KeptRows(keep.rows, record)));
    if (keep && keep.copyBytes > 0) {
      this.#keptIn = new KeptCopy(keep.copyBytes, "in", record);
      this.#keptOut = new KeptCopy(keep.copyBytes, "out", record);
    }
    this.#clock = options.clock;
  }

  /** One piece of what the client sends, and its statement's number. Throws `protocol` for what no client may send now. */
  ask(piece: Piece, { refused, later, runs }: Judged = {}): number {
    this.#ask(piece);
    const last = this.#owed.at(-1);
    if (!last) return 0;
    if (refused) last.refused = refused;
    if (later && last.prepared) last.prepared.review = later;
    if (runs && last.prepared) last.prepared.runs = runs;
    return last.statement;
  }
  /** Whether what is executed waits for an approval. */
  reviewOf({ type, body }: Piece): Reviewed | undefined {
    if (type !== frontend.execute) return undefined;
    const portal = this.#portals.get(decodeExecute(body).portal);
    return portal && this.#reviewOfMeaning(portal, new Set());
  }
  /** Whether anything that a text may turn out to run waits for an approval, however many run each other. */
  reviewOfRun(runs: Runs, seen = new Set<Runs>()): Reviewed | undefined {
    // One that runs itself; the server ends that.
    if (seen.has(runs)) return undefined;
    seen.add(runs);
    for (const { of, name } of runs.names)
      for (const meaning of (of === "prepared" ? this.#prepared : this.#portals).meanings(name)) {
        const run = this.#reviewOfMeaning(meaning, seen);
        if (run) return runBy(runs.text, run);
      }
    return undefined;
  }
  #reviewOfMeaning({ review, runs }: Prepared | Portal, seen: Set<Runs>): Reviewed | undefined {
    return review ?? (runs && this.reviewOfRun(runs, seen));
  }
  /** Whether what the message is about can only be told when the server has answered what it owes. */
  isUnsettled({ type, body }: Piece): boolean {
    if (this.#syncsOwed === 0) return false;
    switch (type) {
      case frontend.bind:
        return this.#prepared.isOpen(decodeBind(body).statement, this.#syncs);
      case frontend.execute:
        return this.#portals.isOpen(decodeExecute(body).portal, this.#syncs);
      case frontend.describe: {
        const { of, name } = decodeNamed(body);
        return (of === "statement" ? this.#prepared : this.#portals).isOpen(name, this.#syncs);
      }
      default:
        return false;
    }
  }
  /** What was asked last has waited for its approval: it is run now, or it is refused. */
  reviewed(refused: RefusedPiece | undefined): void {
    const last = this.#owed.at(-1);
    if (!last) return;
    last.startedUs = this.#clock.monotonicUs();
    if (refused) last.refused = refused;
  }

  #ask(piece: Piece): void {
    const { type, body } = piece;
    switch (type) {
      case frontend.copyData:
        eachBody(piece, (data) => this.#copyIn.update(data));
        if (this.#keptIn) this.#keepCopy(this.#keptIn, this.#copying, piece);
        return;
      case frontend.query:
        this.#owe("simple", this.#texted({ type: "simple" }, decodeQuery(body).text));
        return;
      case frontend.parse: {
        const { name, text, types } = decodeParse(body);
        const shown = types.map((oid) => (oid === 0 ? "" : (typeName(oid) ?? String(oid))));
        const prepared = { types, ...this.#texted({ type: "prepare", name, types: shown }, text) };
        this.#owe("parse", prepared, prepared).naming = this.#prepared.ask(name, prepared, this.#syncs);
        return;
      }
      case frontend.bind: {
        const { portal, statement: name, formats, values, resultFormats } = decodeBind(body);
        const prepared = this.#prepared.get(name);
        const recorded = recordedValues(values, formats, prepared?.types);
        const asked = this.#bound(
          { type: "bind", ...(prepared && { of: prepared.statement }), name, portal },
          recorded,
          prepared,
        );
        const { review, runs } = prepared ?? {};
        const meaning = {
          ...asked,
          ...(runs && { runs }),
          ...(review && {
            review: withValues(
              review,
              { formats, values },
              maskedValues(recorded, prepared?.secrets ?? new Set()),
            ),
          }),
          ...(this.#rowKeeper && {
            formats: resultFormats,
            kept: { rows: 0 },
            ...(prepared && { prepared }),
          }),
        };
        this.#owe("bind", asked).naming = this.#portals.ask(portal, meaning, this.#syncs);
        return;
      }
      case frontend.execute: {
        const { portal, rowsMax } = decodeExecute(body);
        const of = this.#portals.get(portal);
        const statement = this.#query({
          type: "execute",
          ...(of && { of: of.statement }),
          portal,
          ...(rowsMax > 0 && { rowsMax }),
        });
        this.#owe("execute", { statement, ...(of?.masked && { masked: true }) }, undefined, of);
        return;
      }
      case frontend.functionCall: {
        const { oid, formats, values } = decodeFunctionCall(body);
        this.#owe("call", {
          statement: this.#query({
            type: "call",
            name: String(oid),
            values: recordedValues(values, formats, undefined),
          }),
        });
        return;
      }
      case frontend.describe: {
        const { of, name } = decodeNamed(body);
        if (of === "statement") this.#owe("describe", noStatement, this.#prepared.get(name));
        else this.#owe("describe", noStatement, undefined, this.#portals.get(name));
        return;
      }
      case frontend.close: {
        const { of, name } = decodeNamed(body);
        const names = of === "statement" ? this.#prepared : this.#portals;
        this.#owe("close", noStatement).naming = names.ask(name, undefined, this.#syncs);
        return;
      }
      case frontend.sync:
        if (this.#copyingIn) return;
        this.#owe("sync", noStatement);
        this.#syncs++;
        this.#syncsOwed++;
        return;
      case frontend.copyDone:
        this.#copyEnded(undefined);
        return;
      case frontend.copyFail:
        this.#copyEnded(decodeText(body));
        return;
      case frontend.flush:
      case frontend.terminate:
        return;
      default:
        throw new GatehouseError({
          code: "protocol",
          op: "postgres.client",
          message: `message 0x${type.toString(16)} was not expected`,
        });
    }
  }

  /** Resolves when all that was asked since the last call is durable; undefined where nothing was recorded. */
  asked(): Promise<unknown> | undefined {
    if (this.#keptIn) this.#asked.push(...this.#keptIn.kept());
    if (this.#asked.length === 0) return undefined;
    const asked = this.#asked;
    this.#asked = [];
    return together(asked);
  }

  /** Somebody asked on another connection to stop what runs. */
  cancelled(): Promise<void> {
    this.#statements++;
    return this.#record("query", encodeQuery({ statement: this.#statements, type: "cancel" }));
  }

  /** One piece of what the server sends. Something else is shown in its place where that is returned. */
  answer(piece: Piece): Uint8Array | undefined {
    const refused = this.#owed[0]?.refused;
    if (refused && piece.type === backend.errorResponse && decodeError(piece.body).severity === "ERROR") {
      this.#outcomeOf(this.#owed[0]).refused = true;
      this.#failed(this.#owed[0], refused.error);
      return deniedResponse(refused);
    }
    this.#answer(piece);
    return undefined;
  }

  #answer(piece: Piece): void {
    const { type, body } = piece;
    const head = this.#owed[0];
    switch (type) {
      case backend.dataRow:
        if (head) head.rows += piece.messages;
        if (this.#rowKeeper && head && !head.masked)
          this.#rowKeeper.row(
            piece,
            { statement: head.statement, result: head.results, counted: head.portal?.kept },
            head.portal?.columns ?? head.portal?.prepared?.columns,
            head.portal?.formats,
          );
        this.#rows.update(piece.raw);
        return;
      case backend.copyOutResponse:
        this.#copyingOut = true;
        return;
      case backend.copyData:
        eachBody(piece, (data) => this.#copyOut.update(data));
        if (this.#keptOut) this.#keepCopy(this.#keptOut, head, piece);
        return;
      case backend.commandComplete: {
        const tag = decodeText(body);
        this.#result(head, short(tag), rowsOfTag(tag));
        return;
      }
      case backend.emptyQueryResponse:
        this.#result(head, "", undefined);
        return;
      case backend.functionCallResponse:
        if (piece.first) this.#result(head, "FUNCTION CALL", undefined);
        return;
      case backend.portalSuspended:
        if (head?.what !== "execute") return;
        this.#suspended(head);
        return;
      case backend.errorResponse:
        this.#failed(head, said(head, body));
        return;
      case backend.readyForQuery:
        this.#ready(decodeReady(body));
        return;
      case backend.parseComplete:
        if (head?.what === "parse") this.#shift()?.naming?.agreed();
        return;
      case backend.bindComplete:
        if (head?.what === "bind") this.#shift()?.naming?.agreed();
        return;
      case backend.closeComplete:
        if (head?.what === "close") this.#shift()?.naming?.agreed();
        return;
      case backend.parameterDescription:
        // Types that the client left open, as the server found them: later values are read by them.
        if (head?.what === "describe" && head.prepared)
          head.prepared.types = decodeParameterDescription(body);
        return;
      case backend.rowDescription:
        if (this.#rowKeeper && head) described(head, decodeRowDescription(body));
        if (head?.what === "describe") this.#shift();
        return;
      case backend.noData:
        if (head?.what === "describe") this.#shift();
        return;
      case backend.noticeResponse:
        if (this.#notices.length < notesMax) this.#notices.push(bounded(said(head, body)));
        return;
      case backend.notificationResponse:
        if (this.#notifications.length < notesMax)
          this.#notifications.push(boundedNotification(decodeNotification(body)));
        return;
      case backend.parameterStatus:
        if (this.#settings.length < notesMax)
          this.#settings.push(boundedSetting(decodeParameterStatus(body)));
        return;
      case backend.copyBothResponse:
        // §55.4: a stream of WAL out, and what the client says of it in.
        this.#copyingOut = true;
        this.#copyingIn = true;
        return;
      case backend.copyInResponse:
        this.#copyInBegins();
        return;
      default:
        return;
    }
  }

  /** Resolves when every outcome since the last call is durable; undefined where there was none. */
  answered(): Promise<unknown> | undefined {
    // They are shown at once, and not when the statement ends; so they are durable at once.
    if (this.#hasNotes) this.#note(this.#notedOutcome());
    const kept = this.#keptRows?.kept() ?? [];
    if (this.#keptOut) kept.push(...this.#keptOut.kept());
    for (const outcome of this.#outcomes)
      kept.push(this.#record("query.outcome", encodeQueryOutcome(outcome)));
    if (this.#outcomes.length > 0) this.#outcomes = [];
    return together(kept);
  }

  #query(query: Omit<Query, "statement">): number {
    const statement = ++this.#statements;
    this.#asked.push(this.#record("query", encodeQuery({ statement, ...query })));
    return statement;
  }

  /** A text, without what of it is secret; that stands before it, for those who may read what was typed. */
  #texted(query: Omit<Query, "statement">, text: string): Asked & { secrets?: ReadonlySet<number> } {
    const recorded = recordedText(text);
    const secrets = textSecrets(recorded, "postgres");
    if (!secrets) return { statement: this.#query({ ...query, ...recorded }) };
    this.#secret(secrets.secret);
    const statement = this.#query({ ...query, ...secrets.query });
    return { statement, masked: true, secrets: secrets.parameters };
  }
  #bound(query: Omit<Query, "statement">, values: QueryValue[], prepared: Prepared | undefined): Asked {
    if (!prepared?.masked) return { statement: this.#query({ ...query, values }) };
    const { secrets = new Set<number>() } = prepared;
    if (secrets.size === 0) return { statement: this.#query({ ...query, values }), masked: true };
    this.#secret({ values });
    return {
      statement: this.#query({ ...query, values: maskedValues(values, secrets), masked: true }),
      masked: true,
    };
  }
  /** Of the query that is recorded next. */
  #secret(secret: Omit<QuerySecret, "statement">): void {
    const statement = this.#statements + 1;
    this.#asked.push(this.#record("query.secret", encodeQuerySecret({ statement, ...secret })));
  }

  #owe(what: Owed["what"], { statement, masked }: Asked, prepared?: Prepared, portal?: Portal): Owed {
    const owed = {
      what,
      statement,
      masked: masked === true,
      startedUs: this.#clock.monotonicUs(),
      rows: 0,
      results: 0,
      refused: undefined,
      prepared,
      portal,
      naming: undefined,
    };
    this.#owed.push(owed);
    return owed;
  }
  /** The head is answered, or never will be. */
  #shift(): Owed | undefined {
    const head = this.#owed.shift();
    if (head?.what === "sync") this.#syncsOwed--;
    return head;
  }

  /** The statement that a copy in belongs to. */
  get #copying(): Owed | undefined {
    return this.#owed.find(({ what }) => what === "simple" || what === "execute");
  }
  /** Nothing of a statement with secrets: what it chose by them may show them. */
  #keepCopy(kept: KeptCopy, of: Owed | undefined, piece: Piece): void {
    if (!of?.masked) eachBody(piece, (data) => kept.add(of?.statement ?? 0, data));
  }

  /** The digest of the data is durable before the server learns that it has all of it, and so before it can commit. */
  #copyEnded(failed: string | undefined): void {
    this.#keptIn?.ended();
    if (this.#keptIn) this.#asked.push(...this.#keptIn.kept());
    const digest = this.#copyIn.done();
    if (!this.#copyingIn) this.#owe("copy-end", noStatement);
    this.#copyingIn = false;
    const of = this.#copying?.statement ?? 0;
    this.#query({
      type: "copy",
      ...(of > 0 && { of }),
      ...digest,
      ...(failed !== undefined && { failed: short(failed) }),
    });
  }

  /** §55.2.6: while it takes the data, the server passes over the Syncs that were sent behind the statement. */
  #copyInBegins(): void {
    for (let at = 1; at < this.#owed.length;) {
      const what = this.#owed[at]?.what;
      if (what === "sync") {
        this.#owed.splice(at, 1);
        this.#syncsOwed--;
      } else if (what === "copy-end") {
        this.#owed.splice(at, 1);
        return;
      } else at++;
    }
    this.#copyingIn = true;
  }

  get #hasNotes(): boolean {
    return this.#notices.length + this.#notifications.length + this.#settings.length > 0;
  }
  #note(outcome: Outcome): void {
    if (this.#notices.length > 0) outcome.notices = this.#notices.splice(0);
    if (this.#notifications.length > 0) outcome.notifications = this.#notifications.splice(0);
    if (this.#settings.length > 0) outcome.settings = this.#settings.splice(0);
  }
  #notedOutcome(): Outcome {
    const running = this.#owed.find(({ statement }) => statement > 0);
    const outcome = this.#outcomeOf(running);
    if (!running) outcome.final = true;
    return outcome;
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

  #result(head: Owed | undefined, tag: string, counted: number | undefined): void {
    const outcome = this.#outcomeOf(head);
    const rows = counted ?? (head && head.rows > 0 ? head.rows : undefined);
    const result: QueryResult = this.#rows.bytes > 0 ? { tag, ...this.#rows.done() } : { tag };
    if (rows !== undefined) result.rows = rows;
    outcome.results.push(result);
    if (this.#copyingOut) {
      outcome.copied = this.#copyOut.done();
      this.#keptOut?.ended();
      this.#copyingOut = false;
    }
    if (!head) outcome.final = true;
    else {
      head.rows = 0;
      head.results++;
      if (head.what === "execute") this.#done(head);
    }
  }

  /** §55.2.3: as many rows as the client wanted for now. */
  #suspended(head: Owed): void {
    const outcome = this.#outcomeOf(head);
    outcome.suspended = true;
    outcome.results.push({ tag: "", rows: head.rows, ...(this.#rows.bytes > 0 && this.#rows.done()) });
    this.#done(head);
  }

  /** The head's outcome is complete. */
  #done(head: Owed): void {
    const outcome = this.#outcomeOf(head);
    outcome.final = true;
    this.#note(outcome);
    this.#shift();
    this.#copyingIn = false;
  }

  #failed(head: Owed | undefined, error: QueryCondition): void {
    const outcome = this.#outcomeOf(head);
    outcome.error = bounded(error);
    // What passed before the error is told with it.
    if (this.#rows.bytes > 0)
      outcome.results.push({ tag: "", ...(head && { rows: head.rows }), ...this.#rows.done() });
    if (this.#copyingOut) outcome.copied = this.#copyOut.done();
    this.#copyingOut = false;
    this.#copyingIn = false;
    if (!head) {
      outcome.final = true;
      return;
    }
    switch (head.what) {
      case "simple":
      case "call":
        return; // ReadyForQuery follows and completes it.
      case "sync":
        outcome.final = true; // What the Sync committed could not be committed; its ReadyForQuery follows.
        return;
      default:
        head.naming?.refused();
        this.#done(head);
    }
    // §55.2.3: after an error in the extended protocol the server passes over everything up to the next Sync.
    for (;;) {
      const skipped = this.#owed[0];
      if (!skipped || skipped.what === "sync") return;
      skipped.naming?.refused();
      if (toldOf.has(skipped.what)) {
        this.#outcomeOf(skipped).discarded = true;
        this.#done(skipped);
      } else this.#shift();
    }
  }

  #ready(status: NonNullable<QueryOutcome["status"]>): void {
    for (;;) {
      const head = this.#owed[0];
      if (!head) break;
      if (head.what === "simple" || head.what === "call") {
        this.#outcomeOf(head);
        this.#done(head);
        break;
      }
      this.#shift();
      if (head.what === "sync") break;
    }
    // Where the outcome was delivered before, the status alone is not worth a frame.
    const last = this.#outcomes.at(-1);
    if (last) last.status = status;
  }
}

/** The columns of what is answered next, or of what was asked about. */
function described(head: Owed, columns: readonly Column[]): void {
  if (head.what === "simple") head.portal = { statement: head.statement, columns };
  const asked = head.what === "describe" ? (head.prepared ?? head.portal) : undefined;
  if (asked) asked.columns = columns;
}

const noStatement: Asked = { statement: 0 };

function said(head: Owed | undefined, body: Uint8Array): QueryCondition {
  const condition = decodeError(body);
  return head?.masked ? withoutSecrets(condition) : condition;
}

function together(promises: Promise<void>[]): Promise<unknown> | undefined {
  return promises.length > 1 ? Promise.all(promises) : promises[0];
}
