import { GatehouseError } from "@gatehouse/kernel";
import { SshReader, SshWriter } from "./wire.ts";

/** RFC 4250 §4.1.2, the numbers that the transport itself knows; ping and pong are OpenSSH's. */
export const messageNumber = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  serviceRequest: 5,
  serviceAccept: 6,
  extInfo: 7,
  kexInit: 20,
  newKeys: 21,
  /** KEXDH_INIT, KEX_ECDH_INIT and KEX_HYBRID_INIT share a number, as their answers do. */
  kexStart: 30,
  kexReply: 31,
  ping: 192,
  pong: 193,
} as const;

/** RFC 4253 §11.1. */
export const disconnectReason = {
  protocolError: 2,
  keyExchangeFailed: 3,
  macError: 5,
  protocolVersionNotSupported: 8,
  hostKeyNotVerifiable: 9,
  connectionLost: 10,
  byApplication: 11,
} as const;

/** The peer broke the protocol. `details.reason` is what SSH_MSG_DISCONNECT tells it. */
export function broken(message: string, reason: number = disconnectReason.protocolError): GatehouseError {
  return new GatehouseError({ code: "protocol", op: "ssh.transport", message, details: { reason } });
}

/** Nobody's fault: the same may work another time. */
export function connectionLost(cause: Error): GatehouseError {
  return new GatehouseError({
    code: "unavailable",
    op: "ssh.transport",
    message: `the connection was lost: ${cause.message}`,
    cause,
    details: { reason: disconnectReason.connectionLost },
  });
}

/** RFC 4253 §7.1. */
export type KexInit = {
  kex: readonly string[];
  hostKey: readonly string[];
  cipherToServer: readonly string[];
  cipherToClient: readonly string[];
  macToServer: readonly string[];
  macToClient: readonly string[];
  compressionToServer: readonly string[];
  compressionToClient: readonly string[];
  /** The packet after this one is a guess. */
  guessFollows: boolean;
};

export function encodeKexInit(init: KexInit, cookie: Uint8Array): Uint8Array {
  return new SshWriter(1024)
    .byte(messageNumber.kexInit)
    .raw(cookie)
    .nameList(init.kex)
    .nameList(init.hostKey)
    .nameList(init.cipherToServer)
    .nameList(init.cipherToClient)
    .nameList(init.macToServer)
    .nameList(init.macToClient)
    .nameList(init.compressionToServer)
    .nameList(init.compressionToClient)
    .nameList([]) // languages, both ways
    .nameList([])
    .bool(init.guessFollows)
    .uint32(0)
    .done();
}

export function decodeKexInit(payload: Uint8Array): KexInit {
  const reader = new SshReader(payload, 1 + 16);
  const init = {
    kex: reader.nameList(),
    hostKey: reader.nameList(),
    cipherToServer: reader.nameList(),
    cipherToClient: reader.nameList(),
    macToServer: reader.nameList(),
    macToClient: reader.nameList(),
    compressionToServer: reader.nameList(),
    compressionToClient: reader.nameList(),
  };
  reader.string();
  reader.string();
  const guessFollows = reader.bool();
  reader.uint32();
  reader.end("KEXINIT");
  return { ...init, guessFollows };
}

/** What a peer wrote for people is cut to this and loses its control characters before it gets anywhere. */
const descriptionCharsMax = 256;

export function encodeDisconnect(reason: number, description: string): Uint8Array {
  return new SshWriter()
    .byte(messageNumber.disconnect)
    .uint32(reason)
    .string(description.slice(0, descriptionCharsMax))
    .string("")
    .done();
}

export function decodeDisconnect(payload: Uint8Array): { reason: number; description: string } {
  const reader = new SshReader(payload, 1);
  const reason = reader.uint32();
  const description = reader.text().slice(0, descriptionCharsMax).replace(/\p{C}/gu, "?");
  // The language tag is left out by some.
  return { reason, description };
}

/** RFC 8308 §2.3: at most this many extensions are looked at. */
const extensionsMax = 64;

export function encodeExtInfo(extensions: readonly (readonly [name: string, value: string])[]): Uint8Array {
  const writer = new SshWriter(512).byte(messageNumber.extInfo).uint32(extensions.length);
  for (const [name, value] of extensions) writer.string(name).string(value);
  return writer.done();
}

/** `server-sig-algs`, when it is there; all other extensions say nothing to us. */
export function decodeExtInfo(payload: Uint8Array): { signatureAlgorithms: string[] | undefined } {
  const reader = new SshReader(payload, 1);
  const count = reader.uint32();
  if (count > extensionsMax) throw broken(`EXT_INFO with ${count} extensions`);
  let signatureAlgorithms: string[] | undefined;
  for (let i = 0; i < count; i++) {
    const name = reader.text();
    // RFC 8308 §2.5: values of extensions may hold any bytes, so only the known one is read as text.
    const value = reader.string();
    if (name === "server-sig-algs") signatureAlgorithms = Buffer.from(value).toString("latin1").split(",");
  }
  reader.end("EXT_INFO");
  return { signatureAlgorithms };
}

/** OpenSSH PROTOCOL, "Ping facility": the answer to SSH2_MSG_PING repeats its data. */
export function encodePong(ping: Uint8Array): Uint8Array {
  const data = new SshReader(ping, 1).string();
  return new SshWriter(data.length + 5).byte(messageNumber.pong).string(data).done();
}

/** RFC 4253 §11.4. */
export function encodeUnimplemented(sequence: number): Uint8Array {
  return new SshWriter(5).byte(messageNumber.unimplemented).uint32(sequence).done();
}
