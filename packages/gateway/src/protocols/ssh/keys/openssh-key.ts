import { type KeyObject, createCipheriv, createDecipheriv, createPrivateKey } from "node:crypto";
import type { webcrypto } from "node:crypto";
import bcrypt from "bcrypt-pbkdf";
import { GatehouseError, type Random, utf8 } from "@gatehouse/kernel";
import { SshReader, SshWriter } from "../transport/wire.ts";
import { curveOf } from "./algorithms.ts";
import type { PrivateKey, PublicKey } from "./door.ts";
import { base64url, invalidKey, printable } from "./public-key.ts";

/** OpenSSH PROTOCOL.key: the format of `-----BEGIN OPENSSH PRIVATE KEY-----`. */
const magic = utf8("openssh-key-v1\0");
const beginLine = "-----BEGIN OPENSSH PRIVATE KEY-----";
const endLine = "-----END OPENSSH PRIVATE KEY-----";

/** Rounds of bcrypt cost about 5 ms each here, and the file says how many: a bound on what a file may cost us. */
const roundsMax = 1024;
const roundsWritten = 24;

type FileCipher = { node: string; keyBytes: number; ivBytes: number; blockBytes: number };
const ciphers: Readonly<Record<string, FileCipher>> = {
  "aes256-ctr": { node: "aes-256-ctr", keyBytes: 32, ivBytes: 16, blockBytes: 16 },
  "aes192-ctr": { node: "aes-192-ctr", keyBytes: 24, ivBytes: 16, blockBytes: 16 },
  "aes128-ctr": { node: "aes-128-ctr", keyBytes: 16, ivBytes: 16, blockBytes: 16 },
  "aes256-cbc": { node: "aes-256-cbc", keyBytes: 32, ivBytes: 16, blockBytes: 16 },
  "aes128-cbc": { node: "aes-128-cbc", keyBytes: 16, ivBytes: 16, blockBytes: 16 },
};

export function readOpenSshKey(
  text: string,
  passphrase: string | undefined,
): { publicBlob: Uint8Array; key: KeyObject; comment: string } {
  const begin = text.indexOf(beginLine) + beginLine.length;
  const end = text.indexOf(endLine, begin);
  if (end < 0) throw invalidKey("the private key file has no END line");
  const bytes = new Uint8Array(Buffer.from(text.slice(begin, end), "base64"));
  try {
    return readContainer(bytes, passphrase);
  } catch (cause) {
    if (cause instanceof GatehouseError && cause.code !== "protocol") throw cause;
    throw invalidKey("a malformed OpenSSH private key", cause);
  }
}

function readContainer(bytes: Uint8Array, passphrase: string | undefined) {
  if (!Buffer.from(bytes.subarray(0, magic.length)).equals(magic))
    throw invalidKey("not an OpenSSH private key of version 1");
  const reader = new SshReader(bytes, magic.length);
  const cipherName = reader.text();
  const kdfName = reader.text();
  const kdfOptions = reader.string();
  if (reader.uint32() !== 1) throw invalidKey("a file of several private keys");
  const publicBlob = reader.string();
  const sealed = reader.string();
  reader.end("OpenSSH private key");

  if (cipherName === "none") {
    if (kdfName !== "none") throw invalidKey("a key derivation without a cipher");
    return { publicBlob, ...readPrivatePart(sealed, false) };
  }
  const cipher = Object.hasOwn(ciphers, cipherName) ? ciphers[cipherName] : undefined;
  if (cipher === undefined || kdfName !== "bcrypt")
    throw new GatehouseError({
      code: "invalid",
      op: "ssh.keys.parse",
      message: `a private key encrypted with ${printable(cipherName)} and ${printable(kdfName)} is not supported`,
      hint: "Write it anew with: ssh-keygen -p -Z aes256-ctr -f <file>",
    });
  if (passphrase === undefined) throw passphraseError("the private key is encrypted");
  const options = new SshReader(kdfOptions);
  const salt = options.string();
  const rounds = options.uint32();
  options.end("key derivation options");
  if (rounds < 1 || rounds > roundsMax)
    throw invalidKey(`${rounds} rounds of bcrypt, at most ${roundsMax} are taken`);
  if (sealed.length % cipher.blockBytes !== 0) throw invalidKey("the private part is not whole blocks");
  const { key, iv } = deriveKey(passphrase, salt, rounds, cipher);
  const decipher = createDecipheriv(cipher.node, key, iv).setAutoPadding(false);
  const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
  return { publicBlob, ...readPrivatePart(opened, true) };
}

function deriveKey(passphrase: string, salt: Uint8Array, rounds: number, cipher: FileCipher) {
  const secret = utf8(passphrase);
  const out = new Uint8Array(cipher.keyBytes + cipher.ivBytes);
  if (bcrypt.pbkdf(secret, secret.length, salt, salt.length, out, out.length, rounds) !== 0)
    throw invalidKey("the key derivation refused its options");
  return { key: out.subarray(0, cipher.keyBytes), iv: out.subarray(cipher.keyBytes) };
}

function readPrivatePart(bytes: Uint8Array, encrypted: boolean): { key: KeyObject; comment: string } {
  const reader = new SshReader(bytes);
  // Two equal check numbers are the format's only sign of a right passphrase.
  if (bytes.length < 8 || reader.uint32() !== reader.uint32())
    throw encrypted
      ? passphraseError("the private key does not open with this passphrase")
      : invalidKey("the check numbers of the private key differ");
  const type = reader.text();
  const jwk = readPrivateNumbers(reader, type);
  const comment = reader.text();
  const padding = reader.rest();
  if (padding.some((byte, i) => byte !== ((i + 1) & 0xff)))
    throw invalidKey("bad padding in the private key");
  try {
    return { key: createPrivateKey({ key: jwk, format: "jwk" }), comment };
  } catch (cause) {
    throw invalidKey(`not a valid ${printable(type)} private key`, cause);
  }
}

function readPrivateNumbers(reader: SshReader, type: string): webcrypto.JsonWebKey {
  switch (type) {
    case "ssh-ed25519": {
      const x = reader.string();
      const pair = reader.string();
      if (x.length !== 32 || pair.length !== 64)
        throw invalidKey("an Ed25519 private key has 32 and 64 bytes");
      return { kty: "OKP", crv: "Ed25519", x: base64url(x), d: base64url(pair.subarray(0, 32)) };
    }
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521": {
      const { name, jwk, fieldBytes } = curveOf(type);
      if (reader.text() !== name) throw invalidKey(`the curve of a ${type} key is ${name}`);
      const point = reader.string();
      const d = reader.mpint();
      if (point.length !== 1 + 2 * fieldBytes || point[0] !== 4 || d.length > fieldBytes)
        throw invalidKey(`not a valid ${type} private key`);
      const padded = new Uint8Array(fieldBytes);
      padded.set(d, fieldBytes - d.length);
      return {
        kty: "EC",
        crv: jwk,
        x: base64url(point.subarray(1, 1 + fieldBytes)),
        y: base64url(point.subarray(1 + fieldBytes)),
        d: base64url(padded),
      };
    }
    case "ssh-rsa": {
      const [n, e, d, qi, p, q] = [
        reader.mpint(),
        reader.mpint(),
        reader.mpint(),
        reader.mpint(),
        reader.mpint(),
        reader.mpint(),
      ] as const;
      if (p.length === 0 || q.length === 0) throw invalidKey("an RSA private key without its primes");
      return {
        kty: "RSA",
        n: base64url(n),
        e: base64url(e),
        d: base64url(d),
        p: base64url(p),
        q: base64url(q),
        dp: base64url(exponentOf(d, p)),
        dq: base64url(exponentOf(d, q)),
        qi: base64url(qi),
      };
    }
    default:
      throw new GatehouseError({
        code: "invalid",
        op: "ssh.keys.parse",
        message: `private keys of type ${printable(type)} are not supported`,
        hint: type.startsWith("sk-")
          ? "A security key stays with its owner: register its public key instead."
          : undefined,
      });
  }
}

/** d mod (p - 1), which JWK wants and the file leaves out. */
function exponentOf(d: Uint8Array, p: Uint8Array): Uint8Array {
  const modulus = bigOf(p) - 1n;
  if (modulus <= 0n) throw invalidKey("an RSA private key with a prime of one");
  return magnitudeOf(bigOf(d) % modulus);
}

const bigOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
function magnitudeOf(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Uint8Array.from(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
}

/** Writes OpenSSH's own format, encrypted when a passphrase is given (aes256-ctr, bcrypt). */
export function writePrivateKey(key: PrivateKey, options: { random: Random; passphrase?: string }): string {
  const { random, passphrase } = options;
  const cipher = passphrase === undefined ? undefined : ciphers["aes256-ctr"];
  const opened = writePrivatePart(key, random, cipher?.blockBytes ?? 8);
  const container = new SshWriter(1024).raw(magic);
  let sealed = opened;
  if (cipher === undefined || passphrase === undefined) container.string("none").string("none").string("");
  else {
    const salt = random.bytes(16);
    const derived = deriveKey(passphrase, salt, roundsWritten, cipher);
    const encryption = createCipheriv(cipher.node, derived.key, derived.iv).setAutoPadding(false);
    sealed = Buffer.concat([encryption.update(opened), encryption.final()]);
    const kdfOptions = new SshWriter().string(salt).uint32(roundsWritten).done();
    container.string("aes256-ctr").string("bcrypt").string(kdfOptions);
  }
  container.uint32(1).string(key.public.blob).string(sealed);
  const lines = Buffer.from(container.done())
    .toString("base64")
    .match(/.{1,70}/g);
  return `${beginLine}\n${(lines ?? []).join("\n")}\n${endLine}\n`;
}

function writePrivatePart(key: PrivateKey, random: Random, blockBytes: number): Uint8Array {
  const check = random.bytes(4);
  const writer = new SshWriter(1024).raw(check).raw(check).string(key.public.type);
  writePrivateNumbers(writer, key.public, key.key.export({ format: "jwk" }));
  writer.string(key.comment);
  for (let i = 1; writer.done().length % blockBytes !== 0; i++) writer.byte(i);
  return writer.done();
}

function writePrivateNumbers(writer: SshWriter, publicKey: PublicKey, jwk: webcrypto.JsonWebKey): void {
  const part = (name: "d" | "e" | "n" | "p" | "q" | "qi" | "x" | "y") =>
    Buffer.from(jwk[name] ?? "", "base64url");
  switch (jwk.kty) {
    case "OKP":
      writer.string(part("x")).string(Buffer.concat([part("d"), part("x")]));
      return;
    case "EC":
      writer.string(curveOf(publicKey.type).name);
      writer.string(Buffer.concat([Buffer.of(4), part("x"), part("y")])).mpint(part("d"));
      return;
    default:
      writer.mpint(part("n")).mpint(part("e")).mpint(part("d"));
      writer.mpint(part("qi")).mpint(part("p")).mpint(part("q"));
  }
}

export function passphraseError(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "ssh.keys.open",
    message,
    hint: "Give the passphrase of the private key.",
    cause,
  });
}
