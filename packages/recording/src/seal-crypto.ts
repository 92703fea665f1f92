/**
 * What writing needs of the platform. Injected, because the pipeline uses `node:crypto` synchronously (a commit waits
 * for it) and a test uses seeded randomness; reading uses WebCrypto, which Node and browsers share.
 */
export type SealCrypto = {
  random(length: number): Uint8Array;
  /** SHA-256 of the parts in a row. */
  sha256(parts: readonly Uint8Array[]): Uint8Array;
  /** AES-256-GCM: the ciphertext followed by the 16-byte tag. `aad` is its parts in a row. */
  encrypt(key: Uint8Array, nonce: Uint8Array, aad: readonly Uint8Array[], plain: Uint8Array): Uint8Array;
  /** One zstd frame at level 1, with the content size in its header. */
  compress(plain: Uint8Array): Uint8Array | Promise<Uint8Array>;
};

/** The gateway's Ed25519 key, wherever it lives. */
export type RecordingSigner = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
};
