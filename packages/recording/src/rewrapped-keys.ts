import { assert, equalBytes, fromBase64, GatehouseError, toBase64, toHex } from "@gatehouse/kernel";
import { canonicalBytes } from "./canonical-json.ts";
import { formatLimits } from "./format-limits.ts";
import { hash, type Manifest, signature64, signerShape } from "./manifest.ts";
import type { RecordingSigner } from "./seal-crypto.ts";
import { instant, recordingIdText } from "./session-facts.ts";
import { asJson, integer, object, oneOf, parseJson, type Shape } from "./shape.ts";
import { sha256, signAs, type SignatureVerdict, signerKeyId, verifyAs } from "./signature.ts";
import type { RecordingSource } from "./source.ts";
import { type WrappedKeys, wrappedKeys } from "./wrapped-keys.ts";

/**
 * A recording's keys wrapped again, for others than when it was made. It stands beside the manifest, which is written once and
 * stays as it is; of several the one with the highest number counts.
 */
export type RewrappedKeys = {
  format: "gatehouse-recording-keys";
  version: 1;
  recordingId: string;
  /** From 1, without a hole. */
  n: number;
  /** ISO 8601, UTC. */
  at: string;
  /** Of the whole manifest that it stands beside. */
  manifestSha256: string;
  keys: WrappedKeys;
  signer: Manifest["signer"];
  /** Base64. */
  signature: string;
};

/** Four digits, so that a listing by name is in order. */
export const keysName = (n: number): string => `keys-${String(n).padStart(4, "0")}.json`;

/** The number in a name; undefined for what is no such object. */
export function keysNumber(name: string): number | undefined {
  const digits = /^keys-(\d{4})\.json$/.exec(name)?.[1];
  const n = Number(digits ?? 0);
  return n > 0 ? n : undefined;
}

/** All such names come after it, and no segment does. */
const beforeKeys = "keys-";

const shape: Shape<RewrappedKeys> = object(
  {
    format: oneOf("gatehouse-recording-keys"),
    version: oneOf(1),
    recordingId: recordingIdText,
    n: integer(1, formatLimits.keysObjectsMax),
    at: instant,
    manifestSha256: hash,
    keys: wrappedKeys,
    signer: signerShape,
    signature: signature64,
  },
  {},
  "refuse",
);

function signedBytes(whole: RewrappedKeys): Uint8Array {
  const { signature: _, ...rest } = whole;
  return canonicalBytes(asJson(rest));
}

export async function signRewrappedKeys(
  content: Pick<RewrappedKeys, "recordingId" | "n" | "at" | "manifestSha256" | "keys">,
  signer: RecordingSigner,
): Promise<Uint8Array> {
  const unsigned = shape(
    {
      ...content,
      format: "gatehouse-recording-keys",
      version: 1,
      signer: {
        algorithm: "Ed25519",
        publicKey: toBase64(signer.publicKey),
        keyId: await signerKeyId(signer.publicKey),
      },
      signature: "",
    },
    "",
  );
  assert(unsigned.keys.main.length > 0 && unsigned.keys.input.length > 0, "each lane's key is wrapped");
  const signature = toBase64(await signAs("keys", signer, signedBytes(unsigned)));
  return canonicalBytes(asJson({ ...unsigned, signature }));
}

/** Reads strictly, as a manifest is read. Throws `invalid` naming the field; what the object says is not judged. */
export function parseRewrappedKeys(bytes: Uint8Array): RewrappedKeys {
  const op = "keys.read";
  const parsed = shape(parseJson(op, bytes, formatLimits.keysBytesMax), "");
  if (!equalBytes(canonicalBytes(asJson(parsed)), bytes))
    throw new GatehouseError({ code: "invalid", op, message: "the document is not canonical JSON" });
  return parsed;
}

export async function rewrappedSignature(given: RewrappedKeys): Promise<SignatureVerdict> {
  if (given.signature === "") return "unsigned";
  const publicKey = fromBase64(given.signer.publicKey);
  if (given.signer.keyId !== (await signerKeyId(publicKey))) return "invalid";
  const good = await verifyAs("keys", publicKey, fromBase64(given.signature), signedBytes(given));
  return good ? "valid" : "invalid";
}

/** What makes it one of this recording's, as far as it says so itself. */
export type KeysFault = { code: "keys_altered" | "keys_foreign" | "wrong_signer"; message: string };

/** Judges what lies under a name beside a manifest. `trusted` says whose signature counts. */
export async function judgeRewrappedKeys(
  name: string,
  bytes: Uint8Array,
  beside: {
    recordingId: string;
    manifestSha256: string | undefined;
    trusted(publicKey: Uint8Array): boolean;
  },
): Promise<{ keys: RewrappedKeys; fault: KeysFault | undefined } | { keys: undefined; fault: KeysFault }> {
  const altered = (message: string): KeysFault => ({ code: "keys_altered", message: `${name}: ${message}` });
  let keys: RewrappedKeys;
  try {
    keys = parseRewrappedKeys(bytes);
  } catch (error) {
    return { keys: undefined, fault: altered(error instanceof Error ? error.message : "not well-formed") };
  }
  const judge = async (): Promise<KeysFault | undefined> => {
    if ((await rewrappedSignature(keys)) !== "valid")
      return altered("its signature does not match its content");
    if (keys.recordingId !== beside.recordingId)
      return { code: "keys_foreign", message: `${name} is of ${keys.recordingId}` };
    if (keys.n !== keysNumber(name)) return altered(`it is number ${keys.n}`);
    if (beside.manifestSha256 !== undefined && keys.manifestSha256 !== beside.manifestSha256)
      return altered("it was made for another manifest");
    return beside.trusted(fromBase64(keys.signer.publicKey))
      ? undefined
      : { code: "wrong_signer", message: `the signer of ${name} is ${keys.signer.keyId}` };
  };
  return { keys, fault: await judge() };
}

/** The numbers that stand beside a manifest, rising. Segments are not listed where the source can leave them out. */
export async function keysNumbers(source: Pick<RecordingSource, "list">): Promise<number[]> {
  const numbers = (await source.list(beforeKeys)).map(keysNumber).filter((n) => n !== undefined);
  return numbers.sort((a, b) => a - b);
}

/**
 * The wrapped keys of a closed recording, best first: the newest valid object, older ones, the manifest's own, and then those that are
 * signed by nobody who is known here. These come last and not never, because a gateway's signing key may have been replaced: what they
 * open to is held to the recording's own ciphertext anyway, and in their place at the front a stranger's could only hide the good ones.
 */
export async function* wrappedKeysOf(fields: {
  source: RecordingSource;
  manifest: Manifest;
  /** Besides the manifest's own signer. */
  trustedKeys: readonly Uint8Array[];
}): AsyncGenerator<WrappedKeys> {
  const { source, manifest, trustedKeys } = fields;
  const signers = [fromBase64(manifest.signer.publicKey), ...trustedKeys];
  const manifestSha256 = toHex(await sha256(canonicalBytes(asJson(manifest))));
  const unknown: WrappedKeys[] = [];
  const numbers = await keysNumbers(source);
  for (const n of numbers.reverse().slice(0, formatLimits.keysObjectsReadMax)) {
    const name = keysName(n);
    const bytes = await source.read(name, formatLimits.keysBytesMax);
    const { keys, fault } = await judgeRewrappedKeys(name, bytes, {
      recordingId: manifest.recordingId,
      manifestSha256,
      trusted: (key) => signers.some((one) => equalBytes(one, key)),
    });
    if (keys && !fault) yield keys.keys;
    else if (keys && fault?.code === "wrong_signer") unknown.push(keys.keys);
  }
  yield manifest.keys;
  yield* unknown;
}
