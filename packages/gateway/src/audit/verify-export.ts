import { equalBytes, toBase64 } from "@gatehouse/kernel";
import { type ChainHead, type ChainLink, ChainWalk, linkInLine } from "./chain.ts";
import type { ChainVerdict } from "./door.ts";
import { anchorIn } from "./prune-anchor.ts";
import { type SignedHead, signedHeadIn } from "./signed-head.ts";

export type ExportVerdict = ChainVerdict & {
  /** Who signed where it ends; undefined where nobody did, or others than those who are trusted. */
  signed: { publicKey: string; at: string } | undefined;
};

/**
 * Verifies an export of the whole log with nothing but its lines. With `trustedKeys` one of them must have signed where it ends;
 * without, whoever did is taken at their word, and told of. `known` are heads that were kept elsewhere, `each` is given every event.
 */
export async function verifyExport(
  lines: () => AsyncIterable<string> | Iterable<string>,
  {
    known,
    trustedKeys,
    each,
  }: {
    known?: readonly ChainHead[];
    trustedKeys?: readonly Uint8Array[];
    each?: (link: ChainLink) => void;
  } = {},
): Promise<ExportVerdict> {
  const keys = trustedKeys ?? (await signersIn(lines()));
  const walk = new ChainWalk(known, (event) => anchorIn(event, keys));
  let last: SignedHead | undefined;
  for await (const line of lines()) {
    if (line.trim() === "") continue;
    const head = signedHeadIn(line);
    if (head === "forged") walk.unsigned("what says where the log ends does not match its signature");
    else if (head) {
      walk.hold(head);
      last = keys.some((key) => equalBytes(key, head.publicKey)) ? head : undefined;
    } else {
      const link = linkInLine(line);
      walk.step(link);
      each?.(link);
      last = undefined;
    }
  }
  if (trustedKeys && !last)
    walk.unsigned("nobody whom you trust signed where the log ends: events may be missing at its end");
  walk.finish();
  const { faults, events, head } = walk;
  return {
    ok: faults.length === 0,
    events,
    ...(head && { head }),
    faults,
    signed: last && { publicKey: toBase64(last.publicKey), at: last.at },
  };
}

async function signersIn(lines: AsyncIterable<string> | Iterable<string>): Promise<Uint8Array[]> {
  const found = new Map<string, Uint8Array>();
  for await (const line of lines) {
    const head = signedHeadIn(line);
    if (head && head !== "forged") found.set(toBase64(head.publicKey), head.publicKey);
  }
  return [...found.values()];
}
