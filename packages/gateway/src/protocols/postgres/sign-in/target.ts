import { X509Certificate, createHash } from "node:crypto";
import { type Socket, connect, isIP } from "node:net";
import { type TLSSocket, connect as connectTls } from "node:tls";
import {
  type Clock,
  GatehouseError,
  type Random,
  concatBytes,
  fromUtf8,
  isGatehouseError,
  messageOf,
  utf8,
} from "@gatehouse/kernel";
import {
  backend,
  decodeBackendKeyData,
  decodeError,
  decodeReady,
  encodeMessage,
  passwordMessage,
  zeroTerminated,
} from "../wire/messages.ts";
import { MessageSplitter, readInt32 } from "../wire/splitter.ts";
import { encodeCancelRequest, encodeSslRequest, encodeStartup } from "../wire/startup.ts";
import type { PostgresTrust } from "../targets/trust.ts";
import { type ChannelBinding, ScramClient, md5Password } from "./scram.ts";

/** Where a target is and how it proves itself. */
export type TargetPlace = { name: string; host: string; port: number; trust: PostgresTrust };

/** Signed in, with the server ready for its first statement. */
export type TargetConnection = {
  socket: TLSSocket;
  key: { pid: number; secret: Uint8Array } | undefined;
  /** What the server sent between its yes and ReadyForQuery, without the key: for the client, as it came. */
  greeting: Uint8Array;
  /** Bytes that came after ReadyForQuery. */
  rest: Uint8Array;
};

/** Of a message during sign-in; errors and parameters are far smaller. */
const messageBytesMax = 256 * 1024;
const known = new Set<number>(Object.values(backend));

/** TCP and TLS to a target, its certificate verified. Rejects with `unavailable`, `timeout` or `denied`. */
export async function dialTarget(place: TargetPlace, clock: Clock, timeoutMs: number): Promise<TLSSocket> {
  const socket = connect({ host: place.host, port: place.port, noDelay: true });
  const timer = clock.after(timeoutMs, () =>
    socket.destroy(
      new GatehouseError({
        code: "timeout",
        op: "postgres.dial",
        message: `${place.name} does not answer within ${timeoutMs / 1000} s`,
      }),
    ),
  );
  try {
    await event(socket, "connect");
    return await secured(socket, place);
  } catch (error) {
    socket.destroy();
    throw told(error, place.name);
  } finally {
    timer.cancel();
  }
}

/** The certificate that a server shows, trusted by nobody yet. */
export async function shownCertificate(
  host: string,
  port: number,
  clock: Clock,
  timeoutMs: number,
): Promise<X509Certificate> {
  const anything: PostgresTrust = { pinned: [], authorities: [], none: "accept" };
  const socket = await dialTarget({ name: `${host}:${port}`, host, port, trust: anything }, clock, timeoutMs);
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (!certificate)
    throw new GatehouseError({
      code: "unavailable",
      op: "postgres.scan",
      message: "it shows no certificate",
    });
  return certificate;
}

async function secured(socket: Socket, place: TargetPlace): Promise<TLSSocket> {
  socket.write(encodeSslRequest());
  const answer = await firstBytes(socket);
  // CVE-2021-23222: whatever comes in the clear behind the S was put there by somebody in between.
  if (answer.length !== 1 || answer[0] !== 0x53)
    throw new GatehouseError({
      code: "denied",
      op: "postgres.dial",
      message: `${place.name} does not offer TLS`,
      hint: "Turn ssl on in its postgresql.conf: the gate sends no credential in the clear.",
    });
  const { trust } = place;
  const tls = connectTls({
    socket,
    ...(isIP(place.host) === 0 && { servername: place.host }),
    // What is pinned is compared by us, below: OpenSSL would ask for names and dates that the pin makes needless.
    rejectUnauthorized: trust.authorities.length > 0,
    ...(trust.authorities.length > 0 && { ca: [...trust.authorities] }),
    ALPNProtocols: ["postgresql"],
    minVersion: "TLSv1.2",
  });
  tls.setNoDelay(true);
  await event(tls, "secureConnect");
  if (trust.authorities.length === 0 && trust.none !== "accept") checkPinned(tls, place);
  return tls;
}

function checkPinned(tls: TLSSocket, { name, trust }: TargetPlace): void {
  const shown = tls.getPeerX509Certificate();
  if (shown && trust.pinned.some((pem) => new X509Certificate(pem).raw.equals(shown.raw))) return;
  throw new GatehouseError({
    code: "denied",
    op: "postgres.certificate",
    message:
      trust.pinned.length === 0
        ? `nobody has said yet which certificate ${name} has`
        : `${name} shows another certificate than the one that is pinned`,
    hint: "An administrator must look and run `gatehouse targets trust`.",
  });
}

/** Signs in as `user`. `parameters` are what the client asked for besides: database, options and the like. */
export async function signIn(
  socket: TLSSocket,
  options: {
    targetName: string;
    user: string;
    password: string;
    parameters: Iterable<readonly [string, string]>;
    clock: Clock;
    random: Random;
    timeoutMs: number;
  },
): Promise<TargetConnection> {
  const { user, password } = options;
  const timer = options.clock.after(options.timeoutMs, () =>
    socket.destroy(
      new GatehouseError({
        code: "timeout",
        op: "postgres.dial",
        message: `${options.targetName} does not finish the sign-in`,
      }),
    ),
  );
  const messages = messagesOf(socket);
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
            if (scram && !scram.verified) throw broken("it said yes before SCRAM was over");
            signedIn = true;
            break;
          case 3:
            send(zeroTerminated(password));
            break;
          case 5:
            send(zeroTerminated(md5Password(password, user, data.subarray(0, 4))));
            break;
          case 10: {
            const offered = fromUtf8(data).split("\0");
            scram = new ScramClient({ binding: bindingFor(socket, offered), random: options.random });
            if (!offered.includes(scram.mechanism))
              throw broken("it offers no SASL mechanism that is spoken here");
            const first = utf8(scram.first());
            const length = Buffer.alloc(4);
            length.writeInt32BE(first.length);
            send(concatBytes([zeroTerminated(scram.mechanism), length, first]));
            break;
          }
          case 11:
            if (!scram) throw broken("SASL goes on that never began");
            send(utf8(await scram.final(fromUtf8(data), password)));
            break;
          case 12:
            if (!scram) throw broken("SASL ends that never began");
            scram.verify(fromUtf8(data));
            break;
          default:
            throw new GatehouseError({
              code: "denied",
              op: "postgres.dial",
              message: `${options.targetName} asks for an authentication (${kind}) that the gate does not speak`,
              hint: "scram-sha-256, md5 and password in its pg_hba.conf are spoken.",
            });
        }
      } else if (!signedIn) throw broken(`a message 0x${type.toString(16)} before its yes`);
      else if (type === backend.backendKeyData) key = decodeBackendKeyData(body);
      else if (type === backend.readyForQuery) {
        decodeReady(body);
        greeting.push(raw);
        return { socket, key, greeting: concatBytes(greeting), rest: messages.stop() };
      } else greeting.push(raw);
    }
  } catch (error) {
    socket.destroy();
    throw told(error, options.targetName);
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

/** RFC 5929 §4.1: the hash of the certificate's own signature, SHA-256 in place of MD5 and SHA-1. */
function bindingFor(socket: TLSSocket, offered: readonly string[]): ChannelBinding {
  const certificate = socket.getPeerX509Certificate();
  const hash = /sha(?:1|224|256|384|512)|md5/i
    .exec(certificate?.signatureAlgorithm ?? "")?.[0]
    ?.toLowerCase();
  if (!certificate || hash === undefined) return { type: "unable" };
  if (!offered.includes("SCRAM-SHA-256-PLUS")) return { type: "not-offered" };
  const name = hash === "md5" || hash === "sha1" ? "sha256" : hash;
  return { type: "tls-server-end-point", data: createHash(name).update(certificate.raw).digest() };
}

type Message = { type: number; body: Uint8Array; raw: Uint8Array };

/** Messages one at a time, for the dialogue before data flows. */
function messagesOf(socket: TLSSocket): { next(): Promise<Message>; stop(): Uint8Array } {
  const splitter = new MessageSplitter({
    op: "postgres.dial",
    known: (type) => known.has(type),
    whole: () => true,
    wholeBytesMax: messageBytesMax,
  });
  const waiting: Message[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    wake?.();
  };
  const data = (chunk: Buffer) => {
    try {
      for (const { type, body, raw } of splitter.feed(chunk)) waiting.push({ type, body, raw });
    } catch (error) {
      fail(error as Error);
    }
    wake?.();
  };
  const closed = () => fail(new Error("it broke the connection"));
  socket.on("data", data).on("error", fail).on("close", closed);
  return {
    async next() {
      for (;;) {
        const message = waiting.shift();
        if (message) return message;
        if (failure) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    stop() {
      socket.pause();
      socket.off("data", data).off("error", fail).off("close", closed);
      // Nothing is sent by itself after ReadyForQuery but notices, and those are whole or not there yet.
      if (splitter.heldBytes > 0) throw broken("half a message after it was ready");
      return concatBytes(waiting.map(({ raw }) => raw));
    },
  };
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

function broken(what: string): GatehouseError {
  return new GatehouseError({
    code: "protocol",
    op: "postgres.dial",
    message: `the server broke the protocol: ${what}`,
  });
}

function told(error: unknown, name: string): GatehouseError {
  if (isGatehouseError(error)) return error;
  return new GatehouseError({
    code: "unavailable",
    op: "postgres.dial",
    message: `${name} cannot be reached (${messageOf(error)})`,
    cause: error,
  });
}

function event(socket: Socket, name: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("it broke the connection"));
    socket.once("close", closed);
    // Stays: an error that comes between two steps must not end the process.
    socket.on("error", reject);
    socket.once(name, () => {
      socket.off("close", closed);
      resolve();
    });
  });
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
