import type { TLSSocket } from "node:tls";
import { type Clock, messageOf, utf8 } from "@gatehouse/kernel";
import { type KeepLimits, Lane, Spans, farewellMs, reviewWords } from "../../../passage/mod.ts";
import type { Session, SessionEnding } from "../../../sessions/mod.ts";
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

/** Bytes that wait for the disk in one direction; above it that side is not read. */
const waitingBytesMax = 1024 * 1024;
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
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #fromClient: MessageSplitter;
  readonly #fromServer: MessageSplitter;
  readonly #held: HeldRequests;
  #state: "open" | "ending" | "closed" = "open";
  /** The client said goodbye as the protocol wants it. */
  #terminated = false;
  /** A message is only half passed to the client: nothing of ours may be put behind it. */
  #clientMidMessage = false;
  #ending: (() => void) | undefined;
  /** For the client, as soon as the message that is under way has ended. */
  #unsaid: Uint8Array[] = [];
  #congested = false;
  /** A statement waits for its approval, and behind it what the client sent meanwhile. */
  #waiting: { pieces: Piece[]; chunks: Uint8Array[]; bytes: number; over: AbortController } | undefined;
  /** What the client sent is no protocol; told when what was sent before it has passed. */
  #failure: unknown;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { session, clock } = options;
    this.#log = new StatementLog({
      record: (kind, data) => session.record(kind, 0, data),
      clock,
      ...(options.keep && { keep: options.keep }),
    });
    // The session ends itself when a frame is lost, and tells us by `onEnding`.
    const lost = () => undefined;
    this.#up = new Lane(lost, () => this.#balance());
    this.#down = new Lane(lost, () => this.#balance());
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
      giveUp: (message) => this.#end({ reason: "failed", message, graceMs: farewellMs }),
      changed: () => this.#balance(),
    });
  }

  #remark(text: string): void {
    this.#say(encodeNotice(`gatehouse: ${text}`), text);
  }

  /** Something of ours for the client, when its time between the server's messages has come. */
  #say(bytes: Uint8Array, said: string | undefined): void {
    const { session, client } = this.#options;
    const recorded = said === undefined ? undefined : session.record("notice", 0, utf8(`${said}\n`));
    this.#down.push(recorded, bytes.length, () => {
      if (this.#clientMidMessage) this.#unsaid.push(bytes);
      else client.write(bytes);
    });
  }

  /** `rest` came from the target behind its greeting. */
  start(rest: Uint8Array): void {
    const { client, target, session } = this.#options;
    client.on("data", (chunk: Buffer) => this.#fromClientCame(chunk));
    target.on("data", (chunk: Buffer) => this.#fromTargetCame(chunk));
    client.on("drain", () => this.#balance());
    target.on("drain", () => this.#balance());
    client.on("error", () => undefined);
    target.on("error", () => undefined);
    client.once("close", () => this.#clientGone());
    target.once("close", () => this.#targetGone());
    session.onEnding((ending) => this.#end(ending));
    // Who looks on is not for programs; what holds them up is.
    session.onNotice(({ about, text }) => {
      if (about !== "watch" && this.#state === "open") this.#remark(text);
    });
    // Either may have gone while the other was being signed in to, and says so only once.
    if (client.destroyed) this.#clientGone();
    if (target.destroyed) this.#targetGone();
    if (rest.length > 0) this.#fromTargetCame(rest);
    this.#balance();
  }

  /** A cancel request came for this session: recorded, then passed on. */
  async cancelAsked(): Promise<void> {
    if (this.#state !== "open" || !this.#options.session.inputAllowed()) return;
    await this.#log.cancelled();
    if (this.#waiting) this.#waiting.over.abort();
    else await this.#options.cancel();
  }

  #fromClientCame(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#waiting) {
      this.#waiting.chunks.push(chunk);
      this.#waiting.bytes += chunk.length;
    } else if (!this.#held.takes(chunk, this.#fromClient.atBoundary)) {
      this.#take(this.#fromClient.feed(chunk));
      this.#options.session.active();
    }
    this.#balance();
  }

  /** Passes on what the client sent, up to a statement that must wait. */
  #take(pieces: Iterable<Piece>): void {
    const { rules, target } = this.#options;
    const out = new Spans();
    const noted: Promise<void>[] = [];
    let held: { piece: Piece; review: Reviewed; statement: number; rest: Piece[] } | undefined;
    try {
      for (const piece of pieces) {
        if (held) {
          held.rest.push(piece);
          continue;
        }
        const judged = rules && judge(piece, rules);
        const review = judged?.review ?? (rules && this.#log.reviewOf(piece));
        const statement = this.#log.ask(piece, judged);
        if (review) {
          held = { piece, review, statement, rest: [] };
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
    if (out.bytes > 0) this.#up.push(recorded, out.bytes, () => out.write(target));
    if (held) return void this.#review(held, recorded);
    if (this.#failure !== undefined) return this.#broken("client", this.#failure);
    if (this.#terminated) this.#up.push(undefined, 0, () => target.end());
  }

  /** Waits until somebody else has decided about a statement, which is recorded by then, and goes on behind it. */
  async #review(
    { piece, review, statement, rest }: { piece: Piece; review: Reviewed; statement: number; rest: Piece[] },
    recorded: Promise<unknown> | undefined,
  ): Promise<void> {
    const { session, target, approvalWaitMs, explain } = this.#options;
    const { verdict, text, asked } = review;
    const waiting = { pieces: rest, chunks: [], bytes: 0, over: new AbortController() };
    this.#waiting = waiting;
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
      waiting.over.signal,
    );
    // Approved while input is paused: it waits for that too.
    if (outcome.outcome === "approved") await session.whenInputAllowed(Infinity);
    if (this.#state !== "open" || this.#options.client.destroyed) return;
    this.#waiting = undefined;
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
    this.#up.push(refused && this.#audited("db.statement.denied", fields), raw.length, () =>
      target.write(raw),
    );
    this.#take(waiting.pieces);
    for (const chunk of waiting.chunks) this.#fromClientCame(chunk);
    this.#balance();
  }

  #fromTargetCame(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    const out = new Spans();
    let midMessage = !this.#fromServer.givenAtBoundary;
    const ready: ReturnType<typeof decodeReady>[] = [];
    try {
      for (const piece of this.#fromServer.feed(chunk)) {
        out.add(this.#log.answer(piece) ?? piece.raw);
        if (piece.type === backend.readyForQuery) ready.push(decodeReady(piece.body));
        midMessage = !piece.last;
        // Ours is the next word: the message that is under way ends here.
        if (this.#state === "ending" && piece.last) break;
      }
    } catch (error) {
      this.#broken("server", error);
      return;
    }
    this.#options.session.active();
    const { client } = this.#options;
    if (out.bytes > 0)
      this.#down.push(this.#log.answered(), out.bytes, () => {
        this.#clientMidMessage = midMessage;
        out.write(client);
        if (midMessage) return;
        for (const bytes of this.#unsaid.splice(0)) client.write(bytes);
        this.#ending?.();
      });
    // Behind what was just pushed: an answer of ours comes after the server's.
    for (const status of ready) this.#held.ready(status);
    this.#balance();
  }

  /** What the audit log does not take is not answered either. */
  #audited(event: string, fields: Record<string, unknown>): Promise<void> {
    const noted = this.#options.session.audit(event, fields, event !== "db.statement.denied");
    noted.catch((error: unknown) =>
      this.#end({
        reason: "failed",
        message: `the audit log failed: ${messageOf(error)}`,
        graceMs: farewellMs,
      }),
    );
    return noted;
  }

  /** Reads each side as long as the other takes it and the disk keeps up. */
  #balance(): void {
    const { client, target, session } = this.#options;
    if (this.#state === "closed") return;
    if (session.congested && !this.#congested) {
      this.#congested = true;
      const over = () => {
        this.#congested = false;
        this.#balance();
      };
      session.ready().then(over, over);
    }
    const readClient =
      this.#state === "open" &&
      !this.#congested &&
      !this.#held.isFull &&
      (this.#waiting?.bytes ?? 0) < waitingBytesMax &&
      !target.writableNeedDrain &&
      this.#up.waitingBytes < waitingBytesMax;
    const readTarget =
      !this.#congested && !client.writableNeedDrain && this.#down.waitingBytes < waitingBytesMax;
    flow(client, readClient);
    flow(target, readTarget);
  }

  /** Somebody else's will: what runs is stopped, and the client is told in the words of its protocol (57P01). */
  #end({ reason, message, graceMs }: SessionEnding): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    const { client, target, clock } = this.#options;
    this.#up.cut();
    void this.#options.cancel().catch(() => undefined);
    const finish = (midMessage: boolean) => {
      this.#ending = undefined;
      if (this.#state === "closed") return;
      this.#down.cut();
      if (!midMessage)
        client.write(encodeErrorResponse({ severity: "FATAL", code: "57P01", message, hint: undefined }));
      client.end();
      target.destroy();
      this.#close(reason, message);
      clock.after(farewellMs, () => client.destroy());
    };
    if (!this.#clientMidMessage) return finish(false);
    // Within a row: its end must pass first, and if that does not come in time, nothing can be said.
    const timer = clock.after(Math.min(graceMs / 2, farewellMs), () => finish(true));
    this.#ending = () => {
      timer.cancel();
      finish(false);
    };
  }

  /** A side sent what is not the protocol, or what is too large. */
  #broken(side: "client" | "server", error: unknown): void {
    if (this.#state !== "open") return;
    const { client, target, clock } = this.#options;
    const message = `the ${side} broke the protocol: ${messageOf(error)}`;
    this.#state = "ending";
    // What it sent before that was in order; it passes.
    this.#up.push(undefined, 0, () => target.end());
    this.#down.push(undefined, 0, () => {
      if (!this.#clientMidMessage)
        client.write(encodeErrorResponse({ severity: "FATAL", code: "08P01", message, hint: undefined }));
      client.end();
      this.#close("failed", message);
    });
    clock.after(farewellMs, () => {
      this.#close("failed", message);
      client.destroy();
      target.destroy();
    });
  }

  #clientGone(): void {
    const { target, clock } = this.#options;
    this.#waiting?.over.abort();
    this.#up.push(undefined, 0, () => target.end());
    // What still comes from the target is recorded; then it is over.
    clock.after(farewellMs, () => {
      target.destroy();
      this.#close(this.#terminated ? "closed" : "connection_lost");
    });
  }

  #targetGone(): void {
    const { client, clock } = this.#options;
    this.#waiting?.over.abort();
    this.#down.push(undefined, 0, () => {
      client.end();
      this.#close(this.#terminated ? "closed" : client.destroyed ? "connection_lost" : "target_lost");
    });
    clock.after(farewellMs, () => {
      client.destroy();
      this.#close(this.#terminated ? "closed" : "target_lost");
    });
  }

  #close(reason: Parameters<Session["end"]>[0]["reason"], detail?: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    void this.#options.session.end({ reason, ...(detail !== undefined && { detail }) });
  }
}

function flow(socket: TLSSocket, read: boolean): void {
  if (read && socket.isPaused()) socket.resume();
  else if (!read && !socket.isPaused()) socket.pause();
}
