import { concatBytes, toHex, utf8 } from "@gatehouse/kernel";
import type { RecordingSigner } from "./seal-crypto.ts";

/** What is signed begins with what it is, so that a signature for one kind of document never fits another. */
const signaturePrefixes = {
  segment: "gatehouse recording segment v1\n",
  manifest: "gatehouse recording manifest v1\n",
  keys: "gatehouse recording keys v1\n",
  audit: "gatehouse audit extract v1\n",
} as const;
export type SignedKind = keyof typeof signaturePrefixes;

export type SignatureVerdict = "valid" | "invalid" | "unsigned";

const messageOf = (kind: SignedKind, bytes: Uint8Array) =>
  concatBytes([utf8(signaturePrefixes[kind]), bytes]);

export function signAs(kind: SignedKind, signer: RecordingSigner, bytes: Uint8Array): Promise<Uint8Array> {
  return Promise.resolve(signer.sign(messageOf(kind, bytes)));
}

export async function verifyAs(
  kind: SignedKind,
  publicKey: Uint8Array,
  signature: Uint8Array,
  bytes: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey as BufferSource, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify(
      "Ed25519",
      key,
      signature as BufferSource,
      messageOf(kind, bytes) as BufferSource,
    );
  } catch {
    // 32 bytes that are no point on the curve.
    return false;
  }
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
}

/** A short name of a public key for people: the first 16 hexadecimal digits of its SHA-256. */
export async function signerKeyId(publicKey: Uint8Array): Promise<string> {
  return toHex(await sha256(publicKey)).slice(0, 16);
}
