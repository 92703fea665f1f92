import { isGatehouseError, messageOf, utf8 } from "@gatehouse/kernel";
import { type Exit, encodeExit, encodeResize, encodeSignal } from "@gatehouse/recording";
import type { EndReason, Session, SessionNotice } from "../../../sessions/session.ts";
import {
  type Channel,
  type ChannelRequest,
  decodeExitSignal,
  decodeExitStatus,
  decodeSignal,
  decodeWindowChange,
  streamData,
  streamStderr,
} from "../connection/mod.ts";
import type { AuditTrail } from "./audit-trail.ts";
import { Conduit } from "./conduit.ts";
import { HeldInput } from "./held-input.ts";
import { Lane } from "./lane.ts";
import { line } from "./refusal.ts";
import type { StreamRecord } from "./stream-records.ts";

export type RelayOptions = {
  client: Channel;
  target: Channel;
  session: Session;
  trail: AuditTrail;
  terminal: boolean;
  fromClient: StreamRecord;
  fromTarget: StreamRecord;
  /** Something of our own failed; the person only hears that it did. */
  fault(error: unknown): void;
  over(outcome: RelayOutcome): void;
};

export type RelayOutcome = {
  reason: EndReason;
  detail?: string;
  exit?: Exit;
};

/**
 * A session at work: two channels, two lanes, and every request that passes between them. What it does not know it
 * refuses rather than passes on, because nobody would know what was done.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #toTarget: Lane;
  readonly #toClient: Lane;
  readonly #input: Conduit;
  readonly #output: Conduit;
  readonly #held: HeldInput;
  #exit: Exit | undefined;
  #over = false;
  #ending = false;
  readonly #trail: AuditTrail;
  /** A size that the audit log does not have yet. */
  #resized: { size: string; cols: number; rows: number } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { client, target, session } = options;
    this.#trail = options.trail;
    this.#held = new HeldInput({
      session,
      data: (view, stream) => this.#guarded(() => this.#input.data(view, stream)),
      eof: () => this.#guarded(() => this.#input.eof()),
    });
    this.#toTarget = new Lane((error) => this.unrecordable(error));
    this.#toClient = new Lane((error) => this.unrecordable(error));
    this.#input = new Conduit({
      from: client,
      to: target,
      lane: this.#toTarget,
      record: options.fromClient,
      session,
    });
    this.#output = new Conduit({
      from: target,
      to: client,
      lane: this.#toClient,
      record: options.fromTarget,
      session,
    });
    target.attach({
      data: (view, stream) => this.#guarded(() => this.#output.data(view, stream)),
      eof: () => this.#guarded(() => this.#output.eof()),
      request: (request) => this.#guarded(() => this.#fromTarget(request)),
      drain: () => this.#input.drained(),
      closed: (error) => this.#targetClosed(error),
    });
  }

  // The client's events, handed on by whoever attached its channel.

  data(view: Uint8Array, stream: number): void {
    const { client, session, terminal } = this.#options;
    if (this.#ending) return client.consumed(view.length);
    if (!this.#held.holds) return this.#guarded(() => this.#input.data(view, stream));
    // A program's stream with a hole in it would be worse than one that waits.
    if (!terminal) return this.#held.hold(view, stream);
    // What is typed while nothing may pass must never run later.
    client.consumed(view.length);
    session.inputDiscarded(view.length);
  }
  eof(): void {
    if (this.#ending) return;
    if (this.#held.holds) this.#held.holdEof();
    else this.#guarded(() => this.#input.eof());
  }
  drained(): void {
    this.#output.drained();
  }
  request(request: ChannelRequest): void {
    if (this.#ending) return request.reply(false);
    this.#guarded(() => this.#fromClient(request));
  }
  /** The person closed the channel, or their connection is gone. */
  clientClosed(error: Error | undefined): void {
    if (this.#over) return;
    const leave = () => {
      this.#options.target.close();
      this.#finish(error ? { reason: "connection_lost", detail: messageOf(error) } : { reason: "closed" });
    };
    this.#held.drop();
    this.#toClient.cut();
    if (this.#toTarget.dead) return leave();
    // Whoever types, closes and goes has still typed: it passes first, as it would directly.
    this.#guarded(() => {
      this.#input.flush();
      this.#toTarget.push(undefined, leave);
    });
  }

  /** Something that somebody else has to say: recorded, and shown in its place between what the target prints. */
  notice({ about, text }: SessionNotice): void {
    const { client, session, terminal } = this.#options;
    // Beside a terminal there is stderr, which programs read too: only what they are held up by is said there.
    if (this.#over || this.#ending || (!terminal && about === "watch")) return;
    const shown = utf8(terminal ? `\r\n${line(text)}\r\n` : `${line(text)}\n`);
    this.#guarded(() => {
      this.#output.flush();
      this.#toClient.push(session.record("notice", 0, shown), () =>
        client.write(shown, terminal ? streamData : streamStderr),
      );
    });
  }

  /**
   * Somebody else ends the session: input stops now, what is already durable is still shown, then the reason.
   * `lost` is for a recording that cannot be kept: what waits is dropped.
   */
  end(reason: EndReason, message: string, lost: boolean): void {
    if (this.#over || this.#ending) return;
    this.#ending = true;
    const { client, target, session, terminal } = this.#options;
    const text = line(message);
    const shown = utf8(terminal ? `\r\n${text}\r\n` : `${text}\n`);
    this.#toTarget.cut();
    target.abort();
    const show = () => {
      client.write(shown, terminal ? streamData : streamStderr);
      client.notify("exit-status", exitStatus255);
      client.close();
      this.#finish({ reason, detail: message });
    };
    if (lost) {
      // The one thing a person sees that no frame holds: that nothing can be recorded any more.
      this.#toClient.cut();
      show();
      return;
    }
    this.#output.flush();
    this.#toClient.push(session.record("notice", 0, shown), show);
  }
  /** The grace is over: whatever still waits is dropped. */
  cut(): void {
    this.#toTarget.cut();
    this.#toClient.cut();
    this.#options.target.abort();
    this.#options.client.abort();
    this.#finish({ reason: "closed" });
  }

  #fromClient(request: ChannelRequest): void {
    const { session, target } = this.#options;
    const { type, payload } = request;
    this.#input.flush();
    switch (type) {
      case "window-change": {
        const { columns: cols, rows, widthPixels, heightPixels } = decodeWindowChange(payload);
        const size = {
          cols,
          rows,
          ...(widthPixels > 0 && { widthPx: widthPixels }),
          ...(heightPixels > 0 && { heightPx: heightPixels }),
        };
        this.#tellSize({ size: `${cols}:${rows}`, cols, rows });
        const recorded = session.record("resize", 0, encodeResize(size));
        this.#toTarget.push(recorded, () => this.#passRequest(target, request));
        return;
      }
      case "signal": {
        if (!session.inputAllowed()) return this.#refuseKey(request);
        const recorded = session.record(
          "signal",
          0,
          encodeSignal({ signal: decodeSignal(payload).slice(0, 64), direction: "in" }),
        );
        this.#toTarget.push(recorded, () => this.#passRequest(target, request));
        return;
      }
      case "break": {
        if (!session.inputAllowed()) return this.#refuseKey(request);
        // RFC 4335; told as what it is to a terminal.
        const recorded = session.record("signal", 0, encodeSignal({ signal: "BREAK", direction: "in" }));
        this.#toTarget.push(recorded, () => this.#passRequest(target, request));
        return;
      }
      case "eow@openssh.com":
        this.#toTarget.push(undefined, () => this.#passRequest(target, request));
        return;
      default:
        request.reply(false);
    }
  }

  /** A signal is a key by another name: while input is paused it is dropped like one. */
  #refuseKey(request: ChannelRequest): void {
    this.#options.session.inputDiscarded(1);
    request.reply(false);
  }

  #fromTarget(request: ChannelRequest): void {
    const { session, client } = this.#options;
    const { type, payload } = request;
    this.#output.flush();
    switch (type) {
      case "exit-status":
      case "exit-signal": {
        const exit: Exit =
          type === "exit-status" ? { status: decodeExitStatus(payload) } : exitSignalOf(payload);
        this.#exit = exit;
        const recorded = session.record("exit", 0, encodeExit(exit));
        this.#toClient.push(recorded, () => this.#passRequest(client, request));
        return;
      }
      case "eow@openssh.com":
      case "xon-xoff":
        this.#toClient.push(undefined, () => this.#passRequest(client, request));
        return;
      default:
        request.reply(false);
    }
  }

  /** A window that is dragged changes its size many times a second: the audit log gets the latest when it has the last. */
  #tellSize(size: { size: string; cols: number; rows: number }): void {
    const waiting = this.#resized !== undefined;
    this.#resized = size;
    if (waiting) return;
    void this.#trail.settled().then(() => {
      const latest = this.#resized;
      this.#resized = undefined;
      if (latest) void this.#trail.tell("resize", latest);
    });
  }

  #passRequest(to: Channel, { type, payload, wantReply, reply }: ChannelRequest): void {
    if (!wantReply) return to.notify(type, payload);
    to.request(type, payload).then(
      (ok) => reply(ok),
      () => reply(false),
    );
  }

  #targetClosed(error: Error | undefined): void {
    if (this.#over || this.#ending) return;
    if (error) {
      this.end("target_lost", `the connection to the target broke (${messageOf(error)})`, false);
      return;
    }
    this.#toTarget.cut();
    this.#guarded(() => {
      this.#output.flush();
      this.#toClient.push(undefined, () => {
        this.#options.client.close();
        this.#finish({ reason: "closed" });
      });
    });
  }

  /** A frame or an event was refused: nothing passes any more, and the person hears why. */
  unrecordable(error: unknown): void {
    this.#toTarget.cut();
    this.#toClient.cut();
    const message = isGatehouseError(error) ? error.message : "recording cannot be guaranteed any longer";
    this.end("recording_unavailable", message, true);
  }

  /** Bytes that cannot be followed end the session: they must not pass, and nothing after them can be told. */
  #guarded(run: () => void): void {
    if (this.#over) return;
    try {
      run();
    } catch (error) {
      this.#options.fault(error);
      const why = isGatehouseError(error) ? error.message : "an internal error";
      this.end("failed", `this session cannot be recorded any further (${why})`, false);
    }
  }

  #finish(outcome: RelayOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#toTarget.cut();
    this.#toClient.cut();
    this.#options.over({ ...outcome, ...(this.#exit && { exit: this.#exit }) });
  }
}

const exitStatus255 = Uint8Array.of(0, 0, 0, 255);

function exitSignalOf(payload: Uint8Array): Exit {
  const { signal, coreDumped, message } = decodeExitSignal(payload);
  return { signal: signal.slice(0, 64), coreDumped, message: message.slice(0, 1024) };
}
