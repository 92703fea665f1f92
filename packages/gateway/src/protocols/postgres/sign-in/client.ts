import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { X509Certificate } from "node:crypto";
import { GatehouseError, type Random, checkLimit, utf8 } from "@gatehouse/kernel";
import { scramTerms } from "../../../identity/mod.ts";
import { ByteQueue } from "../../../passage/mod.ts";
import { decodeText, encodeAuthentication, encodeErrorResponse, passwordMessage } from "../wire/messages.ts";
import { readInt32 } from "../wire/splitter.ts";
import { endPointBinding } from "./end-point-binding.ts";
import { ScramServer, scramMechanisms } from "./scram-server.ts";
import { readStartup } from "../wire/startup.ts";

/** How a connection began. */
export type Arrival =
  | { type: "cancel"; pid: number; secret: Uint8Array }
  | { type: "startup"; socket: TLSSocket; minor: number; parameters: ReadonlyMap<string, string> };

const op = "postgres.client";
const passwordBytesMax = 4096;
/** RFC 8446 §5.1: the record type of a handshake, which begins every TLS connection. */
const tlsHandshake = 0x16;

/**
 * A client's way to its startup message: TLS asked for (`SSLRequest`) or begun at once (`sslnegotiation=direct`, which must
 * name the protocol by ALPN), GSS declined. Without TLS only a cancel request is heard: older clients send it so.
 * Rejects with `denied` having told the client why where that was possible. The caller limits the time.
 */
export async function greetClient(plain: Socket, secureContext: SecureContext): Promise<Arrival> {
  const early = new ByteQueue(plain, op);
  for (;;) {
    const first = await early.atLeast(1);
    if (first[0] === tlsHandshake) {
      const socket = await secured(plain, early.all(), secureContext);
      if (socket.alpnProtocol !== "postgresql") {
        socket.destroy();
        throw refused("TLS that begins at once must name postgresql by ALPN");
      }
      return startup(socket);
    }
    const packet = await packetOf(early);
    switch (packet.type) {
      case "gss":
        plain.write("N");
        break;
      case "ssl":
        // CVE-2021-23214: what came in the clear behind the request was put there by somebody in between.
        if (early.bytes > 0) throw refused("bytes in the clear behind the request for TLS");
        plain.write("S");
        return startup(await secured(plain, new Uint8Array(), secureContext));
      case "cancel":
        return packet;
      case "startup":
        refuse(
          plain,
          "28000",
          "this gate is entered with TLS only",
          "Connect with sslmode=require or stricter.",
        );
        throw refused("no TLS");
    }
  }
}

/** Asks for the password itself, which TLS protects on its way. */
export async function askPassword(socket: TLSSocket): Promise<string> {
  socket.write(encodeAuthentication(3));
  return decodeText(await passwordFrom(socket));
}

/** Asks for proof that the client has the secret, which does not leave it. `certificate`: what the client was shown, PEM. */
export async function askProof(
  socket: TLSSocket,
  { certificate, random }: { certificate: string; random: Random },
): Promise<{ proves(storedKey: Uint8Array): boolean; finish(serverKey: Uint8Array): void }> {
  const binding = endPointBinding(new X509Certificate(certificate));
  // §55.3: without a hash that is defined for its signature a server cannot bind.
  const offered = scramMechanisms.filter((one) => binding !== undefined || one !== "SCRAM-SHA-256-PLUS");
  const server = new ScramServer({ binding, random });
  socket.write(encodeAuthentication(10, utf8(`${offered.join("\0")}\0\0`)));
  const asked = await passwordFrom(socket);
  const end = asked.indexOf(0);
  if (end < 0 || asked.length < end + 5) throw refused("something else than SASL was sent");
  const clientFirst = latin(asked.subarray(end + 5));
  if (readInt32(asked, end + 1) !== asked.length - end - 5) throw refused("SASL of another length");
  const serverFirst = server.first(latin(asked.subarray(0, end)), clientFirst, scramTerms);
  socket.write(encodeAuthentication(11, utf8(serverFirst)));
  server.final(latin(await passwordFrom(socket)));
  return {
    proves: (storedKey) => server.proves(storedKey),
    finish: (serverKey) => void socket.write(encodeAuthentication(12, utf8(server.verification(serverKey)))),
  };
}

/** SASL here is ASCII; what is not fits nothing that is expected. */
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** The next message, which carries a password or a part of SASL. */
async function passwordFrom(socket: TLSSocket): Promise<Uint8Array> {
  const queue = new ByteQueue(socket, op);
  const head = await queue.atLeast(5);
  if (head[0] !== passwordMessage) throw refused("something else than a password was sent");
  const length = readInt32(head, 1);
  checkLimit(op, "the password's bytes", length - 4, passwordBytesMax);
  await queue.atLeast(1 + length);
  const message = queue.take(1 + length);
  if (queue.bytes > 0) throw refused("bytes behind the password");
  return message.subarray(5);
}

/** Tells the client why it ends here, and ends it. */
export function refuse(socket: Socket, code: string, message: string, hint?: string): void {
  if (socket.destroyed) return;
  socket.end(encodeErrorResponse({ severity: "FATAL", code, message, hint }));
}

async function startup(socket: TLSSocket): Promise<Arrival> {
  const queue = new ByteQueue(socket, op);
  const packet = await packetOf(queue);
  if (queue.bytes > 0) throw refused("bytes behind the startup message");
  switch (packet.type) {
    case "cancel":
      socket.destroy();
      return packet;
    case "startup":
      return { ...packet, socket };
    default:
      throw refused("another request for encryption inside TLS");
  }
}

async function packetOf(queue: ByteQueue) {
  for (let wanted = 4; ; wanted = queue.bytes + 1) {
    const read = readStartup(await queue.atLeast(wanted));
    if (!read) continue;
    queue.take(read.bytes);
    return read.packet;
  }
}

/** `begun` is what of the TLS connection was read already. */
function secured(plain: Socket, begun: Uint8Array, secureContext: SecureContext): Promise<TLSSocket> {
  if (begun.length > 0) plain.unshift(begun);
  return new Promise((resolve, reject) => {
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext,
      // Whose it is, and whether it is good, is found out once it is known what is asked for.
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["postgresql"],
    });
    socket.setNoDelay(true);
    socket.on("error", reject);
    plain.on("error", () => undefined);
    socket.once("close", () => reject(refused("the client left")));
    socket.once("secure", () => {
      socket.pause();
      resolve(socket);
    });
  });
}

function refused(message: string): GatehouseError {
  return new GatehouseError({ code: "denied", op, message });
}
