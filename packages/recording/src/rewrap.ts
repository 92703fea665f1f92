import { GatehouseError, toHex } from "@gatehouse/kernel";
import { canonicalBytes } from "./canonical-json.ts";
import type { Lane } from "./frame.ts";
import { lanes } from "./record.ts";
import type { Recording } from "./recording-reader.ts";
import { signRewrappedKeys } from "./rewrapped-keys.ts";
import type { RecordingSigner } from "./seal-crypto.ts";
import { asJson } from "./shape.ts";
import { sha256 } from "./signature.ts";
import { type KeyWrap, type KeyWrapper, wrapLaneKey } from "./wrapped-keys.ts";

export type KeyWrappers = Readonly<Record<Lane, readonly KeyWrapper[]>>;

/**
 * What a lane's key needs to be wrapped for these recipients and no other. `same`: nothing; `withheld`: to be opened first, and
 * nobody here can.
 */
export type RewrapPlan = Readonly<Record<Lane, "same" | "due" | "withheld">>;

export function planRewrap(
  recording: Pick<Recording, "wrapped" | "dataKeys">,
  wrappers: KeyWrappers,
): RewrapPlan {
  const of = (lane: Lane) => {
    if (isWrappedFor(recording.wrapped[lane], wrappers[lane])) return "same";
    return recording.dataKeys[lane] ? "due" : "withheld";
  };
  return { main: of("main"), input: of("input") };
}

function isWrappedFor(wraps: readonly KeyWrap[], wrappers: readonly KeyWrapper[]): boolean {
  const isOf = (wrap: KeyWrap, wrapper: KeyWrapper) => wrapper.covers(wrap);
  return (
    wraps.length === wrappers.length &&
    wrappers.every((wrapper) => wraps.some((wrap) => isOf(wrap, wrapper))) &&
    wraps.every((wrap) => wrappers.some((wrapper) => isOf(wrap, wrapper)))
  );
}

/**
 * The object that goes beside the manifest as `keysName(n)`: lanes that are due are wrapped for all of their recipients, and for none
 * of them where one fails; others keep their wraps. Throws `conflict` for a recording that is not closed.
 */
export async function rewrapKeys(fields: {
  recording: Pick<Recording, "manifest" | "wrapped" | "dataKeys">;
  plan: RewrapPlan;
  wrappers: KeyWrappers;
  n: number;
  at: string;
  signer: RecordingSigner;
}): Promise<Uint8Array> {
  const { recording, plan, wrappers, n, at, signer } = fields;
  const { manifest, wrapped, dataKeys } = recording;
  if (!manifest)
    throw new GatehouseError({
      code: "conflict",
      op: "keys.rewrap",
      message: "the recording is not closed and stored yet",
    });
  const { recordingId } = manifest;
  const keys = { ...wrapped };
  for (const lane of lanes) {
    const key = dataKeys[lane];
    if (plan[lane] !== "due" || !key) continue;
    keys[lane] = await Promise.all(
      wrappers[lane].map((wrapper) => wrapLaneKey({ recordingId, lane, key, wrapper })),
    );
  }
  const manifestSha256 = toHex(await sha256(canonicalBytes(asJson(manifest))));
  return signRewrappedKeys({ recordingId, n, at, manifestSha256, keys }, signer);
}
