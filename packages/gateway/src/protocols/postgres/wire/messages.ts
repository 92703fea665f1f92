import { ByteReader, ByteWriter, GatehouseError, utf8 } from "@gatehouse/kernel";

/** PostgreSQL §55.7: the type bytes of what a client sends once it is signed in. */
export const frontend = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

/** Everything that a client answers while it signs in: a password, a SASL response. */
export const passwordMessage = 0x70; // p

/** PostgreSQL §55.7: the type bytes of what a server sends. */
export const backend = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  copyBothResponse: 0x57, // W
  dataRow: 0x44, // D
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  functionCallResponse: 0x56, // V
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

const op = "postgres.message";

/** Text up to its zero byte. What is no UTF-8 is shown with replacement characters: it is for reading, not forwarding. */
function text(reader: ByteReader): string {
  const { bytes, at } = reader;
  const end = bytes.indexOf(0, at);
  if (end < 0) throw malformed("a text without its end");
  const value = textOf(bytes, at, end);
  reader.at = end + 1;
  return value;
}

/** What comes from a socket is a Buffer, whose own decoder is quicker for short texts than TextDecoder. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  if (from === to) return "";
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString("utf8", from, to);
}

function malformed(what: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op, message: `malformed message: ${what}` });
}

/** A count may not claim more entries than its bytes can hold, before a list is made of them. */
function count(reader: ByteReader, entryBytesMin: number): number {
  const value = reader.u16();
  if (value * entryBytesMin > reader.remaining) throw malformed(`${value} entries do not fit in it`);
  return value;
}

function finished<T>(reader: ByteReader, value: T): T {
  if (reader.remaining > 0) throw malformed(`${reader.remaining} bytes too many`);
  return value;
}

export function decodeQuery(body: Uint8Array): { text: string } {
  const reader = new ByteReader(body, op);
  return finished(reader, { text: text(reader) });
}

export type Parse = { name: string; text: string; types: number[] };
export function decodeParse(body: Uint8Array): Parse {
  const reader = new ByteReader(body, op);
  const name = text(reader);
  const sql = text(reader);
  const types = Array.from({ length: count(reader, 4) }, () => reader.u32());
  return finished(reader, { name, text: sql, types });
}

export type Bind = {
  portal: string;
  statement: string;
  /** 0 is text, 1 binary. One for all, or one each, or none: text. */
  formats: number[];
  /** Views; undefined is NULL. */
  values: (Uint8Array | undefined)[];
  /** Of the columns of the result, likewise. */
  resultFormats: number[];
};
export function decodeBind(body: Uint8Array): Bind {
  const reader = new ByteReader(body, op);
  const portal = text(reader);
  const statement = text(reader);
  const formats = Array.from({ length: count(reader, 2) }, () => reader.u16());
  const values = Array.from({ length: count(reader, 4) }, () => {
    const length = reader.u32();
    return length === 0xffff_ffff ? undefined : reader.take(length);
  });
  const resultFormats = Array.from({ length: count(reader, 2) }, () => reader.u16());
  return finished(reader, { portal, statement, formats, values, resultFormats });
}

export function decodeExecute(body: Uint8Array): { portal: string; rowsMax: number } {
  const reader = new ByteReader(body, op);
  return finished(reader, { portal: text(reader), rowsMax: reader.u32() });
}

/** Describe and Close: `S` a prepared statement, `P` a portal. */
export function decodeNamed(body: Uint8Array): { of: "statement" | "portal"; name: string } {
  const reader = new ByteReader(body, op);
  const letter = reader.u8();
  if (letter !== 0x53 && letter !== 0x50) throw malformed("neither a statement nor a portal");
  return finished(reader, { of: letter === 0x53 ? "statement" : "portal", name: text(reader) });
}

/** RowDescription (§55.7): what is looked at of its columns. */
export function decodeRowDescription(body: Uint8Array): { name: string; oid: number; format: number }[] {
  const reader = new ByteReader(body, op);
  return Array.from({ length: count(reader, 19) }, () => {
    const name = text(reader);
    reader.take(6); // the table, and which of its columns
    const oid = reader.u32();
    reader.take(6); // size and modifier
    return { name, oid, format: reader.u16() };
  });
}

export function decodeFunctionCall(body: Uint8Array): {
  oid: number;
  formats: number[];
  values: (Uint8Array | undefined)[];
} {
  const reader = new ByteReader(body, op);
  const oid = reader.u32();
  const formats = Array.from({ length: count(reader, 2) }, () => reader.u16());
  const values = Array.from({ length: count(reader, 4) }, () => {
    const length = reader.u32();
    return length === 0xffff_ffff ? undefined : reader.take(length);
  });
  reader.u16();
  return finished(reader, { oid, formats, values });
}

export function decodeText(body: Uint8Array): string {
  const end = body.indexOf(0);
  if (end < 0) throw malformed("a text without its end");
  return textOf(body, 0, end);
}

export function decodeParameterDescription(body: Uint8Array): number[] {
  const reader = new ByteReader(body, op);
  return Array.from({ length: count(reader, 4) }, () => reader.u32());
}

export type ServerError = {
  severity: string;
  code: string;
  message: string;
  detail?: string;
  hint?: string;
};
/** ErrorResponse and NoticeResponse (§55.8). Fields that nobody asks for are passed over. */
export function decodeError(body: Uint8Array): ServerError {
  const reader = new ByteReader(body, op);
  const error: ServerError = { severity: "", code: "", message: "" };
  for (let letter = reader.u8(); letter !== 0; letter = reader.u8()) {
    const value = text(reader);
    // V is the severity in English, whatever the server's language; S comes first and stands in for it.
    if (letter === 0x56 || (letter === 0x53 && error.severity === "")) error.severity = value;
    else if (letter === 0x43) error.code = value;
    else if (letter === 0x4d) error.message = value;
    else if (letter === 0x44) error.detail = value;
    else if (letter === 0x48) error.hint = value;
  }
  return error;
}

export function decodeParameterStatus(body: Uint8Array): { name: string; value: string } {
  const reader = new ByteReader(body, op);
  return finished(reader, { name: text(reader), value: text(reader) });
}

export function decodeNotification(body: Uint8Array): { pid: number; channel: string; payload: string } {
  const reader = new ByteReader(body, op);
  return finished(reader, { pid: reader.u32(), channel: text(reader), payload: text(reader) });
}

export function decodeBackendKeyData(body: Uint8Array): { pid: number; secret: Uint8Array } {
  const reader = new ByteReader(body, op);
  return { pid: reader.u32(), secret: Uint8Array.from(reader.take(reader.remaining)) };
}

/** What the server says about the transaction, in the last byte of ReadyForQuery. */
export function decodeReady(body: Uint8Array): "idle" | "transaction" | "failed" {
  switch (body[0]) {
    case 0x49:
      return "idle";
    case 0x54:
      return "transaction";
    case 0x45:
      return "failed";
    default:
      throw malformed("no such transaction status");
  }
}

/** Rows that a command tag counts (§55.7, CommandComplete): the last word, where it is a number. */
export function rowsOfTag(tag: string): number | undefined {
  const match = /^(?:INSERT \d+|[A-Z][A-Z ]*) (\d{1,15})$/.exec(tag);
  return match ? Number(match[1]) : undefined;
}

/** A message with its type and length. */
export function encodeMessage(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const writer = new ByteWriter(bodyBytes + 5).u8(type).u32(bodyBytes + 4);
  for (const part of parts) writer.put(part);
  return writer.done();
}

export const zeroTerminated = (value: string): Uint8Array => utf8(`${value}\0`);

export function encodeErrorResponse(error: {
  severity: "FATAL" | "ERROR";
  code: string;
  message: string;
  hint?: string | undefined;
}): Uint8Array {
  const fields = [`S${error.severity}`, `V${error.severity}`, `C${error.code}`, `M${error.message}`];
  if (error.hint !== undefined) fields.push(`H${error.hint}`);
  return encodeMessage(backend.errorResponse, ...fields.map(zeroTerminated), Uint8Array.of(0));
}

/** §55.7, NoticeResponse: a client takes one at any time. */
export function encodeNotice(message: string): Uint8Array {
  const fields = ["SNOTICE", "VNOTICE", "C00000", `M${message}`];
  return encodeMessage(backend.noticeResponse, ...fields.map(zeroTerminated), Uint8Array.of(0));
}

/** §55.7, Authentication*: `kind` is 0 for Ok, 3 for a password in the clear, 10 to 12 for SASL. */
export function encodeAuthentication(kind: number, data: Uint8Array = new Uint8Array()): Uint8Array {
  return encodeMessage(backend.authentication, new ByteWriter(4).u32(kind).done(), data);
}

export function encodeBackendKeyData(pid: number, secret: Uint8Array): Uint8Array {
  return encodeMessage(backend.backendKeyData, new ByteWriter(4).u32(pid).done(), secret);
}
