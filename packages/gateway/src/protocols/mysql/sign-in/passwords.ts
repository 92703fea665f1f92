import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";

/** What the gate answers to a target's plugin. Undefined for one that is not spoken here. */
export function passwordResponse(
  plugin: string,
  password: string,
  nonce: Uint8Array,
): Uint8Array | undefined {
  switch (plugin) {
    case "mysql_native_password":
      return password === "" ? new Uint8Array() : nativeScramble(password, nonce);
    case "caching_sha2_password":
      return password === "" ? new Uint8Array() : sha2Scramble(password, nonce);
    case "client_ed25519":
      return ed25519Signature(password, nonce);
    // As it is: the server has proved itself, and TLS hides it from everybody else.
    case "mysql_clear_password":
    case "sha256_password":
    case "dialog":
      return clear(password);
    default:
      return undefined;
  }
}

/** The password itself, as all plugins want it that ask for it inside TLS. */
export function clear(password: string): Uint8Array {
  return Buffer.from(`${password}\0`);
}

/** `SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password)))`. */
function nativeScramble(password: string, nonce: Uint8Array): Uint8Array {
  const once = hash("sha1", Buffer.from(password));
  return xor(once, hash("sha1", nonce, hash("sha1", once)));
}

/** `SHA256(password) XOR SHA256(SHA256(SHA256(password)), nonce)`. */
function sha2Scramble(password: string, nonce: Uint8Array): Uint8Array {
  const once = hash("sha256", Buffer.from(password));
  return xor(once, hash("sha256", hash("sha256", once), nonce));
}

/**
 * MariaDB's plugin of that name: RFC 8032 §5.1.6, but for the seed, which is the password of whatever length, so that no
 * library's key fits.
 */
function ed25519Signature(password: string, message: Uint8Array): Uint8Array {
  const { Point } = ed25519;
  const expanded = hash("sha512", Buffer.from(password));
  const clamped = Uint8Array.from(expanded.subarray(0, 32));
  clamped[0] = (clamped[0] as number) & 248;
  clamped[31] = ((clamped[31] as number) & 127) | 64;
  const scalar = Point.Fn.create(bytesToNumberLE(clamped));
  const publicKey = Point.BASE.multiply(scalar).toBytes();
  const number = (...parts: Uint8Array[]) =>
    Point.Fn.create(bytesToNumberLE(Uint8Array.from(hash("sha512", ...parts))));
  const r = number(expanded.subarray(32), message);
  const commitment = Point.BASE.multiply(r).toBytes();
  const s = Point.Fn.add(r, Point.Fn.mul(number(commitment, publicKey, message), scalar));
  return Buffer.concat([commitment, Point.Fn.toBytes(s)]);
}

function hash(name: "sha1" | "sha256" | "sha512", ...parts: Uint8Array[]): Buffer {
  const hasher = createHash(name);
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] as number));
}
