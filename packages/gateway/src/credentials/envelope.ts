import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import {
  ByteReader,
  GatehouseError,
  type Random,
  checkLimit,
  concatBytes,
  equalBytes,
  utf8,
} from "@gatehouse/kernel";

/**
 * A sealed secret as it lies in the database:
 * `GHC1` | key id (8) | nonce (12) | AES-256-GCM ciphertext | tag (16).
 * The credential's id and kind are authenticated with it, so that the envelope of one row does not open in another.
 */
const magic = utf8("GHC1");
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
/** Longer than any key or password that a target takes. */
const secretBytesMax = 64 * 1024;

export type SealingKey = { readonly id: Uint8Array; readonly key: Uint8Array };
/** The first key seals; all of them open. A new key is put first, and the others stay until nothing needs them. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

export function sealingKey(key: Uint8Array): SealingKey {
  const id = createHash("sha256").update("gatehouse credential key id\n").update(key).digest();
  return { id: new Uint8Array(id.subarray(0, keyIdBytes)), key };
}

type Place = { credentialId: string; kind: string };
const bound = ({ credentialId, kind }: Place) => utf8(`gatehouse credential v1\n${credentialId}\n${kind}`);

export function seal(
  secret: Uint8Array,
  place: Place,
  { keys, random }: { keys: SealingKeys; random: Random },
): Uint8Array {
  checkLimit("credentials.seal", "length of the secret in bytes", secret.length, secretBytesMax);
  const [{ id, key }] = keys;
  // 96 random bits for each sealing: a gateway seals far fewer than the 2^32 that a random nonce allows.
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(bound(place));
  const sealed = cipher.update(secret);
  cipher.final();
  return concatBytes([magic, id, nonce, sealed, cipher.getAuthTag()]);
}

/** The id of the key that an envelope was sealed under; none where it is no envelope. */
export function sealedUnder(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(magic.length, magic.length + keyIdBytes);
}

export function open(envelope: Uint8Array, place: Place, keys: SealingKeys): Uint8Array {
  const reader = new ByteReader(envelope, "credentials.open");
  if (
    envelope.length < magic.length + keyIdBytes + nonceBytes + tagBytes ||
    !equalBytes(reader.take(magic.length), magic)
  )
    throw corrupt("it is no envelope of this version");
  const keyId = reader.take(keyIdBytes);
  const key = keys.find(({ id }) => equalBytes(id, keyId));
  if (!key)
    throw new GatehouseError({
      code: "unavailable",
      op: "credentials.open",
      message: "a stored secret was sealed under a key that this gateway does not have",
      hint: "Put the key back into credentials.key, or store the secret again.",
    });
  const nonce = reader.take(nonceBytes);
  const sealed = reader.take(reader.remaining - tagBytes);
  const decipher = createDecipheriv("aes-256-gcm", key.key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(bound(place));
  decipher.setAuthTag(reader.take(tagBytes));
  try {
    const opened = decipher.update(sealed);
    decipher.final();
    return new Uint8Array(opened.buffer, opened.byteOffset, opened.length);
  } catch (cause) {
    throw corrupt("it does not verify", cause);
  }
}

function corrupt(why: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "corrupt",
    op: "credentials.open",
    message: `a stored secret cannot be opened: ${why}`,
    hint: "Store the secret again.",
    cause,
  });
}
