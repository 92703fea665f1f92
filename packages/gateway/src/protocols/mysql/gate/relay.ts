import type { TLSSocket } from "node:tls";
import { type Clock, utf8 } from "@gatehouse/kernel";
import { type KeepLimits, Spans, TwoSides, reviewWords, waitingBytesMax } from "../../../passage/mod.ts";
import type { Session } from "../../../sessions/mod.ts";
import type { StatementRules } from "../../../statements/mod.ts";
import { FedDialogue } from "../sign-in/dialogue.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import { command, encodeError, isAnswered } from "../wire/messages.ts";
import { PacketSplitter, encodePacket } from "../wire/packets.ts";
import { Answers } from "./answers.ts";
import { Commands, type Verdict, type WaitingCommand } from "./commands.ts";
import { deniedError } from "./denied-command.ts";
import type { ConnectionNames } from "./kill.ts";
import { PreparedStatements } from "./prepared.ts";

export type RelayOptions = {
  client: TLSSocket;
  target: TLSSocket;
  session: Session;
  clock: Clock;
  /** As agreed on both legs. */
  capabilities: Capabilities;
  database: string;
  connections: ConnectionNames;
  localFiles: boolean;
  /** Undefined where everything passes: nothing is parsed then. */
  rules?: StatementRules;
  /** How much of rows and files is kept in the recording. */
  keep: KeepLimits;
  /** How long a statement waits for its approval. */
  approvalWaitMs: number;
  /** Largest message of a client that is no part of a file: a statement, or its parameters. */
  statementBytesMax: number;
  /** Asks the target to stop what runs and to close the connection. */
  kill(): Promise<void>;
  /** Begins the session anew on the target, in words with both sides, and resolves with the server's yes. */
  changeUser(payload: Uint8Array, client: FedDialogue, target: FedDialogue): Promise<Uint8Array>;
};

type Waiting = {
  command: WaitingCommand;
  raw: Uint8Array;
  behind: { payload: Uint8Array; raw: Uint8Array }[];
  chunks: Uint8Array[];
  bytes: number;
  over: AbortController;
  begun?: true;
};

/** Of a message of the server that is looked at; rows are not, and may be as large as they are. */
const serverMessageBytesMax = 16 * 1024 * 1024;

/** A session's data from the first command to the end: recorded, then forwarded as it came, both ways. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #answers: Answers;
  readonly #commands: Commands;
  readonly #sides: TwoSides;
  readonly #fromClient: PacketSplitter;
  readonly #fromServer: PacketSplitter;
  /** The client said goodbye as the protocol wants it. */
  #quit = false;
  /** What of the chunk that is being cut goes on. */
  #out = new Spans();
  /** What the gate answers in the server's place, in its turn. */
  #refused = false;
  #sequence = 0;
  #inside = false;
  /** What the client has got: whether it is within a message, and the number that it waits for. */
  #delivered = { inside: false, next: 1 };
  /** What came from the client while input is paused, and waits. */
  #held: Uint8Array[] | undefined;
  /** A statement waits for its approval, and behind it what the client sent meanwhile. */
  #waiting: Waiting | undefined;
  /** What waited has waited too long. */
  #refusing = false;
  /** A COM_CHANGE_USER that was asked for, and the words with the target that it takes. */
  #change: Uint8Array | undefined;
  #changing: { client: FedDialogue; target: FedDialogue } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    const {
      client,
      target,
      session,
      clock,
      capabilities,
      statementBytesMax,
      connections,
      localFiles,
      rules,
    } = options;
    const record: Session["record"] = (kind, stream, data) => session.record(kind, stream, data);
    const statements = new PreparedStatements();
    const shared = {
      record: (kind: Parameters<Session["record"]>[0], data: Uint8Array) => record(kind, 0, data),
      capabilities,
      statements,
    };
    this.#answers = new Answers({ ...shared, clock, keepRows: options.keep.rows });
    this.#commands = new Commands({
      ...shared,
      answers: this.#answers,
      connections,
      localFiles,
      keepFileBytes: options.keep.copyBytes,
      ...(rules && {
        rules,
        denied: (fields) => this.#sides.audited(session.audit("db.statement.denied", fields, false)),
      }),
    });
    this.#sides = new TwoSides({
      client,
      target,
      session,
      clock,
      clientCame: (chunk) => this.#fromClientCame(chunk),
      targetCame: (chunk) => this.#fromTargetCame(chunk),
      takesMore: () => !this.#held && (this.#waiting?.bytes ?? 0) < waitingBytesMax,
      midMessage: () => this.#delivered.inside,
      saidGoodbye: () => this.#quit,
      // Class 08: whoever keeps connections for later throws this one away.
      farewell: (message) =>
        encodePacket(this.#delivered.next, encodeError({ code: 1053, sqlState: "08S01", message })),
      stopTarget: () => (this.#answers.idle ? undefined : options.kill()),
      gone: (side) => {
        this.#changing?.[side].closed();
        this.#waiting?.over.abort();
      },
    });
    this.#fromClient = new PacketSplitter({
      op: "mysql.client",
      wholeBytesMax: statementBytesMax,
      sink: {
        begins: (_first, bytes, sequence) => this.#commands.begins(bytes, sequence),
        whole: (payload, raw) => this.#commanded(payload, raw),
        content: (piece) => this.#commands.content(piece),
        pass: (raw) => this.#out.add(raw),
      },
    });
    this.#fromServer = new PacketSplitter({
      op: "mysql.server",
      wholeBytesMax: serverMessageBytesMax,
      sink: {
        begins: (first, bytes) => this.#answers.begins(first, bytes),
        whole: (payload, raw, sequence) => {
          const instead = this.#answers.whole(payload, raw);
          this.#answered(instead ? encodePacket(sequence, encodeError(instead)) : raw, sequence, false);
          this.#refuse();
        },
        pass: (raw, sequence, inside, counted) => {
          if (counted) this.#answers.rowsPass(raw);
          this.#answered(raw, sequence, inside);
        },
      },
    });
  }

  async start(): Promise<void> {
    const { database } = this.#options;
    if (database !== "") await this.#commands.connected(database);
    this.#sides.start();
  }

  #fromClientCame(chunk: Uint8Array): void {
    if (!this.#sides.isOpen) return;
    if (this.#changing) return this.#changing.client.feed(chunk);
    if (this.#held) return void this.#held.push(chunk);
    if (this.#waiting) {
      this.#waiting.chunks.push(chunk);
      this.#waiting.bytes += chunk.length;
      return this.#sides.balance();
    }
    if (this.#refusing || this.#options.session.inputAllowed() || isGoodbye(chunk)) return this.#take(chunk);
    this.#held = [chunk];
    this.#sides.balance();
    void this.#wait();
  }

  /**
   * What came while input is paused waits; the client is not read meanwhile. After the operator's limit a command is answered
   * with an error and not run, which leaves a transaction as it was. A file that is under way waits as long as the pause.
   */
  async #wait(): Promise<void> {
    const { session } = this.#options;
    let state = await session.whenInputAllowed();
    const isCommand = this.#fromClient.givenAtBoundary && !this.#commands.isInFile;
    if (state === "paused" && !isCommand) state = await session.whenInputAllowed(Infinity);
    const chunks = this.#held ?? [];
    this.#held = undefined;
    if (!this.#sides.isOpen || state === "ending") return;
    this.#refusing = state === "paused";
    // Paused anew meanwhile: then they are held anew.
    for (const chunk of chunks) this.#fromClientCame(chunk);
    this.#sides.balance();
  }

  #take(chunk: Uint8Array): void {
    this.#passOn(() => this.#fromClient.feed(chunk));
  }

  /** What `look` lets pass goes on, when it is recorded. */
  #passOn(look: () => void): void {
    this.#out = new Spans();
    let failure: unknown;
    try {
      look();
    } catch (error) {
      failure = error;
    }
    // The command that had begun is over: the next has a wait of its own.
    if (this.#fromClient.heldBytes === 0) this.#refusing = false;
    this.#options.session.active();
    const { target } = this.#options;
    const out = this.#out;
    const recorded = this.#commands.asked();
    if (out.bytes > 0 || recorded) this.#sides.up.push(recorded, out.bytes, () => out.write(target));
    if (failure !== undefined) return this.#sides.broken("client", failure);
    if (this.#quit) this.#sides.endTarget();
    if (this.#change) this.#changeUser(this.#change);
    if (this.#refused) this.#answerRefused();
    if (this.#waiting && !this.#waiting.begun) void this.#review(this.#waiting, recorded);
    this.#sides.balance();
  }

  /** Waits until somebody else has decided about a statement, which is recorded by then, and goes on behind it. */
  async #review(waiting: Waiting, recorded: Promise<unknown> | undefined): Promise<void> {
    waiting.begun = true;
    const { session, client, approvalWaitMs } = this.#options;
    const { verdict, statement, text, approved, refused } = waiting.command;
    const { rule, kind } = verdict;
    try {
      await Promise.all([
        recorded,
        this.#sides.audited(session.audit("db.statement.hold", { rule, statement_kind: kind, statement })),
        session.record("notice", 0, utf8(`${reviewWords.waits(rule, approvalWaitMs)}\n`)),
      ]);
    } catch {
      return; // The session ends by that.
    }
    const outcome = await session.review(
      {
        statement,
        rule,
        text,
        limitMs: approvalWaitMs,
        // MariaDB runs parts of some statements to tell their plan.
        plan: () => Promise.reject(new Error("only PostgreSQL is asked for a plan")),
      },
      waiting.over.signal,
    );
    // Approved while input is paused: it waits for that too.
    if (outcome.outcome === "approved") await session.whenInputAllowed(Infinity);
    if (!this.#sides.isOpen || client.destroyed) return;
    this.#waiting = undefined;
    this.#passOn(() => {
      if (outcome.outcome === "approved") {
        session.record("notice", 0, utf8(`${reviewWords.approved(outcome)}\n`)).catch(() => undefined);
        this.#decided(approved(), waiting.raw);
      } else {
        const message = reviewWords.refused(outcome, rule);
        this.#decided(
          refused(message === undefined ? deniedError(verdict) : { ...notApproved, message }),
          waiting.raw,
        );
      }
      for (const { payload, raw } of waiting.behind) this.#commanded(payload, raw);
    });
    for (const chunk of waiting.chunks) this.#fromClientCame(chunk);
  }

  #commanded(payload: Uint8Array, raw: Uint8Array): void {
    if (this.#waiting) {
      this.#waiting.behind.push({ payload: Uint8Array.from(payload), raw: Uint8Array.from(raw) });
      return;
    }
    if (this.#refusing && isAnswered(payload[0] ?? -1))
      this.#decided(this.#commands.refuse(payload, waitedTooLong), raw);
    else this.#decided(this.#commands.ask(payload), raw, payload);
  }
  #decided(verdict: Verdict, raw: Uint8Array, payload = raw): void {
    switch (verdict.type) {
      case "quit":
        this.#quit = true;
        break;
      case "replace":
        return this.#out.add(encodePacket(0, verdict.payload));
      case "refuse":
        this.#refused = true;
        return;
      case "drop":
        return;
      case "review":
        this.#waiting = {
          command: verdict,
          raw: Uint8Array.from(raw),
          behind: [],
          chunks: [],
          bytes: 0,
          over: new AbortController(),
        };
        return;
      case "change-user":
        this.#change = Uint8Array.from(payload);
        return;
      case "pass":
        break;
    }
    this.#out.add(raw);
  }

  /** Where nothing else is owed before it, the gate's answer needs nothing from the server. */
  #answerRefused(): void {
    this.#refused = false;
    this.#out = new Spans();
    this.#refuse();
    this.#deliver();
  }
  #refuse(): void {
    for (let error = this.#answers.refusal(); error; error = this.#answers.refusal())
      this.#answered(encodePacket(1, encodeError(error)), 1, false);
  }

  #fromTargetCame(chunk: Uint8Array): void {
    if (this.#changing) return this.#changing.target.feed(chunk);
    this.#out = new Spans();
    let failure: unknown;
    try {
      if (this.#sides.isOpen) this.#fromServer.feed(chunk);
      else this.#finishMessage(chunk);
    } catch (error) {
      failure = error;
    }
    this.#options.session.active();
    this.#deliver();
    if (failure !== undefined) return this.#sides.broken("server", failure);
    this.#sides.balance();
  }

  /** Ours is the next word: of what comes only the message that is under way goes on. */
  #finishMessage(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#fromServer.givenAtBoundary;) {
      const end = at + this.#fromServer.packetLeft;
      this.#fromServer.feed(chunk.subarray(at, end));
      at = end;
    }
  }

  #answered(raw: Uint8Array, sequence: number, inside: boolean): void {
    this.#sequence = sequence;
    this.#inside = inside;
    this.#out.add(raw);
  }

  /** Sends the client what is collected, when the outcomes in it are durable. */
  #deliver(): void {
    const { client } = this.#options;
    const out = this.#out;
    if (out.bytes === 0) return;
    const inside = this.#inside;
    const next = this.#answers.atStart ? 1 : (this.#sequence + 1) & 0xff;
    this.#sides.down.push(this.#answers.answered(), out.bytes, () => {
      this.#delivered = { inside, next };
      out.write(client);
      if (!inside) this.#sides.delivered();
    });
  }

  /** The target's session begins anew. Behind the frame that tells of it. */
  #changeUser(payload: Uint8Array): void {
    const { client, target, changeUser } = this.#options;
    const over = (socket: TLSSocket, op: string, sequence: number) =>
      new FedDialogue({
        op,
        sequence,
        write: (bytes) => void (socket.destroyed || socket.write(bytes)),
      });
    const changing = { client: over(client, "mysql.client", 1), target: over(target, "mysql.dial", 0) };
    this.#change = undefined;
    this.#changing = changing;
    this.#sides.up.push(undefined, 0, () => {
      changeUser(payload, changing.client, changing.target)
        .then((ok) => {
          this.#changing = undefined;
          this.#out = new Spans();
          this.#answers.whole(ok, ok);
          const { sequence } = changing.client;
          this.#answered(encodePacket(sequence, ok), sequence, false);
          this.#deliver();
          this.#sides.balance();
        })
        .catch((error: unknown) => this.#sides.broken("server", error));
    });
  }
}

/** MySQL "Server Error Message Reference": ER_QUERY_INTERRUPTED. */
const waitedTooLong = {
  code: 1317,
  sqlState: "70100",
  message:
    "input is paused, and this has waited too long; it was not run. Try again when input passes again.",
};

/** ER_SPECIFIC_ACCESS_DENIED_ERROR. */
const notApproved = { code: 1227, sqlState: "42000" };

/** COM_QUIT, alone in its packet: whoever says goodbye may go. */
function isGoodbye(chunk: Uint8Array): boolean {
  return chunk.length === 5 && chunk[0] === 1 && chunk[3] === 0 && chunk[4] === command.quit;
}
