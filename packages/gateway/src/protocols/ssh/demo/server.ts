import { type Socket, createServer } from "node:net";
import { type Clock, GatehouseError, isGatehouseError, messageOf, utf8 } from "@gatehouse/kernel";
import {
  type Channel,
  type ChannelOpening,
  type ChannelRequest,
  type PublicKeyAttempt,
  acceptConnection,
  decodeExec,
  decodePty,
  decodeWindowChange,
  encodeExitStatus,
  openReason,
  streamStderr,
} from "../connection/mod.ts";
import { checkCertificate, generateKey, keySigner } from "../keys/mod.ts";
import { DemoShell } from "./shell.ts";

const login = "demo";
/** The gate makes one connection for each client; nobody else can authenticate. */
const connectionsMax = 256;

export type DemoTarget = {
  readonly host: string;
  readonly port: number;
  /** The one account it has. */
  readonly login: string;
  /** Made at each start; pin it. */
  readonly hostKeyBlob: Uint8Array;
  stop(): Promise<void>;
};

/** Starts the demo machine on a free loopback port. It takes certificates of `userCaBlob` and nothing else. */
export async function startDemoTarget(options: {
  userCaBlob: Uint8Array;
  clock: Clock;
}): Promise<DemoTarget> {
  const { userCaBlob, clock } = options;
  const hostKey = generateKey("ed25519");
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    if (sockets.size >= connectionsMax) return void socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    void serve(socket);
  });

  async function serve(socket: Socket): Promise<void> {
    try {
      const { connection } = await acceptConnection({
        socket,
        hostKeys: [keySigner(hostKey)],
        auth: { publicKey: (attempt) => Promise.resolve(isGate(attempt) ? "accept" : "refuse") },
        clock,
      });
      connection.attach({
        channel: (opening) => open(opening, clock),
        globalRequest: (request) => request.reply(false),
        closed: () => undefined,
      });
    } catch {
      // Somebody who is not the gate; the socket is closed.
    }
  }
  function isGate({ user, certificate }: PublicKeyAttempt): boolean {
    if (user !== login || !certificate) return false;
    try {
      checkCertificate(certificate, {
        authorities: [userCaBlob],
        kind: "user",
        principals: [login],
        nowMs: clock.nowMs(),
      });
      return true;
    } catch (error) {
      if (isGatehouseError(error)) return false;
      throw error;
    }
  }

  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new GatehouseError({
          code: "unavailable",
          op: "ssh.demo",
          message: `the demo target cannot listen (${messageOf(error)})`,
          cause: error,
        }),
      ),
    );
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  return {
    host: "127.0.0.1",
    port,
    login,
    hostKeyBlob: hostKey.public.blob,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function open(opening: ChannelOpening, clock: Clock): void {
  if (opening.type !== "session")
    return opening.refuse(openReason.prohibited, "the demo target forwards nothing");
  new DemoSession(opening.accept(), clock).serve();
}

/** One session channel of the demo machine. */
class DemoSession {
  readonly #channel: Channel;
  readonly #clock: Clock;
  #size: { cols: number; rows: number } | undefined;
  #shell: DemoShell | undefined;
  #begun = false;

  constructor(channel: Channel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }
  serve(): void {
    const channel = this.#channel;
    channel.attach({
      data: (view) => {
        this.#shell?.input(view);
        channel.consumed(view.length);
      },
      eof: () => {
        if (this.#shell) this.#leave(0);
      },
      request: (request) => {
        try {
          this.#request(request);
        } catch {
          // Malformed: the gate does not send that.
          request.reply(false);
        }
      },
      closed: () => this.#shell?.close(),
    });
  }
  #request(request: ChannelRequest): void {
    switch (request.type) {
      case "pty-req": {
        const { columns, rows } = decodePty(request.payload);
        this.#size = { cols: columns, rows };
        return request.reply(true);
      }
      case "window-change": {
        const { columns, rows } = decodeWindowChange(request.payload);
        return this.#shell?.resize({ cols: columns, rows });
      }
      case "shell": {
        if (this.#begun) return request.reply(false);
        this.#begun = true;
        request.reply(true);
        if (!this.#size) return this.#say("the demo shell needs a terminal: ssh -t", 1);
        this.#shell = new DemoShell({
          write: (text) => this.#write(text),
          leave: (status) => this.#leave(status),
          clock: this.#clock,
          size: this.#size,
        });
        return this.#shell.begin();
      }
      case "exec": {
        if (this.#begun) return request.reply(false);
        this.#begun = true;
        request.reply(true);
        const command = Buffer.from(decodeExec(request.payload)).toString("utf8");
        const { text, status } = DemoShell.run(command, this.#clock);
        this.#write(this.#size ? text.replaceAll("\n", "\r\n") : text);
        return this.#leave(status);
      }
      default:
        return request.reply(false);
    }
  }
  #write(text: string): void {
    // A reader that does not read misses pictures of `top`; nothing here grows because of it.
    if (this.#channel.queuedBytes < 256 * 1024) this.#channel.write(utf8(text));
  }
  #say(text: string, status: number): void {
    this.#channel.write(utf8(`${text}\n`), streamStderr);
    this.#leave(status);
  }
  #leave(status: number): void {
    this.#shell?.close();
    this.#channel.notify("exit-status", encodeExitStatus(status));
    this.#channel.eof();
    this.#channel.close();
  }
}
