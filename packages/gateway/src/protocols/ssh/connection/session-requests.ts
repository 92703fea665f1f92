import { SshReader, SshWriter } from "../transport/wire.ts";

/**
 * The data of the requests and opens that RFC 4254 §6 and §7 define, as pure codecs. Decoders read to the end and
 * throw `protocol` for what is malformed. What people or programs typed (commands, values) stays bytes: it need not
 * be UTF-8.
 */

export type PtyRequest = WindowSize & {
  term: string;
  /** Encoded terminal modes (RFC 4254 §8), as they came. */
  modes: Uint8Array;
};
export type WindowSize = { columns: number; rows: number; widthPixels: number; heightPixels: number };

function readSize(reader: SshReader): WindowSize {
  return {
    columns: reader.uint32(),
    rows: reader.uint32(),
    widthPixels: reader.uint32(),
    heightPixels: reader.uint32(),
  };
}
function writeSize(writer: SshWriter, size: WindowSize): SshWriter {
  return writer.uint32(size.columns).uint32(size.rows).uint32(size.widthPixels).uint32(size.heightPixels);
}

/** RFC 4254 §6.2, `pty-req`. */
export function decodePty(payload: Uint8Array): PtyRequest {
  const reader = new SshReader(payload);
  const request = { term: reader.text(), ...readSize(reader), modes: Uint8Array.from(reader.string()) };
  reader.end("pty-req");
  return request;
}
export function encodePty(request: PtyRequest): Uint8Array {
  return writeSize(new SshWriter().string(request.term), request).string(request.modes).done();
}

/** RFC 4254 §6.7, `window-change`: has no reply. */
export function decodeWindowChange(payload: Uint8Array): WindowSize {
  const reader = new SshReader(payload);
  const size = readSize(reader);
  reader.end("window-change");
  return size;
}
export function encodeWindowChange(size: WindowSize): Uint8Array {
  return writeSize(new SshWriter(), size).done();
}

/** RFC 4254 §6.4, `env`. */
export function decodeEnv(payload: Uint8Array): { name: string; value: Uint8Array } {
  const reader = new SshReader(payload);
  const request = { name: reader.text(), value: Uint8Array.from(reader.string()) };
  reader.end("env");
  return request;
}
export function encodeEnv(name: string, value: Uint8Array | string): Uint8Array {
  return new SshWriter().string(name).string(value).done();
}

/** RFC 4254 §6.5, `exec`. */
export function decodeExec(payload: Uint8Array): Uint8Array {
  const reader = new SshReader(payload);
  const command = Uint8Array.from(reader.string());
  reader.end("exec");
  return command;
}
export function encodeExec(command: Uint8Array | string): Uint8Array {
  return new SshWriter().string(command).done();
}

/** RFC 4254 §6.5, `subsystem`. */
export function decodeSubsystem(payload: Uint8Array): string {
  const reader = new SshReader(payload);
  const name = reader.text();
  reader.end("subsystem");
  return name;
}
export function encodeSubsystem(name: string): Uint8Array {
  return new SshWriter().string(name).done();
}

/** RFC 4254 §6.9, `signal`: the name without `SIG`. */
export function decodeSignal(payload: Uint8Array): string {
  const reader = new SshReader(payload);
  const name = reader.text();
  reader.end("signal");
  return name;
}
export function encodeSignal(name: string): Uint8Array {
  return new SshWriter().string(name).done();
}

/** RFC 4254 §6.10, `exit-status`. */
export function decodeExitStatus(payload: Uint8Array): number {
  const reader = new SshReader(payload);
  const status = reader.uint32();
  reader.end("exit-status");
  return status;
}
export function encodeExitStatus(status: number): Uint8Array {
  return new SshWriter().uint32(status).done();
}

export type ExitSignal = { signal: string; coreDumped: boolean; message: string };
/** RFC 4254 §6.10, `exit-signal`. */
export function decodeExitSignal(payload: Uint8Array): ExitSignal {
  const reader = new SshReader(payload);
  const exit = { signal: reader.text(), coreDumped: reader.bool(), message: reader.text() };
  reader.string(); // language tag
  reader.end("exit-signal");
  return exit;
}
export function encodeExitSignal({ signal, coreDumped, message }: ExitSignal): Uint8Array {
  return new SshWriter().string(signal).bool(coreDumped).string(message).string("").done();
}

export type Address = { host: string; port: number };
export type ForwardedAddress = Address & { originHost: string; originPort: number };

function readForwarded(payload: Uint8Array, what: string): ForwardedAddress {
  const reader = new SshReader(payload);
  const address = {
    host: reader.text(),
    port: reader.uint32(),
    originHost: reader.text(),
    originPort: reader.uint32(),
  };
  reader.end(what);
  return address;
}

/** RFC 4254 §7.2, the open of `direct-tcpip`: where to connect, and who connected to the client. */
export function decodeDirectTcpip(payload: Uint8Array): ForwardedAddress {
  return readForwarded(payload, "direct-tcpip");
}
/** RFC 4254 §7.2, the open of `forwarded-tcpip`: where the server listens, and who connected there. */
export function decodeForwardedTcpip(payload: Uint8Array): ForwardedAddress {
  return readForwarded(payload, "forwarded-tcpip");
}
/** For either open. */
export function encodeForwarded({ host, port, originHost, originPort }: ForwardedAddress): Uint8Array {
  return new SshWriter().string(host).uint32(port).string(originHost).uint32(originPort).done();
}

/** RFC 4254 §7.1, `tcpip-forward` and `cancel-tcpip-forward`. */
export function decodeTcpipForward(payload: Uint8Array): Address {
  const reader = new SshReader(payload);
  const address = { host: reader.text(), port: reader.uint32() };
  reader.end("tcpip-forward");
  return address;
}
export function encodeTcpipForward({ host, port }: Address): Uint8Array {
  return new SshWriter().string(host).uint32(port).done();
}
/** RFC 4254 §7.1: the answer to port 0 names the port that was taken. */
export function decodeForwardedPort(payload: Uint8Array): number | undefined {
  return payload.length >= 4 ? new SshReader(payload).uint32() : undefined;
}
export function encodeForwardedPort(port: number): Uint8Array {
  return new SshWriter(4).uint32(port).done();
}
