import type { TLSSocket } from "node:tls";
import { type Clock, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { Session, SessionEnding } from "../sessions/mod.ts";
import { farewellMs } from "./arrivals.ts";
import { Lane } from "./lane.ts";

/** Bytes that wait, for the disk or for somebody's word, in one direction; above it that side is not read. */
export const waitingBytesMax = 1024 * 1024;

export type TwoSidesOptions = {
  client: TLSSocket;
  target: TLSSocket;
  session: Session;
  clock: Clock;
  /** Not called any more once the session ends. */
  clientCame(chunk: Uint8Array): void;
  /** Called until the session is closed: the message that is under way must reach its end. */
  targetCame(chunk: Uint8Array): void;
  /** Whether there is room for more of what the client sends. */
  takesMore(): boolean;
  /** The client has a message only in part: nothing of ours may be put behind it. */
  midMessage(): boolean;
  /** The client said goodbye as its protocol wants it. */
  saidGoodbye(): boolean;
  /** Why it is over, in the words of the protocol. */
  farewell(message: string, why: "ended" | "broken"): Uint8Array;
  /** Asks the target to stop what runs. */
  stopTarget(): Promise<void> | undefined;
  /** Nobody needs to wait for that side any more. */
  gone(side: "client" | "target"): void;
};

/**
 * The client's and the target's connection of one session: each is read as long as the other takes it and the disk keeps up,
 * and when one goes, breaks the protocol, or the session must end, what was recorded still passes and both are closed in order.
 */
export class TwoSides {
  readonly #options: TwoSidesOptions;
  /** To the target, and to the client. */
  readonly up: Lane;
  readonly down: Lane;
  #state: "open" | "ending" | "closed" = "open";
  #ending: (() => void) | undefined;
  #congested = false;

  constructor(options: TwoSidesOptions) {
    this.#options = options;
    // The session ends itself when a frame is lost, and tells us by `onEnding`.
    const lost = () => undefined;
    this.up = new Lane(lost, () => this.balance());
    this.down = new Lane(lost, () => this.balance());
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }
  get isEnding(): boolean {
    return this.#state === "ending";
  }

  /** Reads both from now on. `rest` came from the target before. */
  start(rest: Uint8Array = new Uint8Array()): void {
    const { client, target, session, clientCame, targetCame } = this.#options;
    const fromTarget = (chunk: Uint8Array) => {
      if (this.#state !== "closed") targetCame(chunk);
    };
    client.on("data", (chunk: Buffer) => {
      if (this.#state === "open") clientCame(chunk);
    });
    target.on("data", fromTarget);
    for (const side of [client, target]) side.on("drain", () => this.balance()).on("error", () => undefined);
    client.once("close", () => this.#clientGone());
    target.once("close", () => this.#targetGone());
    session.onEnding((ending) => this.end(ending));
    // Either may have gone while the other was being signed in to, and says so only once.
    if (client.destroyed) this.#clientGone();
    if (target.destroyed) this.#targetGone();
    if (rest.length > 0) fromTarget(rest);
    this.balance();
  }

  /** To be called after whatever may have changed who is read. */
  balance(): void {
    const { client, target, session, takesMore } = this.#options;
    if (this.#state === "closed") return;
    if (session.congested && !this.#congested) {
      this.#congested = true;
      const over = () => {
        this.#congested = false;
        this.balance();
      };
      session.ready().then(over, over);
    }
    flow(
      client,
      this.#state === "open" &&
        !this.#congested &&
        !target.writableNeedDrain &&
        this.up.waitingBytes < waitingBytesMax &&
        takesMore(),
    );
    flow(target, !this.#congested && !client.writableNeedDrain && this.down.waitingBytes < waitingBytesMax);
  }

  /** The client has whole messages again. */
  delivered(): void {
    this.#ending?.();
  }

  /** Nothing more is asked of the target than it has been. */
  endTarget(): void {
    this.up.push(undefined, 0, () => this.#options.target.end());
  }

  /** What the audit log does not take is not answered either. */
  audited(noted: Promise<void>): Promise<void> {
    noted.catch((error: unknown) => this.fail(`the audit log failed: ${messageOf(error)}`));
    return noted;
  }

  fail(message: string): void {
    this.end({ reason: "failed", message, graceMs: farewellMs });
  }

  /** Somebody else's will: what runs is stopped, and the client is told. */
  end({ reason, message, graceMs }: SessionEnding): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    const { client, target, clock, midMessage, stopTarget } = this.#options;
    this.up.cut();
    stopTarget()?.catch(() => undefined);
    const finish = (inMessage: boolean) => {
      this.#ending = undefined;
      if (this.#state === "closed") return;
      this.down.cut();
      if (!inMessage) this.#tell(message, "ended");
      client.end();
      target.destroy();
      this.#close(reason, message);
      clock.after(farewellMs, () => client.destroy());
    };
    if (!midMessage()) return finish(false);
    // Within a row: its end must pass first, and if that does not come in time, nothing can be said.
    const timer = clock.after(Math.min(graceMs / 2, farewellMs), () => finish(true));
    this.#ending = () => {
      timer.cancel();
      finish(false);
    };
  }

  /** A side sent what is not the protocol, what is too large, or what may not be. */
  broken(side: "client" | "server", error: unknown): void {
    if (this.#state !== "open") return;
    const { client, target, clock, midMessage } = this.#options;
    // What may not be is said as it is; anything else is not the protocol.
    const message = isGatehouseError(error, "denied")
      ? messageOf(error)
      : `the ${side} broke the protocol: ${messageOf(error)}`;
    this.#state = "ending";
    // What it sent before that was in order; it passes.
    this.endTarget();
    this.down.push(undefined, 0, () => {
      if (!midMessage()) this.#tell(message, "broken");
      client.end();
      this.#close("failed", message);
    });
    clock.after(farewellMs, () => {
      this.#close("failed", message);
      client.destroy();
      target.destroy();
    });
  }

  #tell(message: string, why: "ended" | "broken"): void {
    const { client, farewell } = this.#options;
    if (!client.destroyed && !client.writableEnded) client.write(farewell(message, why));
  }

  #clientGone(): void {
    const { target, clock, gone, saidGoodbye } = this.#options;
    gone("client");
    this.endTarget();
    // What still comes from the target is recorded; then it is over.
    clock.after(farewellMs, () => {
      target.destroy();
      this.#close(saidGoodbye() ? "closed" : "connection_lost");
    });
  }

  #targetGone(): void {
    const { client, clock, gone, saidGoodbye } = this.#options;
    gone("target");
    this.down.push(undefined, 0, () => {
      client.end();
      this.#close(saidGoodbye() ? "closed" : client.destroyed ? "connection_lost" : "target_lost");
    });
    clock.after(farewellMs, () => {
      client.destroy();
      this.#close(saidGoodbye() ? "closed" : "target_lost");
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
