import type { TLSSocket } from "node:tls";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import { type TargetPlace, type TlsDial, unreachable } from "../../../passage/mod.ts";
import { type Capabilities, capability, towardsTarget } from "../wire/capabilities.ts";
import {
  type Greeting,
  type HandshakeResponse,
  decodeAuthSwitch,
  decodeGreeting,
  encodeHandshakeResponse,
  encodePrologue,
} from "../wire/handshake.ts";
import { answer, decodeError } from "../wire/messages.ts";
import { broken, encodePacket } from "../wire/packets.ts";
import { type Dialogue, SocketDialogue } from "./dialogue.ts";
import { clear, passwordResponse } from "./passwords.ts";

const op = "mysql.dial";

/** What the client asked for that the target is asked for in turn. */
export type Wanted = Pick<
  HandshakeResponse,
  "capabilities" | "packetBytesMax" | "charset" | "database" | "attributes"
> & { localFiles: boolean };

export type Greeted = { greeting: Greeting; capabilities: Capabilities };

/** Signed in, with the server ready for its first command. */
export type TargetConnection = Greeted & {
  socket: TLSSocket;
  /** The server's yes. */
  ok: Uint8Array;
};

/** What a look at a certificate, or a KILL, needs. */
export const plainly: Wanted = {
  capabilities: { flags: capability.longPassword | capability.transactions, extended: 0 },
  packetBytesMax: 0x100_0000,
  charset: 45,
  database: "",
  attributes: [],
  localFiles: false,
};

/** How a connection to a MySQL server gets to TLS. */
export function dial(clock: Clock, timeoutMs: number, wanted: Wanted = plainly): TlsDial<Greeted> {
  return {
    op,
    clock,
    timeoutMs,
    async begin(socket, { name }) {
      const dialogue = new SocketDialogue(socket, op);
      const first = await dialogue.next();
      if (first[0] === answer.error) throw refused(name, "", first);
      const greeting = decodeGreeting(first);
      if ((greeting.capabilities.flags & capability.ssl) === 0)
        throw new GatehouseError({
          code: "denied",
          op,
          message: `${name} does not offer TLS`,
          hint: "Set ssl_cert and ssl_key on the server: the gate sends no credential in the clear.",
        });
      if (dialogue.rest().length > 0) throw broken(op, "bytes in the clear behind the greeting");
      const capabilities = towardsTarget({
        client: wanted.capabilities,
        target: greeting.capabilities,
        database: wanted.database !== "",
        localFiles: wanted.localFiles,
        targetName: name,
        op,
      });
      socket.write(encodePacket(1, encodePrologue({ ...wanted, capabilities })));
      return { greeting, capabilities };
    },
  };
}

/** Signs in as `user`. Rejects with `denied`, `timeout`, `unavailable` or `protocol`, having closed the socket. */
export async function signIn(
  { socket, begun }: { socket: TLSSocket; begun: Greeted },
  options: {
    place: TargetPlace;
    user: string;
    password: string;
    wanted: Wanted;
    clock: Clock;
    timeoutMs: number;
  },
): Promise<TargetConnection> {
  const { user, password, wanted } = options;
  const { name } = options.place;
  const timer = options.clock.after(options.timeoutMs, () =>
    socket.destroy(
      new GatehouseError({ code: "timeout", op, message: `${name} does not finish the sign-in` }),
    ),
  );
  try {
    const { greeting, capabilities } = begun;
    const dialogue = new SocketDialogue(socket, op, 2);
    dialogue.send(
      encodeHandshakeResponse({
        ...wanted,
        capabilities,
        user,
        response: firstResponse(greeting, password),
        plugin: greeting.plugin,
      }),
    );
    const ok = await authenticate(dialogue, { name, user, password, plugin: greeting.plugin });
    if (dialogue.rest().length > 0) throw broken(op, "bytes behind its yes");
    return { ...begun, socket, ok };
  } catch (error) {
    socket.destroy();
    throw unreachable(error, name, op);
  } finally {
    timer.cancel();
  }
}

/** With these the password itself is sent, so only where the account's own plugin turns out to be one of them. */
const inTheClear = new Set(["mysql_clear_password", "sha256_password", "dialog"]);
const roundsMax = 16;

/**
 * What is said before the server has told the account's own plugin. One that is not spoken here is no reason to give up: the
 * server may switch.
 */
export function firstResponse({ plugin, nonce }: Greeting, password: string): Uint8Array {
  const response = inTheClear.has(plugin) ? undefined : passwordResponse(plugin, password, nonce);
  return response ?? new Uint8Array();
}

/** From the first response to the server's yes, whose message is returned. Also what follows a COM_CHANGE_USER. */
export async function authenticate(
  dialogue: Dialogue,
  account: { name: string; user: string; password: string; plugin: string },
): Promise<Uint8Array> {
  const { name, user, password } = account;
  let { plugin } = account;
  for (let round = 0; round < roundsMax; round++) {
    const payload = await dialogue.next();
    switch (payload[0]) {
      case answer.ok:
        return payload;
      case answer.error:
        throw refused(name, user, payload);
      case answer.end: {
        const asked = decodeAuthSwitch(payload);
        plugin = payload.length === 1 ? "mysql_old_password" : asked.plugin;
        const response = passwordResponse(plugin, password, asked.nonce);
        if (!response)
          throw new GatehouseError({
            code: "denied",
            op,
            message: `${name} asks for an authentication (${plugin.slice(0, 64)}) that the gate does not speak`,
            hint: "caching_sha2_password, mysql_native_password, ed25519 and sha256_password are spoken.",
          });
        dialogue.send(response);
        break;
      }
      case answer.moreData:
        if (plugin === "caching_sha2_password" && payload[1] === 0x03) break;
        if (plugin === "caching_sha2_password" && payload[1] === 0x04) {
          dialogue.send(clear(password));
          break;
        }
        throw broken(op, "the sign-in goes on in a way that its plugin does not have");
      default:
        throw broken(op, `0x${(payload[0] ?? 0).toString(16)} is no step of a sign-in`);
    }
  }
  throw broken(op, "the sign-in does not come to an end");
}

/** About the account that signs in: that is the gate's credential, and no business of the person's. */
const credentialCodes = new Set([1045, 1698, 1862, 3118, 4151]);

function refused(name: string, user: string, payload: Uint8Array): GatehouseError {
  const { code, sqlState, message } = decodeError(payload);
  const credential = user !== "" && (credentialCodes.has(code) || sqlState.startsWith("28"));
  return new GatehouseError({
    code: "denied",
    op: credential ? "mysql.credential" : "mysql.refused",
    message: credential ? `${name} refused the gate's credential for ${user}` : `${name} refused: ${message}`,
    ...(credential && { hint: "An administrator must check the target's stored credential." }),
    ...(!credential && { cause: new ServerRefusal(payload) }),
    details: { code, sqlState },
  });
}

/** The server's own error, for the client as it came: a database that does not exist, too many connections. */
export class ServerRefusal extends Error {
  readonly payload: Uint8Array;
  constructor(payload: Uint8Array) {
    super("the server refused");
    this.payload = Uint8Array.from(payload);
  }
}
