/**
 * What writing needs of the platform. Injected, because the pipeline uses `node:crypto` synchronously (a commit waits
 * for it) and a test uses seeded randomness; reading uses WebCrypto, which Node and browsers share.
 */
export type SealCrypto = {
  random(length: number): Uint8Array;
  /** A running SHA-256. One pass gives both the hash that is signed and, the signature added, the object's. */
  hasher(): Hasher;
  /** AES-256-GCM: the ciphertext and the 16-byte tag, in a row of parts so that nothing is copied twice. */
  encrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): readonly Uint8Array[];
  /** One zstd frame at level 1, with the content size in its header. */
  compress(plain: Uint8Array): Uint8Array | Promise<Uint8Array>;
};

export type Hasher = {
  update(bytes: Uint8Array): void;
  /** Of what came so far; more may come. */
  digest(): Uint8Array;
};

/** The gateway's Ed25519 key, wherever it lives. */
export type RecordingSigner = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
};
