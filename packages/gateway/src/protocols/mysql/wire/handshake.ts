import { type Capabilities, capability } from "./capabilities.ts";
import { FieldReader, FieldWriter, readText } from "./fields.ts";
import { broken } from "./packets.ts";

const op = "mysql.handshake";
/** Of the nonce that passwords are scrambled with. */
export const nonceBytes = 20;
/** `SSLRequest` and the beginning of `HandshakeResponse41`. */
export const prologueBytes = 32;

export type Greeting = {
  version: string;
  connectionId: number;
  nonce: Uint8Array;
  capabilities: Capabilities;
  charset: number;
  status: number;
  plugin: string;
};

/** `Protocol::HandshakeV10`. */
export function encodeGreeting(greeting: Greeting): Uint8Array {
  const { capabilities, nonce } = greeting;
  return new FieldWriter()
    .u8(10)
    .terminated(greeting.version)
    .u32(greeting.connectionId)
    .put(nonce.subarray(0, 8))
    .u8(0)
    .u16(capabilities.flags & 0xffff)
    .u8(greeting.charset)
    .u16(greeting.status)
    .u16(capabilities.flags >>> 16)
    .u8(nonceBytes + 1)
    .zeros(6)
    .u32(capabilities.extended)
    .terminated(nonce.subarray(8))
    .terminated(greeting.plugin)
    .done();
}

export function decodeGreeting(payload: Uint8Array): Greeting {
  const reader = new FieldReader(payload, op);
  const protocol = reader.u8();
  if (protocol !== 10) throw broken(op, `protocol ${protocol} is not spoken here`);
  const version = readText(reader.terminated());
  const connectionId = reader.u32();
  const head = reader.take(8);
  reader.u8();
  const low = reader.u16();
  const charset = reader.u8();
  const status = reader.u16();
  const flags = (low | (reader.u16() << 16)) >>> 0;
  const dataBytes = reader.u8();
  reader.take(6);
  const own = reader.u32();
  const tail = reader.take(Math.max(13, dataBytes - 8)).subarray(0, nonceBytes - 8);
  return {
    version,
    connectionId,
    nonce: Uint8Array.from(Buffer.concat([head, tail])),
    // MySQL has zeros there; a server whose lowest bit is on is MySQL, whatever stands there.
    capabilities: { flags, extended: flags & capability.longPassword ? 0 : own },
    charset,
    status,
    plugin: flags & capability.pluginAuth ? readText(reader.terminated()) : "mysql_native_password",
  };
}

export type Prologue = { capabilities: Capabilities; packetBytesMax: number; charset: number };

/** The first 32 bytes of what a client answers: all of `SSLRequest`, and the beginning of its response. */
export function decodePrologue(payload: Uint8Array): Prologue {
  const reader = new FieldReader(payload, op);
  const flags = reader.u32();
  const bytesMax = reader.u32();
  const charset = reader.u8();
  reader.take(19);
  const own = reader.u32();
  return {
    capabilities: { flags, extended: flags & capability.longPassword ? 0 : own },
    packetBytesMax: bytesMax,
    charset,
  };
}

export function encodePrologue({ capabilities, packetBytesMax, charset }: Prologue): Buffer {
  return new FieldWriter()
    .u32(capabilities.flags)
    .u32(packetBytesMax)
    .u8(charset)
    .zeros(19)
    .u32(capabilities.extended)
    .done();
}

export type HandshakeResponse = Prologue & {
  user: string;
  response: Uint8Array;
  /** "" for none. */
  database: string;
  /** "" where the client does not say. */
  plugin: string;
  attributes: readonly (readonly [string, string])[];
};

/** `Protocol::HandshakeResponse41`. `agreed` is what of the client's capabilities was offered to it. */
export function decodeHandshakeResponse(
  payload: Uint8Array,
  agreed: (prologue: Prologue) => Capabilities,
): HandshakeResponse {
  const prologue = decodePrologue(payload);
  const capabilities = agreed(prologue);
  const { flags } = capabilities;
  const reader = new FieldReader(payload.subarray(prologueBytes), op);
  const user = readText(reader.terminated());
  const response = flags & capability.pluginAuthLenenc ? reader.counted() : reader.take(reader.u8());
  const database = flags & capability.connectWithDb ? readText(reader.terminated()) : "";
  const plugin = flags & capability.pluginAuth ? readText(reader.terminated()) : "";
  const attributes: [string, string][] = [];
  if (flags & capability.connectAttributes && reader.remaining > 0) {
    const list = new FieldReader(reader.counted(), op);
    while (list.remaining > 0) attributes.push([readText(list.counted()), readText(list.counted())]);
  }
  return { ...prologue, capabilities, user, response, database, plugin, attributes };
}

export function encodeHandshakeResponse(response: HandshakeResponse): Uint8Array {
  const { flags } = response.capabilities;
  const writer = new FieldWriter().put(encodePrologue(response)).terminated(response.user);
  if (flags & capability.pluginAuthLenenc) writer.counted(response.response);
  else writer.u8(response.response.length).put(response.response);
  if (flags & capability.connectWithDb) writer.terminated(response.database);
  if (flags & capability.pluginAuth) writer.terminated(response.plugin);
  if (flags & capability.connectAttributes) writer.counted(attributeList(response.attributes));
  return writer.done();
}

function attributeList(attributes: HandshakeResponse["attributes"]): Buffer {
  const list = new FieldWriter();
  for (const [name, value] of attributes) list.counted(name).counted(value);
  return list.done();
}

/** `Protocol::AuthSwitchRequest`. */
export function encodeAuthSwitch(plugin: string, nonce: Uint8Array): Uint8Array {
  return new FieldWriter().u8(0xfe).terminated(plugin).terminated(nonce).done();
}
export function decodeAuthSwitch(payload: Uint8Array): { plugin: string; nonce: Uint8Array } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const plugin = readText(reader.terminated());
  const data = reader.rest();
  // The nonce has a zero behind it, which is no part of it.
  return { plugin, nonce: Uint8Array.from(data.at(-1) === 0 ? data.subarray(0, -1) : data) };
}

export type ChangeUser = { user: string; database: string; charset: number | undefined; plugin: string };

/** `COM_CHANGE_USER`. */
export function decodeChangeUser(payload: Uint8Array, { flags }: Capabilities): ChangeUser {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const user = readText(reader.terminated());
  reader.take(reader.u8());
  const database = readText(reader.terminated());
  const charset = reader.remaining >= 2 ? reader.u16() : undefined;
  const plugin = flags & capability.pluginAuth && reader.remaining > 0 ? readText(reader.terminated()) : "";
  return { user, database, charset, plugin };
}

export function encodeChangeUser(
  { flags }: Capabilities,
  change: ChangeUser & { response: Uint8Array; attributes: HandshakeResponse["attributes"] },
): Uint8Array {
  const writer = new FieldWriter()
    .u8(0x11)
    .terminated(change.user)
    .u8(change.response.length)
    .put(change.response)
    .terminated(change.database)
    .u16(change.charset ?? 0);
  if (flags & capability.pluginAuth) writer.terminated(change.plugin);
  if (flags & capability.connectAttributes) writer.counted(attributeList(change.attributes));
  return writer.done();
}
