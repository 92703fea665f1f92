import { type KeyObject, createHash, createPublicKey } from "node:crypto";
import type { webcrypto } from "node:crypto";
import { GatehouseError, toBase64 } from "@gatehouse/kernel";
import { SshReader, SshWriter } from "../transport/wire.ts";
import { curveOf, isCertificateAlgorithm, isPublicKeyType, plainAlgorithm } from "./algorithms.ts";
import type { PublicKey } from "./door.ts";

const rsaBitsMin = 2048;
const rsaBitsMax = 16_384;
/** A blob of a 16,384 bit RSA key is 2 KiB; a certificate with many principals stays far below this. */
const keyBlobBytesMax = 64 * 1024;

export function invalidKey(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({ code: "invalid", op: "ssh.keys.parse", message, cause });
}

/** The numbers of a public key, as its wire format holds them. */
export type KeyNumbers =
  | { form: "ed25519"; x: Uint8Array; application: string | undefined }
  | { form: "ecdsa"; point: Uint8Array; application: string | undefined }
  | { form: "rsa"; e: Uint8Array; n: Uint8Array };

/** Reads the fields after the type (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, PROTOCOL.u2f "Key format"). */
export function readKeyNumbers(reader: SshReader, type: string): KeyNumbers {
  switch (type) {
    case "ssh-ed25519":
    case "sk-ssh-ed25519@openssh.com": {
      const x = reader.string();
      if (x.length !== 32) throw invalidKey("an Ed25519 key has 32 bytes");
      return { form: "ed25519", x, application: type.startsWith("sk-") ? reader.text() : undefined };
    }
    case "ssh-rsa": {
      const e = reader.mpint();
      const n = reader.mpint();
      return { form: "rsa", e, n };
    }
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
    case "sk-ecdsa-sha2-nistp256@openssh.com": {
      const curve = curveOf(type);
      if (reader.text() !== curve.name) throw invalidKey(`the curve of a ${type} key is ${curve.name}`);
      const point = reader.string();
      // RFC 5656 §3.1 allows point compression only by agreement; OpenSSH refuses it as well.
      if (point.length !== 1 + 2 * curve.fieldBytes || point[0] !== 4)
        throw invalidKey("the point of an ECDSA key must be uncompressed");
      return { form: "ecdsa", point, application: type.startsWith("sk-") ? reader.text() : undefined };
    }
    default:
      throw invalidKey(`keys of type ${printable(type)} are not supported`);
  }
}

export function writeKeyNumbers(writer: SshWriter, type: string, numbers: KeyNumbers): SshWriter {
  switch (numbers.form) {
    case "ed25519":
      writer.string(numbers.x);
      break;
    case "ecdsa":
      writer.string(curveOf(type).name).string(numbers.point);
      break;
    case "rsa":
      return writer.mpint(numbers.e).mpint(numbers.n);
  }
  return numbers.application === undefined ? writer : writer.string(numbers.application);
}

export function keyBlob(type: string, numbers: KeyNumbers): Uint8Array {
  return Uint8Array.from(writeKeyNumbers(new SshWriter().string(type), type, numbers).done());
}

export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

function bitLength(magnitude: Uint8Array): number {
  return magnitude.length === 0 ? 0 : magnitude.length * 8 - Math.clz32(magnitude[0] as number) + 24;
}

function toJwk(type: string, numbers: KeyNumbers): webcrypto.JsonWebKey {
  switch (numbers.form) {
    case "ed25519":
      return { kty: "OKP", crv: "Ed25519", x: base64url(numbers.x) };
    case "ecdsa": {
      const { jwk, fieldBytes } = curveOf(type);
      return {
        kty: "EC",
        crv: jwk,
        x: base64url(numbers.point.subarray(1, 1 + fieldBytes)),
        y: base64url(numbers.point.subarray(1 + fieldBytes)),
      };
    }
    case "rsa": {
      const bits = bitLength(numbers.n);
      if (bits < rsaBitsMin || bits > rsaBitsMax)
        throw new GatehouseError({
          code: "invalid",
          op: "ssh.keys.parse",
          message: `an RSA key of ${bits} bits is refused, ${rsaBitsMin} to ${rsaBitsMax} are taken`,
          hint: "Make a new key: ssh-keygen -t ed25519",
        });
      // A huge exponent makes every verification cost like a private operation.
      if (numbers.e.length > 8 || ((numbers.e.at(-1) ?? 0) & 1) === 0 || bitLength(numbers.e) < 2)
        throw invalidKey("the exponent of an RSA key must be odd, above 1 and below 2^64");
      return { kty: "RSA", e: base64url(numbers.e), n: base64url(numbers.n) };
    }
  }
}

/** The key for `node:crypto`. Throws `invalid` for a point off its curve, a short RSA modulus, ... */
export function nodeKey(type: string, numbers: KeyNumbers): KeyObject {
  const jwk = toJwk(type, numbers);
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw invalidKey(`not a valid ${type} key`, cause);
  }
}

/** The type a blob claims, for messages and for choosing a parser. */
export function blobType(blob: Uint8Array): string {
  if (blob.length > keyBlobBytesMax) throw invalidKey("key blob too long");
  try {
    return new SshReader(blob).text();
  } catch (cause) {
    throw invalidKey("not an SSH key", cause);
  }
}

export function readPublicKey(blob: Uint8Array): { type: string; numbers: KeyNumbers } {
  const type = blobType(blob);
  if (isCertificateAlgorithm(type)) throw invalidKey("a certificate where a plain key was expected");
  try {
    const reader = new SshReader(blob);
    reader.string();
    const numbers = readKeyNumbers(reader, type);
    reader.end("public key");
    return { type, numbers };
  } catch (cause) {
    if (cause instanceof GatehouseError && cause.code === "invalid") throw cause;
    throw invalidKey(`a malformed ${printable(type)} key`, cause);
  }
}

/** Reads and checks a public key blob; copies it. A certificate is refused: `parseCertificate` reads those. */
export function parsePublicKey(blob: Uint8Array): PublicKey {
  const { type, numbers } = readPublicKey(blob);
  nodeKey(type, numbers);
  return { type, blob: Uint8Array.from(blob) };
}

/**
 * `SHA256:` and the unpadded base64 of the hash, as `ssh-keygen -l` prints it. A certificate has the fingerprint of
 * the key it certifies.
 */
export function fingerprint(blob: Uint8Array): string {
  const type = blobType(blob);
  let plain = blob;
  if (isCertificateAlgorithm(type)) {
    const reader = new SshReader(blob);
    reader.string();
    reader.string(); // the nonce
    plain = keyBlob(plainAlgorithm(type), readKeyNumbers(reader, plainAlgorithm(type)));
  }
  return `SHA256:${createHash("sha256").update(plain).digest("base64").replace(/=+$/, "")}`;
}

/** One line as in a `.pub` file: type, base64, comment. Works for certificates as well. */
export function publicKeyLine(blob: Uint8Array, comment = ""): string {
  const line = `${blobType(blob)} ${toBase64(blob)}`;
  return comment === "" ? line : `${line} ${comment.replaceAll(/[\r\n]+/g, " ")}`;
}

export type KeyLine = { type: string; blob: Uint8Array; comment: string; options: string };

/**
 * Takes apart a line of `.pub` or `authorized_keys` (sshd(8), AUTHORIZED_KEYS FILE FORMAT). Options before the key are
 * returned as they stand; the blob may be a certificate.
 */
export function parseKeyLine(line: string): KeyLine {
  if (line.length > 2 * keyBlobBytesMax) throw invalidKey("key line too long");
  const text = line.trim();
  let options = "";
  let rest = text;
  if (!isKeyName(firstWord(text))) {
    options = optionsField(text);
    rest = text.slice(options.length).trimStart();
  }
  const [type = "", base64 = "", ...comment] = rest.split(/[ \t]+/);
  if (!isKeyName(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw new GatehouseError({
      code: "invalid",
      op: "ssh.keys.parse",
      message: "not a line of an SSH public key",
      hint: "Give the content of a .pub file, such as: ssh-ed25519 AAAAC3Nz... name",
    });
  const blob = Uint8Array.from(Buffer.from(base64, "base64"));
  if (blobType(blob) !== type) throw invalidKey("the key's type differs from the type its line begins with");
  return { type, blob, comment: comment.join(" "), options };
}

/** A plain public key's line, checked. */
export function parsePublicKeyLine(line: string): PublicKey & { comment: string; options: string } {
  const { blob, comment, options } = parseKeyLine(line);
  return { ...parsePublicKey(blob), comment, options };
}

function isKeyName(word: string): boolean {
  return isPublicKeyType(word) || (isCertificateAlgorithm(word) && isPublicKeyType(plainAlgorithm(word)));
}

function firstWord(text: string): string {
  return /^\S*/.exec(text)?.[0] ?? "";
}

/** Blanks inside double quotes belong to the options; `\"` is a quote inside them. */
function optionsField(text: string): string {
  return /^(?:"(?:\\"|[^"])*"|[^\s"])*/.exec(text)?.[0] ?? "";
}

/** Names of a peer in a message of ours: short, and nothing a terminal would act on. */
export function printable(text: string): string {
  return text.slice(0, 64).replaceAll(/[^\x20-\x7e]/g, "?");
}
