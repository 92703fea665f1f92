import { createPublicKey, verify } from "node:crypto";
import { canonicalJson } from "@gatehouse/contracts";
import { equalBytes, fromBase64, toBase64, utf8 } from "@gatehouse/kernel";
import type { ChainHead } from "./chain.ts";

/** What an `audit.prune` event says: up to where the log's beginning was removed, and who signed that. */
export type PruneAnchor = ChainHead & { before: string };

/** Signs with the gateway's own key. */
export type AnchorSigner = {
  publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
};

export const pruneEvent = "audit.prune";

/** A signature for this never fits a recording's manifest, nor the other way about. */
const messageOf = ({ index, hash, before }: PruneAnchor) =>
  utf8(`gatehouse audit prune v1\n${canonicalJson({ before, pruned_hash: hash, up_to: index })}`);

/** The fields of the event. */
export async function signedAnchor(
  anchor: PruneAnchor,
  signer: AnchorSigner,
): Promise<Record<string, unknown>> {
  return {
    up_to: anchor.index,
    pruned_hash: anchor.hash,
    before: anchor.before,
    signer: toBase64(signer.publicKey),
    signature: toBase64(await signer.sign(messageOf(anchor))),
  };
}

/** Ed25519. Throws for 32 bytes that are no key. */
export function isSignedBy(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(key).toString("base64url") },
    format: "jwk",
  });
  return verify(null, message, publicKey, signature);
}

/** The anchor in an event, where it is one and signed by one of the keys. Throws nothing. */
export function anchorIn(
  event: Readonly<Record<string, unknown>>,
  trustedKeys: readonly Uint8Array[],
): PruneAnchor | undefined {
  const { up_to: index, pruned_hash: hash, before, signer, signature } = event;
  if (event["event"] !== pruneEvent || typeof index !== "number") return undefined;
  if (![hash, before, signer, signature].every((one) => typeof one === "string")) return undefined;
  const anchor = { index, hash: String(hash), before: String(before) };
  try {
    const key = fromBase64(String(signer));
    if (!trustedKeys.some((one) => equalBytes(one, key))) return undefined;
    return isSignedBy(key, messageOf(anchor), fromBase64(String(signature))) ? anchor : undefined;
  } catch {
    return undefined;
  }
}
