import type { TLSSocket } from "node:tls";
import { type Clock, utf8 } from "@gatehouse/kernel";
import { type KeepLimits, Spans, TwoSides, reviewWords, waitingBytesMax } from "../../../passage/mod.ts";
import type { Session } from "../../../sessions/mod.ts";
import { backend, decodeReady, encodeErrorResponse, encodeNotice, frontend } from "../wire/messages.ts";
import { MessageSplitter, type Piece } from "../wire/splitter.ts";
import type { StatementRules } from "../../../statements/mod.ts";
import { type RefusedPiece, judge, refusedPiece } from "./judged-statement.ts";
import type { Explained, Reviewed } from "./reviewed-statement.ts";
import { HeldRequests } from "./held-requests.ts";
import { StatementLog } from "./statement-log.ts";

export type RelayOptions = {
  client: TLSSocket;
  target: TLSSocket;
  session: Session;
  clock: Clock;
  /** Undefined where everything passes: nothing is parsed then. */
  rules?: StatementRules;
  /** How long a statement waits for its approval. */
  approvalWaitMs: number;
  /** What the target would do with a statement, asked on a connection of its own. */
  explain(asked: Explained): Promise<string>;
  keep?: KeepLimits;
  /** Largest message of a client that is no copy data: a statement, or its parameters. */
  statementBytesMax: number;
  /** Asks the target to stop what runs. */
  cancel(): Promise<void>;
};

/** Of a message of the server that is looked at; rows and copy data are not, and may be as large as they are. */
const serverMessageBytesMax = 16 * 1024 * 1024;

const fromClient = new Set<number>(Object.values(frontend));
const fromServer = new Set<number>(
  Object.values(backend).filter(
    (type) => type !== backend.authentication && type !== backend.negotiateProtocolVersion,
  ),
);
const passing = new Set<number>([backend.dataRow, backend.copyData, backend.functionCallResponse]);

const copies = new Set<number>([backend.copyData]);
const rowsAndCopies = new Set<number>([backend.dataRow, backend.copyData]);

/** A session's data from the first statement to the end: recorded, then forwarded as it came, both ways. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #log: StatementLog;
  readonly #sides: TwoSides;
  readonly #fromClient: MessageSplitter;
  readonly #fromServer: MessageSplitter;
  readonly #held: HeldRequests;
  /** The client said goodbye as the protocol wants it. */
  #terminated = false;
  /** A message is only half passed to the client: nothing of ours may be put behind it. */
  #clientMidMessage = false;
  /** For the client, as soon as the message that is under way has ended. */
  #unsaid: Uint8Array[] = [];
  /**
   * A statement waits for its approval (`over` then ends that), or the first of `pieces` for what the server owes; behind it
   * what the client sent meanwhile.
   */
  #waiting:
    | { pieces: Piece[]; chunks: Uint8Array[]; bytes: number; over: AbortController | undefined }
    | undefined;
  /** What the client sent is no protocol; told when what was sent before it has passed. */
  #failure: unknown;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { client, target, session, clock, cancel } = options;
    this.#log = new StatementLog({
      record: (kind, data) => session.record(kind, 0, data),
      clock,
      ...(options.keep && { keep: options.keep }),
    });
    this.#sides = new TwoSides({
      client,
      target,
      session,
      clock,
      clientCame: (chunk) => this.#fromClientCame(chunk),
      targetCame: (chunk) => this.#fromTargetCame(chunk),
      takesMore: () => !this.#held.isFull && (this.#waiting?.bytes ?? 0) < waitingBytesMax,
      midMessage: () => this.#clientMidMessage,
      saidGoodbye: () => this.#terminated,
      // PostgreSQL appendix A: 57P01 is admin_shutdown, 08P01 protocol_violation.
      farewell: (message, why) =>
        encodeErrorResponse({
          severity: "FATAL",
          code: why === "ended" ? "57P01" : "08P01",
          message,
          hint: undefined,
        }),
      stopTarget: cancel,
      gone: () => this.#waiting?.over?.abort(),
    });
    this.#fromClient = new MessageSplitter({
      op: "postgres.client",
      known: (type) => fromClient.has(type),
      whole: (type) => type !== frontend.copyData,
      runs: (type) => type === frontend.copyData,
      wholeBytesMax: options.statementBytesMax,
    });
    // Rows that are kept are read one by one.
    const runs = (options.keep?.rows ?? 0) > 0 ? copies : rowsAndCopies;
    this.#fromServer = new MessageSplitter({
      op: "postgres.server",
      known: (type) => fromServer.has(type),
      whole: (type) => !passing.has(type),
      runs: (type) => runs.has(type),
      wholeBytesMax: serverMessageBytesMax,
    });
    this.#held = new HeldRequests({
      session,
      pass: (chunk) => this.#fromClientCame(chunk),
      answer: (bytes, said) => this.#say(bytes, said),
      giveUp: (message) => this.#sides.fail(message),
      changed: () => this.#sides.balance(),
    });
  }

  #remark(text: string): void {
    this.#say(encodeNotice(`gatehouse: ${text}`), text);
  }

  /** Something of ours for the client, when its time between the server's messages has come. */
  #say(bytes: Uint8Array, said: string | undefined): void {
    const { session, client } = this.#options;
    const recorded = said === undefined ? undefined : session.record("notice", 0, utf8(`${said}\n`));
    this.#sides.down.push(recorded, bytes.length, () => {
      if (this.#clientMidMessage) this.#unsaid.push(bytes);
      else client.write(bytes);
    });
  }

  /** `rest` came from the target behind its greeting. */
  start(rest: Uint8Array): void {
    const { session } = this.#options;
    // Who looks on is not for programs; what holds them up is.
    session.onNotice(({ about, text }) => {
      if (about !== "watch" && this.#sides.isOpen) this.#remark(text);
    });
    this.#sides.start(rest);
  }

  /** A cancel request came for this session: recorded, then passed on. */
  async cancelAsked(): Promise<void> {
    if (!this.#sides.isOpen || !this.#options.session.inputAllowed()) return;
    await this.#log.cancelled();
    if (this.#waiting?.over) this.#waiting.over.abort();
    else await this.#options.cancel();
  }

  #fromClientCame(chunk: Uint8Array): void {
    if (!this.#sides.isOpen) return;
    if (this.#waiting) {
      this.#waiting.chunks.push(chunk);
      this.#waiting.bytes += chunk.length;
    } else if (!this.#held.takes(chunk, this.#fromClient.atBoundary)) {
      this.#take(this.#fromClient.feed(chunk));
      this.#options.session.active();
    }
    this.#sides.balance();
  }

  /** Passes on what the client sent, up to a statement that must wait. */
  #take(pieces: Iterable<Piece>): void {
    const { rules, target } = this.#options;
    const out = new Spans();
    const noted: Promise<void>[] = [];
    let held: { piece: Piece; review: Reviewed; statement: number } | undefined;
    let rest: Piece[] | undefined;
    try {
      for (const piece of pieces) {
        if (rest) {
          rest.push(piece);
          continue;
        }
        if (this.#log.isUnsettled(piece)) {
          rest = [piece];
          continue;
        }
        const judged = rules && judge(piece, rules, (runs) => this.#log.reviewOfRun(runs));
        const review = judged?.review ?? (rules && this.#log.reviewOf(piece));
        const statement = this.#log.ask(piece, judged);
        if (review) {
          held = { piece, review, statement };
          rest = [];
          continue;
        }
        const { refused } = judged ?? {};
        if (refused) noted.push(this.#audited("db.statement.denied", { ...refused.fields, statement }));
        if (piece.last) this.#held.passed(piece.type);
        out.add(refused?.instead ?? piece.raw);
        if (piece.type === frontend.terminate) this.#terminated = true;
      }
    } catch (error) {
      this.#failure = error;
    }
    const asked = this.#log.asked();
    const recorded = noted.length > 0 ? Promise.all([asked, ...noted]) : asked;
    if (out.bytes > 0) this.#sides.up.push(recorded, out.bytes, () => out.write(target));
    if (rest) {
      const over = held && new AbortController();
      this.#waiting = { pieces: rest, chunks: [], bytes: 0, over };
      if (held && over) void this.#review(held, recorded, over.signal);
      return;
    }
    if (this.#failure !== undefined) return this.#sides.broken("client", this.#failure);
    if (this.#terminated) this.#sides.endTarget();
  }

  /** Waits until somebody else has decided about a statement, which is recorded by then, and goes on behind it. */
  async #review(
    { piece, review, statement }: { piece: Piece; review: Reviewed; statement: number },
    recorded: Promise<unknown> | undefined,
    over: AbortSignal,
  ): Promise<void> {
    const { session, target, approvalWaitMs, explain } = this.#options;
    const { verdict, text, asked } = review;
    const fields = { rule: verdict.rule, statement_kind: verdict.kind, statement };
    try {
      await Promise.all([recorded, this.#audited("db.statement.hold", fields)]);
    } catch {
      return; // The session ends by that.
    }
    this.#remark(reviewWords.waits(verdict.rule, approvalWaitMs));
    const outcome = await session.review(
      {
        statement,
        rule: verdict.rule,
        text,
        limitMs: approvalWaitMs,
        plan: () =>
          asked
            ? explain(asked)
            : Promise.reject(
                new Error("a plan would show more than the text, which is cut or holds secrets"),
              ),
      },
      over,
    );
    // Approved while input is paused: it waits for that too.
    if (outcome.outcome === "approved") await session.whenInputAllowed(Infinity);
    if (!this.#sides.isOpen || this.#options.client.destroyed) return;
    let refused: RefusedPiece | undefined;
    if (outcome.outcome === "approved") this.#remark(reviewWords.approved(outcome));
    else {
      const message = reviewWords.refused(outcome, verdict.rule) ?? verdict.message;
      // PostgreSQL appendix A: 57014 is query_canceled.
      const code = outcome.outcome === "withdrawn" ? "57014" : "42501";
      refused = refusedPiece(piece, verdict, { code, message });
    }
    this.#log.reviewed(refused);
    this.#held.passed(piece.type);
    const raw = refused?.instead ?? piece.raw;
    this.#sides.up.push(refused && this.#audited("db.statement.denied", fields), raw.length, () =>
      target.write(raw),
    );
    this.#goOn();
  }

  /** What the client sent behind what had to wait. */
  #goOn(): void {
    const { pieces = [], chunks = [] } = this.#waiting ?? {};
    this.#waiting = undefined;
    this.#take(pieces);
    for (const chunk of chunks) this.#fromClientCame(chunk);
    this.#sides.balance();
  }

  /** The server has answered: perhaps it is clear now what the client's next message is about. */
  async #settle(): Promise<void> {
    const waiting = this.#waiting;
    const [first] = waiting?.pieces ?? [];
    if (!waiting || waiting.over || !first || this.#log.isUnsettled(first)) return;
    // Paused meanwhile: it waits for that too.
    if (!this.#options.session.inputAllowed()) await this.#options.session.whenInputAllowed(Infinity);
    if (this.#waiting === waiting && this.#sides.isOpen) this.#goOn();
  }

  #fromTargetCame(chunk: Uint8Array): void {
    const out = new Spans();
    let midMessage = !this.#fromServer.givenAtBoundary;
    const ready: ReturnType<typeof decodeReady>[] = [];
    try {
      for (const piece of this.#fromServer.feed(chunk)) {
        out.add(this.#log.answer(piece) ?? piece.raw);
        if (piece.type === backend.readyForQuery) ready.push(decodeReady(piece.body));
        midMessage = !piece.last;
        // Ours is the next word: the message that is under way ends here.
        if (this.#sides.isEnding && piece.last) break;
      }
    } catch (error) {
      this.#sides.broken("server", error);
      return;
    }
    this.#options.session.active();
    const { client } = this.#options;
    if (out.bytes > 0)
      this.#sides.down.push(this.#log.answered(), out.bytes, () => {
        this.#clientMidMessage = midMessage;
        out.write(client);
        if (midMessage) return;
        for (const bytes of this.#unsaid.splice(0)) client.write(bytes);
        this.#sides.delivered();
      });
    // Behind what was just pushed: an answer of ours comes after the server's.
    for (const status of ready) this.#held.ready(status);
    if (ready.length > 0) void this.#settle();
    this.#sides.balance();
  }

  #audited(event: string, fields: Record<string, unknown>): Promise<void> {
    const { session } = this.#options;
    return this.#sides.audited(session.audit(event, fields, event !== "db.statement.denied"));
  }
}
