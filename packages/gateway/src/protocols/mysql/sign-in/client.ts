import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { GatehouseError } from "@gatehouse/kernel";
import { ByteQueue } from "../../../passage/mod.ts";
import { type Capabilities, capability } from "../wire/capabilities.ts";
import {
  type Greeting,
  type HandshakeResponse,
  type Prologue,
  decodeHandshakeResponse,
  decodePrologue,
  encodeAuthSwitch,
  encodeGreeting,
  prologueBytes,
} from "../wire/handshake.ts";
import { type ServerError, encodeError } from "../wire/messages.ts";
import { broken, encodePacket } from "../wire/packets.ts";
import { type Dialogue, SocketDialogue } from "./dialogue.ts";

/** A client inside TLS that said who it is and where it wants to go. */
export type Arrival = { socket: TLSSocket; dialogue: SocketDialogue; response: HandshakeResponse };

const op = "mysql.client";
export const gatePlugin = "caching_sha2_password";
const clearPlugin = "mysql_clear_password";
/** With `caching_sha2_password`: the hash is not known here, so the password itself is asked for, which TLS protects. */
const fullAuthentication = Uint8Array.of(0x01, 0x04);
/** The same plugin's yes, before the server's own. */
const fastAuthentication = Uint8Array.of(0x01, 0x03);
const handshakeBytesMax = 64 * 1024;

/**
 * A client's way from the greeting to its response inside TLS. Rejects with `denied` having told the client why where that
 * was possible. The caller limits the time.
 */
export async function greetClient(
  plain: Socket,
  { secureContext, greeting }: { secureContext: SecureContext; greeting: Greeting },
): Promise<Arrival> {
  plain.write(encodePacket(0, encodeGreeting(greeting)));
  const queue = new ByteQueue(plain, op);
  const header = await queue.atLeast(4);
  const length = (header[0] as number) | ((header[1] as number) << 8) | ((header[2] as number) << 16);
  if (length < prologueBytes || length > handshakeBytesMax || header[3] !== 1)
    throw broken(op, "this is no answer to a greeting");
  await queue.atLeast(4 + prologueBytes);
  const request = queue.take(4 + prologueBytes);
  const asked = decodePrologue(request.subarray(4));
  if ((asked.capabilities.flags & capability.ssl) === 0 || length !== prologueBytes) {
    refuse(plain, 2, {
      code: 3159,
      sqlState: "HY000",
      message: "This gate is entered with TLS only: connect with --ssl-mode=REQUIRED (--ssl) or stricter",
    });
    throw new GatehouseError({ code: "denied", op, message: "no TLS" });
  }
  // A client begins TLS without waiting, so what is here already is its first word inside it.
  const socket = await secured(plain, queue.take(queue.bytes), secureContext);
  const dialogue = new SocketDialogue(socket, op, 2);
  const response = decodeHandshakeResponse(await dialogue.next(), (prologue) =>
    agreed(prologue, greeting.capabilities),
  );
  return { socket, dialogue, response };
}

/** The connection secret. Every client of today sends it with its usual plugin, once it is inside TLS. */
export async function askSecret({ dialogue, response }: Arrival, nonce: Uint8Array): Promise<string> {
  if (response.plugin === clearPlugin && response.response.at(-1) === 0) return passwordIn(response.response);
  if (mistakes(response)) {
    dialogue.send(encodeAuthSwitch(clearPlugin, new Uint8Array()));
    return passwordIn(await dialogue.next());
  }
  const scramble = await scrambled({ dialogue, response }, nonce);
  // No password was given; a client would not wait for the next question.
  if (scramble.length <= 1) return "";
  dialogue.send(fullAuthentication);
  return passwordIn(await dialogue.next());
}

/**
 * What a client makes of its password by the gate's plugin. One that named another waits to be told of this: MariaDB's library
 * does where it has read the plugin that the greeting names on another thread at that moment.
 */
export async function scrambled(
  { dialogue, response }: Pick<Arrival, "dialogue" | "response">,
  nonce: Uint8Array,
): Promise<Uint8Array> {
  if (response.plugin === gatePlugin) return response.response;
  return await scrambledAnew(dialogue, nonce);
}
export async function scrambledAnew(dialogue: Dialogue, nonce: Uint8Array): Promise<Uint8Array> {
  dialogue.send(encodeAuthSwitch(gatePlugin, nonce));
  return await dialogue.next();
}

/** Goes on without a password, whatever the client made of it: who gave one waits for the plugin's yes before the server's. */
export function takeAnswer(dialogue: Dialogue, scramble: Uint8Array): void {
  if (scramble.length > 1) dialogue.send(fastAuthentication);
}

/**
 * MySQL's own JDBC driver takes a MariaDB server for version 5.5.5, whose sign-in it reads in another way. It needs no leave
 * to send a password as it is, inside TLS.
 */
function mistakes({ attributes }: HandshakeResponse): boolean {
  return attributes.some(([name, value]) => name === "_client_name" && value === "MySQL Connector/J");
}

function passwordIn(payload: Uint8Array): string {
  return Buffer.from(payload.at(-1) === 0 ? payload.subarray(0, -1) : payload).toString();
}

/** Tells the client why it ends here, and ends it. */
export function refuse(socket: Socket, sequence: number, error: ServerError): void {
  if (!socket.destroyed) socket.end(encodePacket(sequence, encodeError(error)));
}

function agreed({ capabilities }: Prologue, offer: Capabilities): Capabilities {
  if (
    (capabilities.flags & capability.protocol41) === 0 ||
    (capabilities.flags & capability.pluginAuth) === 0
  )
    throw new GatehouseError({ code: "denied", op, message: "clients before MySQL 5.5 do not pass" });
  return {
    // MariaDB's clients leave the lowest bit off though it says nothing about the form of messages.
    flags: (capabilities.flags & (offer.flags | capability.longPassword)) >>> 0,
    extended: capabilities.extended & offer.extended,
  };
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
    });
    socket.setNoDelay(true);
    socket.on("error", reject);
    plain.on("error", () => undefined);
    socket.once("close", () =>
      reject(new GatehouseError({ code: "denied", op, message: "the client left" })),
    );
    socket.once("secure", () => {
      socket.pause();
      resolve(socket);
    });
  });
}
