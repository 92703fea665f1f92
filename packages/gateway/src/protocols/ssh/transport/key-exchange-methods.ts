import {
  type KeyObject,
  createDiffieHellman,
  createECDH,
  createHash,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  getDiffieHellman,
} from "node:crypto";
import { broken, disconnectReason } from "./messages.ts";
import { SshWriter } from "./wire.ts";

/** The client's half, between its packet and the answer. */
export type Initiated = {
  /** What goes into the client's packet. */
  publicValue: Uint8Array;
  finish(serverValue: Uint8Array): Uint8Array;
};

/**
 * One way to agree on a secret. Secrets come encoded as they enter the hashes: as mpint (RFC 4253 §8), or as string
 * for the hybrid.
 */
export type KeyExchangeMethod = {
  readonly hash: string;
  /** How public values travel and are hashed: RFC 4253 §8 has mpints, RFC 5656 §4 and the hybrid strings. */
  readonly values: "mpint" | "string";
  initiate(): Initiated;
  respond(clientValue: Uint8Array): { publicValue: Uint8Array; secret: Uint8Array };
};

function refused(message: string): Error {
  return broken(message, disconnectReason.keyExchangeFailed);
}

function mpintSecret(secret: Uint8Array): Uint8Array {
  return new SshWriter(secret.length + 5).mpint(secret).done();
}

// RFC 7748 §6.1, RFC 8731.

const x25519Bytes = 32;

function x25519Pair(): { privateKey: KeyObject; publicValue: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicValue: publicKey.export({ format: "raw-public" }) };
}

function x25519Agree(privateKey: KeyObject, peerValue: Uint8Array): Buffer {
  if (peerValue.length !== x25519Bytes) throw refused(`an X25519 value of ${peerValue.length} bytes`);
  let secret: Buffer;
  try {
    const publicKey = createPublicKey({
      key: Buffer.from(peerValue),
      format: "raw-public",
      asymmetricKeyType: "x25519",
    });
    secret = diffieHellman({ privateKey, publicKey });
  } catch {
    throw refused("an unusable X25519 value");
  }
  // RFC 8731 §3: an all-zero secret comes from a point of small order. OpenSSL refuses it too.
  if (secret.every((byte) => byte === 0)) throw refused("an X25519 secret of zeros");
  return secret;
}

const curve25519: KeyExchangeMethod = {
  hash: "sha256",
  values: "string",
  initiate() {
    const { privateKey, publicValue } = x25519Pair();
    return { publicValue, finish: (value) => mpintSecret(x25519Agree(privateKey, value)) };
  },
  respond(clientValue) {
    const { privateKey, publicValue } = x25519Pair();
    return { publicValue, secret: mpintSecret(x25519Agree(privateKey, clientValue)) };
  },
};

// draft-ietf-sshm-mlkem-hybrid-kex: ML-KEM's part first, then X25519's; K = SHA-256(K_PQ || K_CL), a string.

const mlkemPublicBytes = 1184;
const mlkemCiphertextBytes = 1088;

function hybridSecret(postQuantum: Uint8Array, classical: Uint8Array): Uint8Array {
  const secret = createHash("sha256").update(postQuantum).update(classical).digest();
  return new SshWriter(36).string(secret).done();
}

const mlkem768x25519: KeyExchangeMethod = {
  hash: "sha256",
  values: "string",
  initiate() {
    const kem = generateKeyPairSync("ml-kem-768");
    const x25519 = x25519Pair();
    return {
      publicValue: Buffer.concat([kem.publicKey.export({ format: "raw-public" }), x25519.publicValue]),
      finish(value) {
        if (value.length !== mlkemCiphertextBytes + x25519Bytes)
          throw refused(`a hybrid answer of ${value.length} bytes`);
        const postQuantum = decapsulate(kem.privateKey, value.subarray(0, mlkemCiphertextBytes));
        return hybridSecret(
          postQuantum,
          x25519Agree(x25519.privateKey, value.subarray(mlkemCiphertextBytes)),
        );
      },
    };
  },
  respond(clientValue) {
    if (clientValue.length !== mlkemPublicBytes + x25519Bytes)
      throw refused(`a hybrid value of ${clientValue.length} bytes`);
    let kem: { sharedKey: Buffer; ciphertext: Buffer };
    try {
      const key = createPublicKey({
        key: Buffer.from(clientValue.subarray(0, mlkemPublicBytes)),
        format: "raw-public",
        asymmetricKeyType: "ml-kem-768",
      });
      kem = encapsulate(key);
    } catch {
      throw refused("an unusable ML-KEM key");
    }
    const { privateKey, publicValue } = x25519Pair();
    const classical = x25519Agree(privateKey, clientValue.subarray(mlkemPublicBytes));
    return {
      publicValue: Buffer.concat([kem.ciphertext, publicValue]),
      secret: hybridSecret(kem.sharedKey, classical),
    };
  },
};

// RFC 5656 §4. Points are uncompressed; OpenSSL checks that they are on the curve.

function ecdh(curve: string, hash: string, fieldBytes: number): KeyExchangeMethod {
  const agree = (own: ReturnType<typeof createECDH>, point: Uint8Array) => {
    if (point.length !== 1 + 2 * fieldBytes || point[0] !== 4) throw refused("an ECDH point of another form");
    try {
      return mpintSecret(own.computeSecret(point));
    } catch {
      throw refused("an unusable ECDH point");
    }
  };
  return {
    hash,
    values: "string",
    initiate() {
      const own = createECDH(curve);
      return { publicValue: own.generateKeys(), finish: (point) => agree(own, point) };
    },
    respond(point) {
      const own = createECDH(curve);
      return { publicValue: own.generateKeys(), secret: agree(own, point) };
    },
  };
}

// RFC 4253 §8, RFC 8268.

function modularGroup(group: string, hash: string): KeyExchangeMethod {
  type Group = Pick<ReturnType<typeof createDiffieHellman>, "generateKeys" | "computeSecret" | "getPrime">;
  const agree = (own: Group, value: Uint8Array) => {
    // RFC 4253 §8: values outside [1, p-1] are refused; 1 and p-1 too, which leave no secret.
    const peer = toBigInt(value);
    if (peer <= 1n || peer >= toBigInt(own.getPrime()) - 1n)
      throw refused("a Diffie-Hellman value out of range");
    let secret: Buffer;
    try {
      secret = own.computeSecret(value);
    } catch {
      throw refused("an unusable Diffie-Hellman value");
    }
    return mpintSecret(secret);
  };
  return {
    hash,
    values: "mpint",
    initiate() {
      const own = getDiffieHellman(group);
      return { publicValue: own.generateKeys(), finish: (value) => agree(own, value) };
    },
    respond(value) {
      const own = getDiffieHellman(group);
      return { publicValue: own.generateKeys(), secret: agree(own, value) };
    },
  };
}

function toBigInt(magnitude: Uint8Array): bigint {
  return magnitude.length === 0 ? 0n : BigInt(`0x${Buffer.from(magnitude).toString("hex")}`);
}

/** Best first: what a client of ours asks for, and all that a server of ours takes. */
const methods: ReadonlyMap<string, KeyExchangeMethod> = new Map([
  ["mlkem768x25519-sha256", mlkem768x25519],
  ["curve25519-sha256", curve25519],
  ["curve25519-sha256@libssh.org", curve25519],
  ["ecdh-sha2-nistp256", ecdh("prime256v1", "sha256", 32)],
  ["ecdh-sha2-nistp384", ecdh("secp384r1", "sha384", 48)],
  ["ecdh-sha2-nistp521", ecdh("secp521r1", "sha512", 66)],
  ["diffie-hellman-group16-sha512", modularGroup("modp16", "sha512")],
  ["diffie-hellman-group14-sha256", modularGroup("modp14", "sha256")],
]);

export const keyExchangeNames: readonly string[] = [...methods.keys()];

export function keyExchangeMethod(name: string): KeyExchangeMethod {
  const method = methods.get(name);
  if (method === undefined) throw refused(`no key exchange ${name}`);
  return method;
}
