import type { Session } from "../../../sessions/mod.ts";
import { backend, encodeErrorResponse, encodeMessage, frontend } from "../wire/messages.ts";
import { readInt32 } from "../wire/splitter.ts";

export type HeldRequestsOptions = {
  session: Pick<Session, "inputAllowed" | "whenInputAllowed">;
  /** It may pass now. */
  pass(chunk: Uint8Array): void;
  /** For the client, behind all that the server has answered; `said` is what is to be recorded of it, where it is more than a mark. */
  answer(bytes: Uint8Array, said?: string): void;
  /** What waits can be answered by no error that would leave both sides of one mind: the session must end. */
  giveUp(message: string): void;
  /** Whether the client should be read has changed. */
  changed(): void;
};

const headerBytes = 5;
const notRun = "input is paused, and this has waited too long; it was not run";

/**
 * What a client sends while input is paused. It waits, and after the operator's limit it is answered with an error (57000) and not
 * run. That is only true where the server neither works on something nor has a transaction open that the client would then
 * believe to have failed; anywhere else the session ends, and with it the transaction. A copy waits as long as the pause.
 */
export class HeldRequests {
  readonly #options: HeldRequestsOptions;
  #mode: "open" | "holding" | "refusing" = "open";
  #chunks: Uint8Array[] = [];
  /** The limit is over: what waits is refused as soon as it can be. */
  #late = false;
  /** What is held begins with a message, and not within one. */
  #whole = true;
  /** ReadyForQuery that the server owes. */
  #owed = 0;
  /** Everything that was passed is closed by a Sync, or is a statement of its own. */
  #settled = true;
  #status: "idle" | "transaction" | "failed" = "idle";
  /** While refusing: of the message under way, what was not seen of its header and its body. */
  #header: number[] = [];
  #bodyLeft = 0;
  /** §55.2.3: after an error everything up to the next Sync is passed over. */
  #untilSync = false;

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
  }

  /** The client is not read meanwhile. */
  get isFull(): boolean {
    return this.#mode === "holding";
  }

  /** A whole message of the client was passed. */
  passed(type: number): void {
    switch (type) {
      case frontend.query:
      case frontend.functionCall:
      case frontend.sync:
        this.#owed++;
        this.#settled = true;
        return;
      case frontend.parse:
      case frontend.bind:
      case frontend.describe:
      case frontend.execute:
      case frontend.close:
        this.#settled = false;
        return;
      default:
        return;
    }
  }
  /** The server was ready for the next. */
  ready(status: "idle" | "transaction" | "failed"): void {
    this.#owed = Math.max(0, this.#owed - 1);
    this.#status = status;
    this.#look();
  }

  /** True: it is held, and must not pass now. `atBoundary`: it begins with a message. */
  takes(chunk: Uint8Array, atBoundary: boolean): boolean {
    if (this.#mode === "refusing") {
      this.#refuse(chunk);
      return true;
    }
    if (this.#mode === "open") {
      // Whoever says goodbye may go.
      if (this.#options.session.inputAllowed() || (atBoundary && chunk[0] === frontend.terminate))
        return false;
      this.#mode = "holding";
      this.#late = false;
      this.#whole = atBoundary;
      void this.#wait();
    }
    this.#chunks.push(chunk);
    return true;
  }

  async #wait(): Promise<void> {
    const { session } = this.#options;
    let state = await session.whenInputAllowed();
    if (state === "paused") {
      this.#late = true;
      this.#look();
      if (this.#mode !== "holding") return;
      state = await session.whenInputAllowed(Infinity);
    }
    if (this.#mode !== "holding") return;
    this.#mode = "open";
    const chunks = this.#chunks.splice(0);
    // Paused anew between the two: then they are held anew.
    if (state === "allowed") for (const chunk of chunks) this.#options.pass(chunk);
    this.#options.changed();
  }

  #look(): void {
    if (!this.#late || this.#mode !== "holding" || this.#owed > 0) return;
    if (isCopy(this.#chunks[0]?.[0])) return;
    if (!this.#whole || !this.#settled || this.#status !== "idle") return this.#options.giveUp(notRun);
    this.#mode = "refusing";
    for (const chunk of this.#chunks.splice(0)) this.#refuse(chunk);
    this.#options.changed();
  }

  #refuse(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      this.#header.push(chunk[at++] as number);
      if (this.#header.length < headerBytes) continue;
      const header = Uint8Array.from(this.#header);
      this.#header = [];
      this.#bodyLeft = Math.max(0, readInt32(header, 1) - 4);
      if (header[0] === frontend.terminate) {
        this.#mode = "open";
        return this.#options.pass(header);
      }
      this.#answer(header[0] as number);
    }
    if (this.#header.length === 0 && this.#bodyLeft === 0 && !this.#untilSync) this.#mode = "open";
  }

  #answer(type: number): void {
    const { answer } = this.#options;
    switch (type) {
      case frontend.query:
      case frontend.functionCall:
        answer(refusal, notRun);
        answer(readyIdle);
        return;
      case frontend.sync:
        this.#untilSync = false;
        answer(readyIdle);
        return;
      case frontend.parse:
      case frontend.bind:
      case frontend.describe:
      case frontend.execute:
      case frontend.close:
        if (!this.#untilSync) answer(refusal, notRun);
        this.#untilSync = true;
        return;
      default:
        return;
    }
  }
}

// PostgreSQL appendix A: 57000 is operator_intervention.
const refusal = encodeErrorResponse({
  severity: "ERROR",
  code: "57000",
  message: notRun,
  hint: "Try again when input passes again.",
});
const readyIdle = encodeMessage(backend.readyForQuery, Uint8Array.of(0x49));

function isCopy(type: number | undefined): boolean {
  return type === frontend.copyData || type === frontend.copyDone || type === frontend.copyFail;
}
