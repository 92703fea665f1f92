/**
 * A small SSH server on our own connection layer, for tests with real clients. Its commands are its own; see `run`.
 * Every connection and channel is at hand, so that a test can look at both sides.
 */
import { createHash } from "node:crypto";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { once } from "node:events";
import { fromUtf8, systemClock, utf8 } from "@gatehouse/kernel";
import {
  type Accepted,
  type Channel,
  type ChannelOpening,
  type ChannelRequest,
  type ConnectionLimits,
  type GlobalRequest,
  type ServerAuthOptions,
  acceptConnection,
  decodeDirectTcpip,
  decodeEnv,
  decodeExec,
  decodePty,
  decodeSignal,
  decodeSubsystem,
  decodeTcpipForward,
  decodeWindowChange,
  encodeExitSignal,
  encodeExitStatus,
  encodeForwarded,
  encodeForwardedPort,
} from "../../packages/gateway/src/protocols/ssh/connection/mod.ts";
import { generateKey, keySigner } from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import type { HostKey } from "../../packages/gateway/src/protocols/ssh/transport/door.ts";

export type TestServer = {
  readonly port: number;
  readonly accepted: Accepted[];
  readonly errors: Error[];
  readonly sessions: TestSession[];
  /** Resolves with the next session that is opened. */
  nextSession(): Promise<TestSession>;
  close(): Promise<void>;
};

export async function startServer(options: {
  auth: ServerAuthOptions;
  hostKeys?: readonly HostKey[];
  limits?: ConnectionLimits;
  rekeyBytes?: number;
}): Promise<TestServer> {
  const hostKeys = options.hostKeys ?? [keySigner(generateKey("ed25519"))];
  const accepted: Accepted[] = [];
  const errors: Error[] = [];
  const sessions: TestSession[] = [];
  const sockets = new Set<Socket>();
  let waiting: ((session: TestSession) => void)[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    acceptConnection({
      socket,
      hostKeys,
      auth: options.auth,
      clock: systemClock,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.rekeyBytes === undefined ? {} : { rekeyBytes: options.rekeyBytes }),
    }).then(
      (result) => {
        accepted.push(result);
        result.connection.attach({
          channel: (opening) => open(opening),
          globalRequest: (request) => forward(result, request),
          closed: (error) => error && errors.push(error),
        });
      },
      (error: Error) => errors.push(error),
    );
  });
  const open = (opening: ChannelOpening) => {
    if (opening.type === "session") {
      const session = new TestSession(opening.accept());
      sessions.push(session);
      for (const resolve of waiting) resolve(session);
      waiting = [];
    } else if (opening.type === "direct-tcpip") echo(opening);
    else opening.refuse(3, "unknown channel type");
  };
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    accepted,
    errors,
    sessions,
    nextSession: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      for (const { connection } of accepted) connection.disconnect("test over");
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

/** Sends back what it gets, after a line that says where the client wanted to go. */
function echo(opening: ChannelOpening): void {
  const { host, port } = decodeDirectTcpip(opening.payload);
  if (host === "refuse.test") return opening.refuse(2, "nothing listens there");
  const channel = opening.accept();
  channel.write(utf8(`${host}:${port}\n`));
  channel.attach({
    data(view) {
      channel.write(view);
      channel.consumed(view.length);
    },
    eof: () => channel.close(),
    request: (request) => request.reply(false),
    closed: () => undefined,
  });
}

/** Accepts any -R, and at once connects to it as if somebody had. */
function forward({ connection }: Accepted, request: GlobalRequest): void {
  if (request.type !== "tcpip-forward") return request.reply(false);
  const { host, port } = decodeTcpipForward(request.payload);
  const bound = port === 0 ? 4242 : port;
  request.reply(true, port === 0 ? encodeForwardedPort(bound) : new Uint8Array());
  const from = encodeForwarded({ host, port: bound, originHost: "192.0.2.9", originPort: 999 });
  void connection.openChannel("forwarded-tcpip", from).then((channel) => {
    channel.attach({
      data: (view) => channel.consumed(view.length),
      eof: () => undefined,
      request: (asked) => asked.reply(false),
      closed: () => undefined,
    });
    channel.write(utf8("through the tunnel"));
    channel.eof();
    channel.close();
  });
}

export class TestSession {
  readonly channel: Channel;
  readonly env = new Map<string, string>();
  readonly sizes: string[] = [];
  readonly signals: string[] = [];
  term: string | undefined;
  command: string | undefined;
  input = createHash("sha256");
  inputBytes = 0;
  /** While held, nothing is consumed. */
  #held = 0;
  holding = false;
  #hashing = true;
  #onData: ((view: Uint8Array) => void) | undefined;
  #onEof: (() => void) | undefined;
  #ended!: () => void;
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve));

  constructor(channel: Channel) {
    this.channel = channel;
    channel.attach({
      data: (view) => {
        if (this.#hashing) this.input.update(view);
        this.inputBytes += view.length;
        this.#onData?.(view);
        if (this.holding) this.#held += view.length;
        else channel.consumed(view.length);
      },
      eof: () => this.#onEof?.(),
      request: (request) => this.#request(request),
      closed: () => this.#ended(),
    });
  }
  release(): void {
    this.holding = false;
    this.channel.consumed(this.#held);
    this.#held = 0;
  }

  #request(request: ChannelRequest): void {
    switch (request.type) {
      case "env": {
        const { name, value } = decodeEnv(request.payload);
        this.env.set(name, fromUtf8(value));
        return request.reply(true);
      }
      case "pty-req": {
        const { term, columns, rows } = decodePty(request.payload);
        this.term = term;
        this.sizes.push(`${columns}x${rows}`);
        return request.reply(true);
      }
      case "window-change": {
        const { columns, rows } = decodeWindowChange(request.payload);
        this.sizes.push(`${columns}x${rows}`);
        return;
      }
      case "signal":
        this.signals.push(decodeSignal(request.payload));
        return request.reply(true);
      case "shell":
        request.reply(true);
        return this.#run("shell");
      case "exec":
        request.reply(true);
        return this.#run(fromUtf8(decodeExec(request.payload)));
      case "subsystem":
        request.reply(true);
        return this.#run(`subsystem ${decodeSubsystem(request.payload)}`);
      default:
        return request.reply(false);
    }
  }

  #run(command: string): void {
    this.command = command;
    const [verb, ...words] = command.split(" ");
    switch (verb) {
      case "echo":
        return this.finish(0, words.join(" "));
      case "env":
        return this.finish(0, [...this.env].map(([name, value]) => `${name}=${value}`).join("\n"));
      case "exit":
        this.channel.write(utf8("to stderr"), 1);
        return this.finish(Number(words[0]));
      case "killed":
        this.channel.notify(
          "exit-signal",
          encodeExitSignal({ signal: "TERM", coreDumped: false, message: "" }),
        );
        this.channel.eof();
        return this.channel.close();
      case "hash":
        this.#onEof = () => this.finish(0, this.input.digest("hex"));
        return;
      case "sink":
        this.#hashing = false;
        this.#onEof = () => this.finish(0);
        return;
      case "hold":
        this.holding = true;
        this.#onEof = () => this.finish(0, this.input.digest("hex"));
        return;
      case "after":
        setTimeout(() => this.finish(0, "awake"), Number(words[0]));
        return;
      case "source":
        void this.#source(Number(words[0]));
        return;
      case "cat":
        this.#onData = (view) => this.channel.write(view);
        this.#onEof = () => this.finish(0);
        return;
      case "shell":
        // Until the person types "exit".
        this.#onData = (view) => {
          if (Buffer.from(view).toString().includes("exit")) this.finish(0, "bye\r\n");
        };
        return;
      default:
        return this.finish(127, `unknown command ${command}`);
    }
  }

  async #source(bytes: number): Promise<void> {
    for (let sent = 0; sent < bytes; sent += sourceBlock.length) {
      const block = sourceBlock.subarray(0, Math.min(sourceBlock.length, bytes - sent));
      if (!this.channel.write(block)) await this.channel.drained();
    }
    this.finish(0);
  }

  finish(status: number, text = ""): void {
    if (text !== "") this.channel.write(utf8(text));
    this.channel.notify("exit-status", encodeExitStatus(status));
    this.channel.eof();
    this.channel.close();
  }
}

/** What `source` repeats: incompressible, and not a multiple of any packet size. */
export const sourceBlock = Uint8Array.from(
  { length: 99_991 },
  (
    (state) => () =>
      (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24
  )(42),
);
/** The SHA-256 of `source bytes`. */
export function sourceHash(bytes: number): string {
  const hash = createHash("sha256");
  for (let sent = 0; sent < bytes; sent += sourceBlock.length)
    hash.update(sourceBlock.subarray(0, Math.min(sourceBlock.length, bytes - sent)));
  return hash.digest("hex");
}
