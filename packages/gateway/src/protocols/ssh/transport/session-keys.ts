import { createHash } from "node:crypto";
import type { KeySource } from "./cipher-suites.ts";
import { SshWriter } from "./wire.ts";

/** What both ends say before there are keys, as it enters the exchange hash (RFC 4253 §8). */
export type Preamble = {
  clientIdentification: string;
  serverIdentification: string;
  clientInit: Uint8Array;
  serverInit: Uint8Array;
};

export type Agreed = {
  hash: string;
  hostKeyBlob: Uint8Array;
  values: "mpint" | "string";
  clientValue: Uint8Array;
  serverValue: Uint8Array;
  /** Encoded as it is hashed. */
  secret: Uint8Array;
};

/** RFC 4253 §8, RFC 5656 §4: they differ only in how the public values are written. */
export function exchangeHash(preamble: Preamble, agreed: Agreed): Uint8Array {
  const writer = new SshWriter(8192)
    .string(preamble.clientIdentification)
    .string(preamble.serverIdentification)
    .string(preamble.clientInit)
    .string(preamble.serverInit)
    .string(agreed.hostKeyBlob);
  if (agreed.values === "mpint") writer.mpint(agreed.clientValue).mpint(agreed.serverValue);
  else writer.string(agreed.clientValue).string(agreed.serverValue);
  return createHash(agreed.hash).update(writer.raw(agreed.secret).done()).digest();
}

const letters = {
  toServer: { iv: "A", key: "C", mac: "E" },
  toClient: { iv: "B", key: "D", mac: "F" },
} as const;

/** RFC 4253 §7.2. */
export function deriveKeys(fields: {
  hash: string;
  secret: Uint8Array;
  exchangeHash: Uint8Array;
  sessionId: Uint8Array;
  direction: keyof typeof letters;
}): KeySource {
  const { hash, secret, exchangeHash: h, sessionId, direction } = fields;
  return (what, bytes) => {
    let key: Buffer = createHash(hash)
      .update(secret)
      .update(h)
      .update(letters[direction][what])
      .update(sessionId)
      .digest();
    while (key.length < bytes)
      key = Buffer.concat([key, createHash(hash).update(secret).update(h).update(key).digest()]);
    return key.subarray(0, bytes);
  };
}
