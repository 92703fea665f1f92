import { type KeyObject, createHash, verify } from "node:crypto";
import { GatehouseError } from "@gatehouse/kernel";
import { SshReader } from "../transport/wire.ts";
import { curveOf, isCertificateAlgorithm, plainAlgorithm, signatureAlgorithms } from "./algorithms.ts";
import type { SignatureFlags } from "./door.ts";
import { type KeyNumbers, blobType, nodeKey, readKeyNumbers, readPublicKey } from "./public-key.ts";

export type VerifyOptions = {
  /** The algorithm that was negotiated or named in the request; the signature must be of it. */
  algorithm?: string;
  /** False takes a security key's signature made without a touch (`no-touch-required`). */
  requireUserPresence?: boolean;
};

type Parts = {
  algorithm: string;
  signature: Uint8Array;
  security: { flags: number; counter: number } | undefined;
};

/** RFC 4253 §6.6: string algorithm, string signature; a security key adds flags and a counter (PROTOCOL.u2f). */
function readSignature(blob: Uint8Array): Parts {
  const reader = new SshReader(blob);
  const algorithm = reader.text();
  const signature = reader.string();
  const security = algorithm.startsWith("sk-")
    ? { flags: reader.byte(), counter: reader.uint32() }
    : undefined;
  reader.end("signature");
  return { algorithm, signature, security };
}

/** The key that signs: of a certificate, the key inside it. */
function signingKey(blob: Uint8Array): { type: string; numbers: KeyNumbers } {
  const certType = blobType(blob);
  if (!isCertificateAlgorithm(certType)) return readPublicKey(blob);
  const type = plainAlgorithm(certType);
  const reader = new SshReader(blob);
  reader.string();
  reader.string(); // the nonce
  return { type, numbers: readKeyNumbers(reader, type) };
}

/**
 * Whether `signatureBlob` is the signature of `data` by the key of `publicKeyBlob` (a key or a certificate, whose own
 * validity is not looked at here). Whatever is malformed, of another algorithm, SHA-1 or too short is simply false.
 */
export function verifySignature(
  publicKeyBlob: Uint8Array,
  signatureBlob: Uint8Array,
  data: Uint8Array,
  options: VerifyOptions = {},
): boolean {
  try {
    const { type, numbers } = signingKey(publicKeyBlob);
    const parts = readSignature(signatureBlob);
    if (!signatureAlgorithms(type).includes(parts.algorithm)) return false;
    if (options.algorithm !== undefined && plainAlgorithm(options.algorithm) !== parts.algorithm)
      return false;
    const key = nodeKey(type, numbers);
    if (parts.security === undefined) return verifyPlain(type, numbers, key, parts, data);
    if ((options.requireUserPresence ?? true) && (parts.security.flags & flagUserPresent) === 0) return false;
    if (numbers.form === "rsa" || numbers.application === undefined) return false;
    return verifyPlain(
      type,
      numbers,
      key,
      parts,
      securityKeyMessage(numbers.application, parts.security, data),
    );
  } catch (error) {
    if (error instanceof GatehouseError) return false;
    throw error;
  }
}

/** PROTOCOL.u2f, "Signature formats": what the token signed, rebuilt from its parts. */
function securityKeyMessage(
  application: string,
  security: { flags: number; counter: number },
  data: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(32 + 1 + 4 + 32);
  message.set(createHash("sha256").update(application).digest(), 0);
  message[32] = security.flags;
  new DataView(message.buffer).setUint32(33, security.counter);
  message.set(createHash("sha256").update(data).digest(), 37);
  return message;
}

function verifyPlain(
  type: string,
  numbers: KeyNumbers,
  key: KeyObject,
  parts: Parts,
  data: Uint8Array,
): boolean {
  switch (numbers.form) {
    case "ed25519":
      return parts.signature.length === 64 && verify(null, data, key, parts.signature);
    case "ecdsa": {
      const { hash, fieldBytes } = curveOf(type);
      const signature = readEcdsa(parts.signature, fieldBytes);
      return signature !== undefined && verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature);
    }
    case "rsa": {
      // Some signers drop leading zero bytes (RFC 8332 §3 leaves none out, OpenSSH pads what it gets).
      const length = numbers.n.length;
      if (parts.signature.length > length) return false;
      const signature = new Uint8Array(length);
      signature.set(parts.signature, length - parts.signature.length);
      return verify(parts.algorithm === "rsa-sha2-512" ? "sha512" : "sha256", data, key, signature);
    }
  }
}

/** RFC 5656 §3.1.2: two mpints, to the fixed-width pair that `node:crypto` takes. */
function readEcdsa(signature: Uint8Array, fieldBytes: number): Uint8Array | undefined {
  const reader = new SshReader(signature);
  const r = reader.mpint();
  const s = reader.mpint();
  reader.end("ECDSA signature");
  if (r.length > fieldBytes || s.length > fieldBytes) return undefined;
  const out = new Uint8Array(2 * fieldBytes);
  out.set(r, fieldBytes - r.length);
  out.set(s, 2 * fieldBytes - s.length);
  return out;
}

const flagUserPresent = 0x01;
const flagUserVerified = 0x04;

/** What a security key attested; undefined for a signature of any other key. Verify first. */
export function signatureFlags(signatureBlob: Uint8Array): SignatureFlags | undefined {
  const { security } = readSignature(signatureBlob);
  if (security === undefined) return undefined;
  return {
    userPresent: (security.flags & flagUserPresent) !== 0,
    userVerified: (security.flags & flagUserVerified) !== 0,
    counter: security.counter,
  };
}
