import type { KeyObject } from "node:crypto";
import type { Random } from "@gatehouse/kernel";
import type { HostKey } from "../transport/door.ts";

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

/** A private key in memory. `node:util` shows a KeyObject without its numbers, so logging one tells nothing. */
export type PrivateKey = {
  readonly public: PublicKey;
  readonly key: KeyObject;
  readonly comment: string;
};

/** Signs with a private key, or a certificate's. The same shape serves as host key and as a client's key. */
export type Signer = HostKey;

/** What a security key said when it signed (PROTOCOL.u2f). */
export type SignatureFlags = {
  /** Somebody touched it. */
  readonly userPresent: boolean;
  /** Somebody proved to be its owner, by PIN or biometry: what a `verify-required` policy asks for. */
  readonly userVerified: boolean;
  readonly counter: number;
};

export const keyTypes = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"] as const;
/** What can be generated and kept here; `rsa` is 3072 bits. */
export type KeyType = (typeof keyTypes)[number];

export type CertificateRequest = {
  ca: Signer;
  key: PublicKey;
  kind: "user" | "host";
  keyId: string;
  /** Never empty: a certificate without principals would be good for every account. */
  principals: readonly string[];
  /** Seconds since 1970. */
  validAfter: bigint;
  validBefore: bigint;
  serial: bigint;
  /** Each name with its text, wrapped as the format asks; an empty text for a flag. */
  criticalOptions?: Readonly<Record<string, string>>;
  extensions?: Readonly<Record<string, string>>;
  random: Random;
};

/** Whom a target's host key is compared with. */
export type HostTrust = {
  /** Blobs of the keys an administrator pinned. */
  readonly pinned: readonly Uint8Array[];
  /** Blobs of CA keys whose host certificates are taken for this target. */
  readonly authorities: readonly Uint8Array[];
  /** Names a host certificate may carry instead of the host name that is dialled. */
  readonly principals?: readonly string[];
};

/** What a certificate is asked to be good for. */
export type CertificateDemand = {
  /** Blobs of the CA keys trusted for this. */
  authorities: readonly Uint8Array[];
  kind: "user" | "host";
  /** One of these must be named in it. */
  principals: readonly string[];
  nowMs: number;
  /** The client's address, for `source-address`; without it such a certificate is refused. */
  sourceAddress?: string;
};

/** What a good certificate still restricts. */
export type CertificateGrant = {
  readonly forceCommand: string | undefined;
  /** The signature must have `userVerified`. */
  readonly verifyRequired: boolean;
};
