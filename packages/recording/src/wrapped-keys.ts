import { Decrypter, Encrypter } from "age-encryption";
import { ByteReader, concatBytes, fromBase64, GatehouseError, toBase64 } from "@gatehouse/kernel";
import { corrupt } from "./binary-fields.ts";
import { formatLimits } from "./format-limits.ts";
import type { Lane } from "./frame.ts";
import { lanes } from "./record.ts";
import { recordingIdBytes, recordingIdOf } from "./recording-id.ts";
import { list, object, oneOf, type Shape, text } from "./shape.ts";

/** The two data keys of a recording, 32 random bytes each. They exist in memory only; `WrappedKeys` is what is stored. */
export type RecordingKeys = { readonly main: Uint8Array; readonly input: Uint8Array };

/**
 * One way to a lane's key. `age`: a binary age file (age-encryption.org/v1), base64, that any of `recipients` opens. `kms`: a
 * ciphertext that `provider` opens with its key named `key`. Both hold the same 50 bytes: see `wrapKey`.
 */
export type KeyWrap =
  | { type: "age"; recipients: string[]; data: string }
  | { type: "kms"; provider: string; key: string; data: string };
export type WrappedKeys = { main: KeyWrap[]; input: KeyWrap[] };

/** Who a key is wrapped for. */
export type KeyWrapper = {
  wrap(secret: Uint8Array): Promise<KeyWrap>;
  /** Whether a wrap is for exactly those that this wraps for. A key service's full name of a key is known once it has wrapped. */
  covers(wrap: KeyWrap): boolean;
};
/** Who can open a wrap: `undefined` when this one is not for them. */
export type KeyOpener = { open(wrap: KeyWrap): Promise<Uint8Array | undefined> };

const name = text({ charsMax: 1_024 });
const data = text({
  charsMax: formatLimits.wrapCharsMax,
  pattern: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  says: "base64",
});
const ageWrap = object(
  { type: oneOf("age"), recipients: list(text({ charsMax: 4_096 }), 64), data },
  {},
  "refuse",
);
const kmsWrap = object({ type: oneOf("kms"), provider: name, key: name, data }, {}, "refuse");
const tag = object({ type: oneOf("age", "kms") });
const keyWrap: Shape<KeyWrap> = (value, at) =>
  tag(value, at).type === "kms" ? kmsWrap(value, at) : ageWrap(value, at);
export const wrappedKeys: Shape<WrappedKeys> = object(
  { main: list(keyWrap, formatLimits.wrapsMax), input: list(keyWrap, formatLimits.wrapsMax) },
  {},
  "refuse",
);

/**
 * Wraps for age recipients (`age1…`; X25519 and the post-quantum hybrid alike): any one of them opens it. Throws `invalid` for a
 * text that is not a recipient, at once and not when the first session begins.
 */
export function ageWrapper(recipients: readonly string[]): KeyWrapper {
  const encrypter = new Encrypter();
  for (const recipient of recipients) accept("recipient", "age1…", () => encrypter.addRecipient(recipient));
  const named = new Set(recipients);
  return {
    covers: (wrap) => wrap.type === "age" && named.symmetricDifference(new Set(wrap.recipients)).size === 0,
    async wrap(secret) {
      return { type: "age", recipients: [...recipients], data: toBase64(await encrypter.encrypt(secret)) };
    },
  };
}

/** Opens with age identities (`AGE-SECRET-KEY-1…`). Throws `invalid` for a text that is not one, without repeating it. */
export function ageOpener(identities: readonly string[]): KeyOpener {
  const decrypter = new Decrypter();
  for (const identity of identities)
    accept("identity", "AGE-SECRET-KEY-1…", () => decrypter.addIdentity(identity));
  return {
    async open(wrap) {
      if (wrap.type !== "age" || identities.length === 0) return undefined;
      try {
        return await decrypter.decrypt(fromBase64(wrap.data));
      } catch {
        // age says "no identity matched" and "damaged" alike by throwing; for a reader both mean: not with these.
        return undefined;
      }
    },
  };
}

/** What age says about a text it refuses may hold the text, which may be a secret: it goes no further. */
function accept(what: string, shape: string, add: () => void): void {
  try {
    add();
  } catch {
    throw new GatehouseError({
      code: "invalid",
      op: "keys.age",
      message: `not an age ${what}`,
      hint: `An age ${what} is one line that begins with ${shape}; age-keygen makes them.`,
    });
  }
}

const secretVersion = 1;

/** One lane's key for one recipient. */
export function wrapLaneKey(fields: {
  recordingId: string;
  lane: Lane;
  key: Uint8Array;
  wrapper: Pick<KeyWrapper, "wrap">;
}): Promise<KeyWrap> {
  const { recordingId, lane, key, wrapper } = fields;
  return wrapper.wrap(
    concatBytes([
      Uint8Array.of(secretVersion),
      recordingIdBytes(recordingId),
      Uint8Array.of(lanes.indexOf(lane)),
      key,
    ]),
  );
}

/**
 * Wraps both keys. What is wrapped says whose it is (version, recording, lane, key), so that a wrap moved to another
 * recording or lane opens to something that is refused. Of several recipients one is enough, for whoever is missing can be
 * given a wrap later; the others' failures go to `failed`. Where a lane's key can be wrapped for nobody, the first is thrown.
 */
export async function wrapKeys(
  recordingId: string,
  keys: RecordingKeys,
  wrappers: Readonly<Record<Lane, readonly Pick<KeyWrapper, "wrap">[]>>,
  failed: (error: unknown) => void = () => {},
): Promise<WrappedKeys> {
  const wrap = async (lane: Lane): Promise<KeyWrap[]> => {
    const key = keys[lane];
    const tried = await Promise.allSettled(
      wrappers[lane].map((wrapper) => wrapLaneKey({ recordingId, lane, key, wrapper })),
    );
    const wraps = tried.filter((one) => one.status === "fulfilled").map(({ value }) => value);
    const errors = tried.filter((one) => one.status === "rejected").map(({ reason }) => reason as unknown);
    if (wraps.length === 0) throw errors[0];
    for (const error of errors) failed(error);
    return wraps;
  };
  const [main, input] = await Promise.all([wrap("main"), wrap("input")]);
  return { main, input };
}

/**
 * The keys that these openers reach, by the first of the wrapped that opens; a lane that none of them opens is absent. One that fails
 * keeps no other from opening;
 * where none opens, the first failure is thrown: "not for you" must not be said of a service that is down.
 */
export async function unwrapKeys(
  recordingId: string,
  wrapped: Iterable<WrappedKeys> | AsyncIterable<WrappedKeys>,
  openers: readonly KeyOpener[],
): Promise<Partial<RecordingKeys>> {
  const keys: { -readonly [L in Lane]?: Uint8Array } = {};
  const failures = new Map<Lane, { error: unknown }>();
  for await (const one of wrapped) {
    for (const lane of lanes)
      try {
        const key = keys[lane] ?? (await openAny(recordingId, lane, one[lane], openers));
        if (key) keys[lane] = key;
      } catch (error) {
        if (!failures.has(lane)) failures.set(lane, { error });
      }
    if (lanes.every((lane) => keys[lane])) return keys;
  }
  for (const [lane, { error }] of failures) if (!keys[lane]) throw error;
  return keys;
}

async function openAny(
  recordingId: string,
  lane: Lane,
  wraps: readonly KeyWrap[],
  openers: readonly KeyOpener[],
): Promise<Uint8Array | undefined> {
  let failure: { error: unknown } | undefined;
  // By opener and not by wrap: what opens on this machine is tried before a service is asked, if it is given first.
  for (const opener of openers)
    for (const wrap of wraps)
      try {
        const secret = await opener.open(wrap);
        if (secret) return keyIn(secret, recordingId, lane);
      } catch (error) {
        failure ??= { error };
      }
  if (failure) throw failure.error;
  return undefined;
}

function keyIn(secret: Uint8Array, recordingId: string, lane: Lane): Uint8Array {
  const op = "keys.unwrap";
  if (secret.length !== 50) throw corrupt(op, "a wrapped key has the wrong length");
  const reader = new ByteReader(secret, op);
  if (reader.u8() !== secretVersion) throw corrupt(op, "a wrapped key of an unknown version");
  if (recordingIdOf(reader.take(16)) !== recordingId) throw corrupt(op, "a key of another recording");
  if (lanes[reader.u8()] !== lane) throw corrupt(op, "a key of another lane");
  return reader.take(32);
}
