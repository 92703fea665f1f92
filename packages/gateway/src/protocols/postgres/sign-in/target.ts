import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Clock, GatehouseError, type Random, concatBytes, fromUtf8, utf8 } from "@gatehouse/kernel";
import {
  type TargetPlace,
  type TargetProof,
  type TlsDial,
  dialTls,
  unreachable,
} from "../../../passage/mod.ts";
import { broken, messagesOf } from "../wire/dialogue.ts";
import { endPointBinding } from "./end-point-binding.ts";
import {
  backend,
  decodeBackendKeyData,
  decodeError,
  decodeReady,
  encodeMessage,
  passwordMessage,
  zeroTerminated,
} from "../wire/messages.ts";
import { readInt32 } from "../wire/splitter.ts";
import { encodeCancelRequest, encodeSslRequest, encodeStartup } from "../wire/startup.ts";
import { type ChannelBinding, ScramClient, md5Password } from "./scram.ts";

const op = "postgres.dial";

/** Signed in, with the server ready for its first statement. */
export type TargetConnection = {
  socket: TLSSocket;
  key: { pid: number; secret: Uint8Array } | undefined;
  /** What the server sent between its yes and ReadyForQuery, without the key: for the client, as it came. */
  greeting: Uint8Array;
  /** Bytes that came after ReadyForQuery. */
  rest: Uint8Array;
};

/** TCP and TLS to a target, its certificate verified. Rejects with `unavailable`, `timeout` or `denied`. */
export async function dialTarget(
  place: TargetPlace,
  clock: Clock,
  timeoutMs: number,
  certificate?: TargetProof["certificate"],
): Promise<TLSSocket> {
  return (await dialTls(place, { ...dial(clock, timeoutMs), certificate })).socket;
}

/** How a connection to PostgreSQL gets to TLS. */
export function dial(clock: Clock, timeoutMs: number): TlsDial<void> {
  return {
    op,
    clock,
    timeoutMs,
    alpn: "postgresql",
    async begin(socket, { name }) {
      socket.write(encodeSslRequest());
      const answer = await firstBytes(socket);
      // CVE-2021-23222: whatever comes in the clear behind the S was put there by somebody in between.
      if (answer.length !== 1 || answer[0] !== 0x53)
        throw new GatehouseError({
          code: "denied",
          op,
          message: `${name} does not offer TLS`,
          hint: "Turn ssl on in its postgresql.conf: the gate sends no credential in the clear.",
        });
    },
  };
}

/** Signs in as `user`. `parameters` are what the client asked for besides: database, options and the like. */
export async function signIn(
  socket: TLSSocket,
  options: {
    targetName: string;
    user: string;
    /** Undefined where the certificate is all that the gate has. */
    password: string | undefined;
    parameters: Iterable<readonly [string, string]>;
    clock: Clock;
    random: Random;
    timeoutMs: number;
  },
): Promise<TargetConnection> {
  const { user } = options;
  const password = () => {
    if (options.password !== undefined) return options.password;
    throw new GatehouseError({
      code: "denied",
      op: "postgres.credential",
      message: `${options.targetName} asks for a password for ${user}, and the gate has a certificate only`,
      hint: "Set both, or let its pg_hba.conf take the certificate: hostssl ... cert.",
    });
  };
  const timer = options.clock.after(options.timeoutMs, () =>
    socket.destroy(
      new GatehouseError({
        code: "timeout",
        op,
        message: `${options.targetName} does not finish the sign-in`,
      }),
    ),
  );
  const messages = messagesOf(socket, op);
  const send = (text: Uint8Array) => socket.write(encodeMessage(passwordMessage, text));
  try {
    socket.write(encodeStartup([["user", user], ...options.parameters]));
    let scram: ScramClient | undefined;
    let signedIn = false;
    let key: TargetConnection["key"];
    const greeting: Uint8Array[] = [];
    for (;;) {
      const { type, body, raw } = await messages.next();
      if (type === backend.errorResponse) throw refused(options.targetName, user, body, raw);
      if (type === backend.noticeResponse) greeting.push(raw);
      else if (!signedIn && type === backend.authentication) {
        const data = body.subarray(4);
        const kind = body.length >= 4 ? readInt32(body, 0) : -1;
        switch (kind) {
          case 0:
            // A server that proved nothing after it asked for SCRAM may be anybody.
            if (scram && !scram.verified) throw broken(op, "it said yes before SCRAM was over");
            signedIn = true;
            break;
          case 3:
            send(zeroTerminated(password()));
            break;
          case 5:
            send(zeroTerminated(md5Password(password(), user, data.subarray(0, 4))));
            break;
          case 10: {
            const offered = fromUtf8(data).split("\0");
            scram = new ScramClient({ binding: bindingFor(socket, offered), random: options.random });
            if (!offered.includes(scram.mechanism))
              throw broken(op, "it offers no SASL mechanism that is spoken here");
            const first = utf8(scram.first());
            const length = Buffer.alloc(4);
            length.writeInt32BE(first.length);
            send(concatBytes([zeroTerminated(scram.mechanism), length, first]));
            break;
          }
          case 11:
            if (!scram) throw broken(op, "SASL goes on that never began");
            send(utf8(await scram.final(fromUtf8(data), password())));
            break;
          case 12:
            if (!scram) throw broken(op, "SASL ends that never began");
            scram.verify(fromUtf8(data));
            break;
          default:
            throw new GatehouseError({
              code: "denied",
              op,
              message: `${options.targetName} asks for an authentication (${kind}) that the gate does not speak`,
              hint: "scram-sha-256, md5, password and cert in its pg_hba.conf are spoken.",
            });
        }
      } else if (!signedIn) throw broken(op, `a message 0x${type.toString(16)} before its yes`);
      else if (type === backend.backendKeyData) key = decodeBackendKeyData(body);
      else if (type === backend.readyForQuery) {
        decodeReady(body);
        greeting.push(raw);
        return { socket, key, greeting: concatBytes(greeting), rest: messages.stop() };
      } else greeting.push(raw);
    }
  } catch (error) {
    socket.destroy();
    throw unreachable(error, options.targetName, op);
  } finally {
    timer.cancel();
  }
}

/** Asks a target to stop what runs under that key. The server answers by closing. */
export async function sendCancel(
  place: TargetPlace,
  key: { pid: number; secret: Uint8Array },
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const socket = await dialTarget(place, clock, timeoutMs);
  socket.on("error", () => undefined);
  const timer = clock.after(timeoutMs, () => socket.destroy());
  socket.resume();
  socket.end(encodeCancelRequest(key.pid, key.secret));
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  timer.cancel();
}

function bindingFor(socket: TLSSocket, offered: readonly string[]): ChannelBinding {
  const certificate = socket.getPeerX509Certificate();
  const data = certificate && endPointBinding(certificate);
  if (!data) return { type: "unable" };
  if (!offered.includes("SCRAM-SHA-256-PLUS")) return { type: "not-offered" };
  return { type: "tls-server-end-point", data };
}

function refused(targetName: string, user: string, body: Uint8Array, raw: Uint8Array): GatehouseError {
  const { code, message } = decodeError(body);
  // Class 28 is about who signs in: that is the gate's credential, and no business of the person's.
  const credential = code.startsWith("28");
  return new GatehouseError({
    code: "denied",
    op: credential ? "postgres.credential" : "postgres.refused",
    message: credential
      ? `${targetName} refused the gate's credential for ${user}`
      : `${targetName} refused: ${message}`,
    ...(credential && { hint: "An administrator must check the target's stored credential." }),
    ...(!credential && { cause: new ServerRefusal(raw) }),
    details: { sqlState: code },
  });
}

/** The server's own error, for the client as it came: a database that does not exist, too many connections. */
export class ServerRefusal extends Error {
  readonly raw: Uint8Array;
  constructor(raw: Uint8Array) {
    super("the server refused");
    this.raw = raw;
  }
}

function firstBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("it broke the connection"));
    socket.once("close", closed);
    socket.once("data", (chunk: Buffer) => {
      socket.off("close", closed);
      socket.pause();
      resolve(chunk);
    });
  });
}
