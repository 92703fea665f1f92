import { GatehouseError } from "@gatehouse/kernel";
import { SshReader, SshWriter } from "../transport/wire.ts";

/**
 * The messages of the connection protocol as pure codecs: bytes in, values out. Decoders get a whole payload, its
 * number included, and read to its end. Byte strings are views into it.
 */
export const messageNumber = {
  // RFC 4250 §4.1.2
  serviceRequest: 5,
  serviceAccept: 6,
  userauthRequest: 50,
  userauthFailure: 51,
  userauthSuccess: 52,
  userauthBanner: 53,
  /** PK_OK, PASSWD_CHANGEREQ or INFO_REQUEST, by the method under way. */
  userauthSpecific: 60,
  userauthInfoResponse: 61,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const;

/** RFC 4253 §11.1. */
export const disconnectReason = {
  protocolError: 2,
  serviceNotAvailable: 7,
  byApplication: 11,
  noMoreAuthMethods: 14,
} as const;

/** RFC 4250 §4.6.1 gives names 64 characters; real ones with a domain run a little longer. */
const nameCharsMax = 128;
/** Descriptions are for people: what is longer is cut, not refused. */
const descriptionCharsMax = 1024;

export function protocolError(message: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op: "ssh.connection", message });
}

function readName(reader: SshReader, what: string): string {
  const name = reader.text();
  if (name.length > nameCharsMax) throw protocolError(`a ${what} of ${name.length} characters`);
  return name;
}

const lossy = new TextDecoder();
/** Text for people from a peer that may send anything; RFC 4251 §9.2: control characters are replaced. */
export function readDescription(reader: SshReader): string {
  return withoutControls(lossy.decode(reader.string()).slice(0, descriptionCharsMax));
}
export function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}

function open(payload: Uint8Array): SshReader {
  return new SshReader(payload, 1);
}

export type GlobalRequestMessage = { type: string; wantReply: boolean; payload: Uint8Array };
/** RFC 4254 §4. */
export function decodeGlobalRequest(payload: Uint8Array): GlobalRequestMessage {
  const reader = open(payload);
  return { type: readName(reader, "global request name"), wantReply: reader.bool(), payload: reader.rest() };
}
export function encodeGlobalRequest(message: GlobalRequestMessage): Uint8Array {
  return new SshWriter(64 + message.payload.length)
    .byte(messageNumber.globalRequest)
    .string(message.type)
    .bool(message.wantReply)
    .raw(message.payload)
    .done();
}
/** RFC 4254 §4: a success may carry data, a failure none. */
export function encodeGlobalReply(ok: boolean, payload: Uint8Array): Uint8Array {
  if (!ok) return Uint8Array.of(messageNumber.requestFailure);
  return new SshWriter(1 + payload.length).byte(messageNumber.requestSuccess).raw(payload).done();
}

export type ChannelOpenMessage = {
  type: string;
  sender: number;
  windowBytes: number;
  packetBytesMax: number;
  payload: Uint8Array;
};
/** RFC 4254 §5.1. */
export function decodeChannelOpen(payload: Uint8Array): ChannelOpenMessage {
  const reader = open(payload);
  return {
    type: readName(reader, "channel type"),
    sender: reader.uint32(),
    windowBytes: reader.uint32(),
    packetBytesMax: reader.uint32(),
    payload: reader.rest(),
  };
}
export function encodeChannelOpen(message: ChannelOpenMessage): Uint8Array {
  return new SshWriter(64 + message.payload.length)
    .byte(messageNumber.channelOpen)
    .string(message.type)
    .uint32(message.sender)
    .uint32(message.windowBytes)
    .uint32(message.packetBytesMax)
    .raw(message.payload)
    .done();
}

export type OpenConfirmationMessage = {
  recipient: number;
  sender: number;
  windowBytes: number;
  packetBytesMax: number;
  payload: Uint8Array;
};
/** RFC 4254 §5.1. */
export function decodeOpenConfirmation(payload: Uint8Array): OpenConfirmationMessage {
  const reader = open(payload);
  return {
    recipient: reader.uint32(),
    sender: reader.uint32(),
    windowBytes: reader.uint32(),
    packetBytesMax: reader.uint32(),
    payload: reader.rest(),
  };
}
export function encodeOpenConfirmation(message: OpenConfirmationMessage): Uint8Array {
  return new SshWriter(32 + message.payload.length)
    .byte(messageNumber.channelOpenConfirmation)
    .uint32(message.recipient)
    .uint32(message.sender)
    .uint32(message.windowBytes)
    .uint32(message.packetBytesMax)
    .raw(message.payload)
    .done();
}

export type OpenFailureMessage = { recipient: number; reason: number; description: string };
/** RFC 4254 §5.1. Some servers leave out the language tag, so what follows the description is not looked at. */
export function decodeOpenFailure(payload: Uint8Array): OpenFailureMessage {
  const reader = open(payload);
  return { recipient: reader.uint32(), reason: reader.uint32(), description: readDescription(reader) };
}
export function encodeOpenFailure(message: OpenFailureMessage): Uint8Array {
  return new SshWriter(32 + message.description.length)
    .byte(messageNumber.channelOpenFailure)
    .uint32(message.recipient)
    .uint32(message.reason)
    .string(message.description)
    .string("")
    .done();
}

/** RFC 4254 §5.2. */
export function decodeWindowAdjust(payload: Uint8Array): { recipient: number; bytes: number } {
  const reader = open(payload);
  const message = { recipient: reader.uint32(), bytes: reader.uint32() };
  reader.end("window adjust");
  return message;
}
export function encodeWindowAdjust(recipient: number, bytes: number): Uint8Array {
  return new SshWriter(9).byte(messageNumber.channelWindowAdjust).uint32(recipient).uint32(bytes).done();
}

/** RFC 4254 §5.2: CHANNEL_DATA is stream 0, CHANNEL_EXTENDED_DATA any other. The bulk path. */
export function decodeData(payload: Uint8Array): { recipient: number; stream: number; data: Uint8Array } {
  const reader = open(payload);
  const recipient = reader.uint32();
  const stream = payload[0] === messageNumber.channelData ? 0 : reader.uint32();
  const data = reader.string();
  reader.end("channel data");
  return { recipient, stream, data };
}
/** The bytes before the data itself; `into` is written over, so a channel needs one buffer for all its packets. */
export const dataHeadBytesMax = 13;
export function encodeDataHead(
  into: Uint8Array,
  recipient: number,
  stream: number,
  length: number,
): Uint8Array {
  const extended = stream !== 0;
  into[0] = extended ? messageNumber.channelExtendedData : messageNumber.channelData;
  putUint32(into, 1, recipient);
  if (extended) putUint32(into, 5, stream);
  putUint32(into, extended ? 9 : 5, length);
  return into.subarray(0, extended ? 13 : 9);
}
function putUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

/** EOF, CLOSE, SUCCESS and FAILURE (RFC 4254 §5.3, §5.4) have nothing but the recipient. */
export function decodeRecipient(payload: Uint8Array): number {
  const reader = open(payload);
  const recipient = reader.uint32();
  reader.end("channel message");
  return recipient;
}
export function encodeRecipient(number: number, recipient: number): Uint8Array {
  return new SshWriter(5).byte(number).uint32(recipient).done();
}

export type ChannelRequestMessage = {
  recipient: number;
  type: string;
  wantReply: boolean;
  payload: Uint8Array;
};
/** RFC 4254 §5.4. */
export function decodeChannelRequest(payload: Uint8Array): ChannelRequestMessage {
  const reader = open(payload);
  return {
    recipient: reader.uint32(),
    type: readName(reader, "channel request name"),
    wantReply: reader.bool(),
    payload: reader.rest(),
  };
}
export function encodeChannelRequest(message: ChannelRequestMessage): Uint8Array {
  return new SshWriter(64 + message.payload.length)
    .byte(messageNumber.channelRequest)
    .uint32(message.recipient)
    .string(message.type)
    .bool(message.wantReply)
    .raw(message.payload)
    .done();
}
