import { canonicalJson } from "@gatehouse/contracts";
import { fromBase64, toBase64, utf8 } from "@gatehouse/kernel";
import type { ChainHead } from "./chain.ts";
import { type AnchorSigner, isSignedBy } from "./prune-anchor.ts";

/** What a gateway states: at this time the log ended with this event. */
export type SignedHead = ChainHead & { at: string; publicKey: Uint8Array };

/** No event has it, so a line is one or the other. */
const field = "audit_head";

const messageOf = ({ index, hash, at }: ChainHead & { at: string }) =>
  utf8(`gatehouse audit head v1\n${canonicalJson({ at, hash, index })}`);

/** The line that ends an export of the whole log: without it nobody could tell that its end was cut off. */
export async function signedHeadLine(
  { index, hash, at }: ChainHead & { at: string },
  signer: AnchorSigner,
): Promise<string> {
  const signature = toBase64(await signer.sign(messageOf({ index, hash, at })));
  return `${canonicalJson({ [field]: { at, hash, index, signature, signer: toBase64(signer.publicKey) } })}\n`;
}

/** Undefined for a line that is none; `forged` for one that is, and whose signature does not match. Throws nothing. */
export function signedHeadIn(line: string): SignedHead | "forged" | undefined {
  if (!line.startsWith(`{"${field}":`)) return undefined;
  try {
    const { at, hash, index, signature, signer } = (
      JSON.parse(line) as Record<string, Record<string, unknown>>
    )[field] as Record<string, unknown>;
    if (![at, hash, signature, signer].every((one) => typeof one === "string")) return "forged";
    if (typeof index !== "number" || !Number.isSafeInteger(index)) return "forged";
    const head = { index, hash: String(hash), at: String(at) };
    const publicKey = fromBase64(String(signer));
    return isSignedBy(publicKey, messageOf(head), fromBase64(String(signature)))
      ? { ...head, publicKey }
      : "forged";
  } catch {
    return "forged";
  }
}
