import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { constants, zstdCompress } from "node:zlib";
import type { RecordingSigner, SealCrypto } from "../seal-crypto.ts";

const zstdOptions = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_contentSizeFlag]: 1 },
};

/** Writing on Node: everything at once on this thread, except compression, which is the thread pool's. */
export const nodeSealCrypto: SealCrypto = {
  random: (length) => randomBytes(length),
  hasher() {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.copy().digest() };
  },
  encrypt(key, nonce, aad, plain) {
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(aad);
    const sealed = cipher.update(plain);
    // GCM is a stream: the end adds nothing but the tag.
    cipher.final();
    return [sealed, cipher.getAuthTag()];
  },
  compress: (plain) =>
    new Promise((resolve, reject) => {
      zstdCompress(plain, { ...zstdOptions, pledgedSrcSize: plain.length }, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      );
    }),
};

/** A signer over an Ed25519 private key of node:crypto. */
export function nodeSigner(privateKey: KeyObject): RecordingSigner {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    publicKey: new Uint8Array(Buffer.from(jwk.x as string, "base64url")),
    sign: (message) => sign(null, message, privateKey),
  };
}

/** The same from 32 raw bytes (RFC 8032 §5.1.5), as a key file or a test holds them. */
export function nodeSignerFromSeed(seed: Uint8Array): RecordingSigner {
  // PKCS#8 for Ed25519 is this prefix and the seed (RFC 8410 §7).
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  return nodeSigner(createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" }));
}
