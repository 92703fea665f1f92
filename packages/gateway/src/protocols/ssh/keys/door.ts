/** A public key as SSH carries it, taken apart. Certificates are a key plus the statement that signs it. */
export type PublicKey = {
  /** The key's own type: `ssh-ed25519`, `ecdsa-sha2-nistp256|384|521`, `ssh-rsa`, `sk-ssh-ed25519@openssh.com`, `sk-ecdsa-sha2-nistp256@openssh.com`. */
  readonly type: string;
  /** The wire blob (RFC 4253 §6.6). */
  readonly blob: Uint8Array;
};

export type Certificate = {
  readonly blob: Uint8Array;
  readonly certType: string;
  readonly key: PublicKey;
  readonly kind: "user" | "host";
  readonly serial: bigint;
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970 (the format's unit). */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: ReadonlyMap<string, Uint8Array>;
  readonly extensions: ReadonlyMap<string, Uint8Array>;
  readonly signatureKey: PublicKey;
};
