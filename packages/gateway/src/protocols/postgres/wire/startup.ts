import { ByteReader, ByteWriter, GatehouseError, checkLimit, concatBytes } from "@gatehouse/kernel";
import { decodeText, zeroTerminated } from "./messages.ts";

/** §55.7: what stands where a version stands in messages that have no type. */
const codes = { cancel: 80877102, ssl: 80877103, gss: 80877104 } as const;
const protocol3 = 3;
/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH). */
const startupBytesMax = 10_000;

export type StartupPacket =
  | { type: "ssl" }
  | { type: "gss" }
  | { type: "cancel"; pid: number; secret: Uint8Array }
  | { type: "startup"; minor: number; parameters: ReadonlyMap<string, string> };

const op = "postgres.startup";

/** The first message of a connection, or undefined while it is not complete. `bytes` is how long it was. */
export function readStartup(bytes: Uint8Array): { packet: StartupPacket; bytes: number } | undefined {
  if (bytes.length < 4) return undefined;
  const length = new ByteReader(bytes, op).u32();
  checkLimit(op, "the startup message's bytes", length, startupBytesMax);
  if (length < 8) throw malformed("it claims to be shorter than its own head");
  if (bytes.length < length) return undefined;
  return { packet: decodeStartup(bytes.subarray(4, length)), bytes: length };
}

function decodeStartup(body: Uint8Array): StartupPacket {
  const reader = new ByteReader(body, op);
  const code = reader.u32();
  switch (code) {
    case codes.ssl:
      return { type: "ssl" };
    case codes.gss:
      return { type: "gss" };
    case codes.cancel:
      // Four bytes up to protocol 3.0; 3.2 allows up to 256.
      checkLimit(op, "the cancel key's bytes", reader.remaining - 4, 256);
      return { type: "cancel", pid: reader.u32(), secret: Uint8Array.from(reader.take(reader.remaining)) };
  }
  if (code >>> 16 !== protocol3)
    throw malformed(`protocol ${code >>> 16}.${code & 0xffff} is not spoken here`);
  const parameters = new Map<string, string>();
  for (;;) {
    const name = textOf(reader);
    if (name === "") break;
    parameters.set(name, textOf(reader));
  }
  if (reader.remaining > 0) throw malformed("bytes after its end");
  return { type: "startup", minor: code & 0xffff, parameters };
}

function textOf(reader: ByteReader): string {
  const rest = reader.bytes.subarray(reader.at);
  const value = decodeText(rest);
  reader.take(rest.indexOf(0) + 1);
  return value;
}

function malformed(what: string): GatehouseError {
  return new GatehouseError({ code: "protocol", op, message: `malformed startup message: ${what}` });
}

export function encodeStartup(parameters: Iterable<readonly [string, string]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of parameters) parts.push(zeroTerminated(name), zeroTerminated(value));
  return untyped(protocol3 << 16, concatBytes([...parts, Uint8Array.of(0)]));
}

export const encodeSslRequest = (): Uint8Array => untyped(codes.ssl, new Uint8Array());

export function encodeCancelRequest(pid: number, secret: Uint8Array): Uint8Array {
  return untyped(codes.cancel, new ByteWriter(4 + secret.length).u32(pid).put(secret).done());
}

function untyped(code: number, body: Uint8Array): Uint8Array {
  return new ByteWriter(8 + body.length)
    .u32(8 + body.length)
    .u32(code)
    .put(body)
    .done();
}
