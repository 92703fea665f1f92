import { SshReader, SshWriter } from "../transport/wire.ts";
import { messageNumber, protocolError, readDescription, withoutControls } from "./messages.ts";

/** The messages of user authentication (RFC 4252, RFC 4256) as pure codecs; see messages.ts. */

/** A user name of ours carries an account, a target and separators; nothing longer is one. */
const userCharsMax = 512;
const methodCharsMax = 64;
const promptsMax = 16;
const bannerBytesMax = 8192;
/** As long as OpenSSH takes for a password. */
const answerBytesMax = 1024;

export const connectionService = "ssh-connection";
export const authService = "ssh-userauth";
/** OpenSSH PROTOCOL, "publickey-hostbound": the signature also covers the server's host key. */
export const hostBoundMethod = "publickey-hostbound-v00@openssh.com";

/** RFC 4253 §10. */
export function decodeService(payload: Uint8Array): string {
  const reader = new SshReader(payload, 1);
  const name = reader.text();
  reader.end("service message");
  return name;
}
export function encodeService(number: number, name: string): Uint8Array {
  return new SshWriter(32).byte(number).string(name).done();
}

export type AuthRequest = { user: string; service: string; method: string; fields: SshReader };
/** RFC 4252 §5: what every request begins with; the method's own `fields` follow. */
export function decodeAuthRequest(payload: Uint8Array): AuthRequest {
  const reader = new SshReader(payload, 1);
  const user = reader.text();
  const service = reader.text();
  const method = reader.text();
  if (user.length > userCharsMax || service.length > methodCharsMax || method.length > methodCharsMax)
    throw protocolError("an oversized name in an authentication request");
  return { user, service, method, fields: reader };
}
export function encodeAuthRequest(user: string, method: string): SshWriter {
  return new SshWriter(1024)
    .byte(messageNumber.userauthRequest)
    .string(user)
    .string(connectionService)
    .string(method);
}

export type PublicKeyFields = {
  algorithm: string;
  blob: Uint8Array;
  /** Of the host-bound variant only. */
  hostKey: Uint8Array | undefined;
  signature: Uint8Array | undefined;
  /** The bytes of the request that the signature covers, after the session identifier (RFC 4252 §7). */
  signedBytes: number;
};
export function decodePublicKeyFields(fields: SshReader, hostBound: boolean): PublicKeyFields {
  const signed = fields.bool();
  const algorithm = fields.text();
  const blob = fields.string();
  const hostKey = hostBound ? fields.string() : undefined;
  const signedBytes = fields.at;
  const signature = signed ? fields.string() : undefined;
  fields.end("public key request");
  return { algorithm, blob, hostKey, signature, signedBytes };
}

/** RFC 4252 §7: the session identifier, as a string, and the request up to the signature. */
export function signedData(sessionId: Uint8Array, request: Uint8Array): Uint8Array {
  return new SshWriter(8 + sessionId.length + request.length).string(sessionId).raw(request).done();
}

/** RFC 4252 §7, SSH_MSG_USERAUTH_PK_OK. */
export function encodeKeyAcceptable(algorithm: string, blob: Uint8Array): Uint8Array {
  return new SshWriter(64 + blob.length)
    .byte(messageNumber.userauthSpecific)
    .string(algorithm)
    .string(blob)
    .done();
}

/** RFC 4252 §5.1. */
export function encodeAuthFailure(methods: readonly string[], partialSuccess: boolean): Uint8Array {
  return new SshWriter(64).byte(messageNumber.userauthFailure).nameList(methods).bool(partialSuccess).done();
}
export function decodeAuthFailure(payload: Uint8Array): { methods: string[]; partialSuccess: boolean } {
  const reader = new SshReader(payload, 1);
  const message = { methods: reader.nameList(), partialSuccess: reader.bool() };
  reader.end("authentication failure");
  return message;
}

/** RFC 4252 §5.4. Lines end with CR LF on the wire. */
export function encodeBanner(text: string): Uint8Array {
  const lines = text.replaceAll(/\r?\n/g, "\r\n");
  return new SshWriter(64).byte(messageNumber.userauthBanner).string(lines).string("").done();
}
/** Line ends survive; other control characters do not. What is longer than a screen or two is cut. */
export function decodeBanner(payload: Uint8Array): string {
  const text = new TextDecoder().decode(new SshReader(payload, 1).string().subarray(0, bannerBytesMax));
  return text.split(/\r?\n/).map(withoutControls).join("\n");
}

export type Prompt = { text: string; echo: boolean };
/** RFC 4256 §3.2. */
export function encodeInfoRequest(
  title: string,
  instruction: string,
  prompts: readonly Prompt[],
): Uint8Array {
  const writer = new SshWriter(128)
    .byte(messageNumber.userauthSpecific)
    .string(title)
    .string(instruction)
    .string("")
    .uint32(prompts.length);
  for (const { text, echo } of prompts) writer.string(text).bool(echo);
  return writer.done();
}
export function decodeInfoRequest(payload: Uint8Array): Prompt[] {
  const reader = new SshReader(payload, 1);
  reader.string();
  reader.string();
  reader.string();
  const count = reader.uint32();
  if (count > promptsMax) throw protocolError(`${count} prompts at once`);
  const prompts = Array.from({ length: count }, () => ({
    text: readDescription(reader),
    echo: reader.bool(),
  }));
  reader.end("interactive request");
  return prompts;
}
/** RFC 4256 §3.4. */
export function encodeInfoResponse(answers: readonly string[]): Uint8Array {
  const writer = new SshWriter(128).byte(messageNumber.userauthInfoResponse).uint32(answers.length);
  for (const answer of answers) writer.string(answer);
  return writer.done();
}
export function decodeInfoResponse(payload: Uint8Array): string[] {
  const reader = new SshReader(payload, 1);
  const count = reader.uint32();
  if (count > promptsMax) throw protocolError(`${count} answers at once`);
  const answers = Array.from({ length: count }, () => {
    const answer = reader.text();
    if (answer.length > answerBytesMax) throw protocolError("an oversized answer");
    return answer;
  });
  reader.end("interactive response");
  return answers;
}
