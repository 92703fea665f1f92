import { messageOf, utf8 } from "@gatehouse/kernel";
import { type Env, encodeEnv, encodeRequest } from "@gatehouse/recording";
import type { Session, SessionEnding } from "../../../sessions/session.ts";
import {
  type Channel,
  type ChannelRequest,
  decodeEnv,
  decodeExec,
  decodePty,
  decodeSubsystem,
  encodeExitStatus,
  streamStderr,
} from "../connection/mod.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { GateOptions, SshTarget } from "./door.ts";
import { envAllowed } from "./environment.ts";
import { type Manner, type Wish, mannerOf } from "./files.ts";
import { line, lineFor } from "./refusal.ts";
import { Relay, type RelayOutcome } from "./relay.ts";
import {
  type StreamRecord,
  commandRecords,
  fileOperationRecorder,
  fileRecords,
  terminalRecord,
} from "./stream-records.ts";
import { type Terminal, cellsOf, terminalOf } from "./terminal.ts";
import type { Visit } from "./visit.ts";

/** What a client may send before its session has begun: more than any does, and bounded. */
const environmentMax = 256;
const earlyMax = 4096;
/** The exit status of ssh itself when something is wrong with the connection. */
const failedStatus = 255;

type Running = {
  session: Session;
  wish: Wish;
  trail: AuditTrail;
  streams: { fromClient: StreamRecord; fromTarget: StreamRecord };
};

/**
 * A session channel of the client, from its opening to its end. Requests for a terminal and for variables are gathered;
 * shell, exec or subsystem then asks for admission, and only when that was given is the target dialled.
 */
export class SessionChannel {
  readonly #visit: Visit;
  readonly #client: Channel;
  readonly #options: Pick<GateOptions, "sessions" | "clock">;
  /** The target, or why there is none: told to the person when they ask for something. */
  readonly #aim: { target: SshTarget } | { failure: unknown };
  #pty: { payload: Uint8Array; terminal: Terminal } | undefined;
  #environment: { env: Env; payload: Uint8Array | undefined }[] = [];
  /** auth-agent-req and x11-req, as they came. */
  #forwardings: { type: string; payload: Uint8Array }[] = [];
  #begun = false;
  #relay: Relay | undefined;
  #session: Session | undefined;
  /** What came between the request and its being served, in order. */
  #early: ((relay: Relay) => void)[] = [];
  #closed: { error: Error | undefined } | undefined;
  /** An end that was asked for before the session was under way. */
  #ending: SessionEnding | undefined;

  constructor(options: {
    visit: Visit;
    client: Channel;
    aim: { target: SshTarget } | { failure: unknown };
    gate: Pick<GateOptions, "sessions" | "clock">;
  }) {
    this.#visit = options.visit;
    this.#client = options.client;
    this.#aim = options.aim;
    this.#options = options.gate;
  }

  /** From here on it lives by the channel's events. */
  serve(): void {
    this.#client.attach({
      data: (view, stream) => {
        if (this.#relay) return this.#relay.data(view, stream);
        // Not consumed, so no more than a window of it can come.
        if (this.#early.length >= earlyMax) return this.#client.abort();
        const kept = Uint8Array.from(view);
        this.#early.push((relay) => relay.data(kept, stream));
      },
      eof: () => this.#later((relay) => relay.eof()),
      request: (request) => this.#request(request),
      drain: () => this.#relay?.drained(),
      closed: (error) => {
        this.#closed = { error };
        this.#relay?.clientClosed(error);
      },
    });
  }

  #later(run: (relay: Relay) => void): void {
    if (this.#relay) run(this.#relay);
    else this.#early.push(run);
  }

  #request(request: ChannelRequest): void {
    if (this.#begun) {
      if (this.#relay) return this.#relay.request(request);
      if (this.#early.length >= earlyMax) return request.reply(false);
      this.#early.push((relay) => relay.request(request));
      return;
    }
    try {
      this.#prepare(request);
    } catch (error) {
      // A malformed request ends this channel and nothing else.
      request.reply(false);
      this.#refuse(error);
    }
  }

  #prepare(request: ChannelRequest): void {
    const { type, payload, reply } = request;
    switch (type) {
      case "pty-req":
        this.#pty = { payload, terminal: terminalOf(decodePty(payload)) };
        return reply(true);
      case "env": {
        if (this.#environment.length >= environmentMax) return reply(false);
        const { name, value } = decodeEnv(payload);
        const allowed = "target" in this.#aim && envAllowed(this.#aim.target.policy.env, name);
        this.#environment.push(
          allowed
            ? { env: { name, value: shown(value) }, payload }
            : { env: { name, refused: true }, payload: undefined },
        );
        return reply(allowed);
      }
      case "auth-agent-req@openssh.com":
      case "x11-req": {
        const agent = type !== "x11-req";
        const policy = "target" in this.#aim ? this.#aim.target.policy : undefined;
        const allowed = agent ? policy?.agentForward === true : policy?.x11Forward === true;
        this.#visit.tellForwarding(agent ? "agent-forward" : "x11-forward", allowed);
        if (allowed && this.#forwardings.length < 2) this.#forwardings.push({ type, payload });
        return reply(allowed);
      }
      case "shell":
        return this.#begin(request, { type: "shell" });
      case "exec":
        return this.#begin(request, { type: "exec", command: shown(decodeExec(payload)) });
      case "subsystem":
        return this.#begin(request, { type: "subsystem", command: decodeSubsystem(payload) });
      default:
        reply(false);
    }
  }

  #begin(request: ChannelRequest, wish: Wish): void {
    this.#begun = true;
    this.#answer(request, wish).catch((error: unknown) => {
      this.#visit.logFault("a session failed to begin", error);
      this.#refuse(error);
    });
  }

  async #answer(request: ChannelRequest, wish: Wish): Promise<void> {
    if ("failure" in this.#aim) {
      await this.#visit.auditUnresolved(this.#aim.failure);
      // The request is granted first: clients show what a session says, and not why a request failed.
      request.reply(true);
      return this.#refuse(this.#aim.failure);
    }
    const { target } = this.#aim;
    const manner = mannerOf(wish, this.#pty !== undefined);
    let session: Session;
    try {
      session = await this.#options.sessions.admit({
        ...this.#visit.facts(target),
        kind: manner.kind,
        track: manner.track,
        ...(wish.type !== "shell" && { command: wish.command }),
        ...(this.#pty && { size: cellsOf(this.#pty.terminal) }),
      });
    } catch (error) {
      request.reply(true);
      return this.#refuse(error);
    }
    this.#session = session;
    session.onEnding((ending) => this.#end(ending));
    let channel: Channel | undefined;
    try {
      await this.#recordRequest(session, wish);
      if (this.#ending || this.#closed) return await this.#abandon(session, request);
      const link = this.#visit.link(target);
      const connection = await link.connection();
      await this.#show(session, link.takeBanner());
      channel = await connection.openChannel("session", new Uint8Array(0));
      const granted = await this.#ask(session, channel, request);
      if (this.#ending || this.#closed) {
        channel.abort();
        return await this.#abandon(session, request);
      }
      request.reply(granted);
      this.#start(session, target, manner, wish, channel);
      if (!granted) channel.close();
    } catch (error) {
      channel?.abort();
      await this.#fail(session, request, error);
    }
  }

  async #recordRequest(session: Session, wish: Wish): Promise<void> {
    const frames = this.#environment.map(({ env }) => session.record("env", 0, encodeEnv(env)));
    frames.push(
      session.record(
        "request",
        0,
        encodeRequest({
          type: wish.type,
          ...(wish.type !== "shell" && { command: wish.command }),
          ...(this.#pty && { pty: this.#pty.terminal }),
        }),
      ),
    );
    if (wish.type === "subsystem")
      frames.push(
        session.audit("subsystem", { login: session.facts.login, name: wish.command.slice(0, 256) }),
      );
    await Promise.all(frames);
  }

  /** Tells the target all that was gathered, in one go, and then what it is for. */
  async #ask(session: Session, channel: Channel, request: ChannelRequest): Promise<boolean> {
    const pty = this.#pty;
    const answers = this.#forwardings.map(({ type, payload }) => channel.request(type, payload));
    if (pty) answers.push(channel.request("pty-req", pty.payload));
    for (const { payload } of this.#environment) if (payload) channel.notify("env", payload);
    const granted = channel.request(request.type, request.payload);
    // Awaited together: they are rejected together, when the channel closes.
    const [answer, ...before] = await Promise.all([granted, ...answers]);
    if (pty && before.at(-1) === false) await this.#show(session, `${line("the target gave no terminal")}\n`);
    return answer;
  }
  /** Something for the person's eyes that is no output of their command. */
  async #show(session: Session, text: string): Promise<void> {
    if (text === "") return;
    const shown = utf8(this.#pty ? text.replaceAll(/\r?\n/g, "\r\n") : text);
    await session.record("notice", 0, shown);
    this.#client.write(shown, streamStderr);
  }

  #start(session: Session, target: SshTarget, manner: Manner, wish: Wish, channel: Channel): void {
    const trail = new AuditTrail(session, (error) => relay.unrecordable(error));
    const record = fileOperationRecorder(session, trail);
    const files = manner.tap && { tap: manner.tap, record };
    const streams: Running["streams"] =
      manner.track === "terminal"
        ? { fromClient: terminalRecord(session, "input"), fromTarget: terminalRecord(session, "output") }
        : manner.kind === "sftp" && files
          ? fileRecords(session, files)
          : commandRecords({
              session,
              limitBytes: target.policy.execLimitBytes,
              timing: this.#visit.digestTiming,
              ...(files && { files }),
            });
    const relay: Relay = new Relay({
      client: this.#client,
      target: channel,
      session,
      terminal: manner.track === "terminal",
      ...streams,
      trail,
      fault: (error) => this.#visit.logFault("a session could not be followed any further", error),
      over: (outcome) => void this.#over({ session, wish, trail, streams }, outcome),
    });
    this.#relay = relay;
    session.onNotice((notice) => relay.notice(notice));
    const early = this.#early;
    this.#early = [];
    for (const run of early) run(relay);
    if (this.#closed) relay.clientClosed(this.#closed.error);
  }

  async #over(
    { session, wish, trail, streams }: Running,
    { reason, detail, exit }: RelayOutcome,
  ): Promise<void> {
    try {
      await Promise.all([streams.fromClient.close(), streams.fromTarget.close()]);
      await trail.settled();
      if (wish.type === "exec")
        await session.audit("exec", {
          login: session.facts.login,
          command: wish.command.slice(0, 65_536),
          ...(exit && "status" in exit && { exit_code: exit.status }),
          ...(exit && "signal" in exit && { exit_signal: exit.signal.slice(0, 32) }),
        });
    } catch (error) {
      // What passed is recorded; the session's end is still to be told.
      this.#visit.logFault("the last of a session could not be told", error);
    }
    try {
      await session.end({
        reason,
        ...(detail !== undefined && { detail }),
        ...(exit && "status" in exit && { exitStatus: exit.status }),
        ...(exit && "signal" in exit && { exitSignal: exit.signal }),
      });
    } catch (error) {
      this.#visit.logFault("a session's end could not be told", error);
    }
  }

  /** Somebody else ends the session. */
  #end(ending: SessionEnding): void {
    this.#ending = ending;
    const lost = ending.reason === "recording_unavailable";
    this.#relay?.end(ending.reason, ending.message, lost);
    this.#options.clock.after(ending.graceMs, () => this.#relay?.cut());
  }

  /** Admitted, but ended or left before the target was reached. */
  async #abandon(session: Session, request: ChannelRequest): Promise<void> {
    request.reply(true);
    if (this.#ending) this.#tell(line(this.#ending.message));
    const reason = this.#ending?.reason ?? (this.#closed?.error ? "connection_lost" : "closed");
    await session.end({ reason });
  }

  /** Admitted, and then the target could not be reached or refused. */
  async #fail(session: Session, request: ChannelRequest, error: unknown): Promise<void> {
    const text = lineFor(error);
    request.reply(true);
    try {
      await session.record("notice", 0, utf8(`${text}\n`));
    } catch {
      // The person still hears why nothing happens; nothing of the target was shown.
    }
    this.#tell(text);
    await session.end({ reason: "failed", detail: messageOf(error) });
  }

  #refuse(error: unknown): void {
    if (this.#session === undefined) this.#tell(lineFor(error));
    else this.#client.close();
  }
  /** The last line of a session that came to nothing: on stderr, so that scp, sftp, rsync and git show it too. */
  #tell(text: string): void {
    this.#client.write(utf8(`${text}${this.#pty ? "\r\n" : "\n"}`), streamStderr);
    this.#client.notify("exit-status", encodeExitStatus(failedStatus));
    this.#client.eof();
    this.#client.close();
  }
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
/** Commands and values are bytes; what is not UTF-8 is shown with U+FFFD, and passes as it came. */
function shown(bytes: Uint8Array): string {
  return lossy.decode(bytes);
}
