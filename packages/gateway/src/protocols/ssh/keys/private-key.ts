import { type KeyObject, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { GatehouseError } from "@gatehouse/kernel";
import type { webcrypto } from "node:crypto";
import { typeOfCurve } from "./algorithms.ts";
import type { KeyType, PrivateKey } from "./door.ts";
import { passphraseError, readOpenSshKey } from "./openssh-key.ts";
import { invalidKey, keyBlob, parsePublicKey } from "./public-key.ts";

/** No private key file of the supported types is longer. */
const keyFileCharsMax = 64 * 1024;

export function generateKey(type: KeyType, comment = ""): PrivateKey {
  switch (type) {
    case "ed25519":
      return privateKeyOf(generateKeyPairSync("ed25519").privateKey, comment);
    case "ecdsa-p256":
      return privateKeyOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, comment);
    case "ecdsa-p384":
      return privateKeyOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey, comment);
    case "ecdsa-p521":
      return privateKeyOf(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey, comment);
    case "rsa":
      return privateKeyOf(generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey, comment);
  }
}

const bytesOf = (text: string | undefined): Uint8Array =>
  Uint8Array.from(Buffer.from(text ?? "", "base64url"));

/** Wraps a key of `node:crypto`. Throws `invalid` for types and sizes that SSH does not take here. */
function privateKeyOf(key: KeyObject, comment = ""): PrivateKey {
  return { public: parsePublicKey(publicBlobOf(key)), key, comment };
}

function publicBlobOf(key: KeyObject): Uint8Array {
  let jwk: webcrypto.JsonWebKey;
  try {
    jwk = key.export({ format: "jwk" });
  } catch (cause) {
    throw invalidKey(`private keys of type ${key.asymmetricKeyType ?? key.type} are not supported`, cause);
  }
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519")
    return keyBlob("ssh-ed25519", { form: "ed25519", x: bytesOf(jwk.x), application: undefined });
  if (jwk.kty === "RSA") return keyBlob("ssh-rsa", { form: "rsa", e: bytesOf(jwk.e), n: bytesOf(jwk.n) });
  const type = jwk.kty === "EC" ? typeOfCurve(jwk.crv ?? "") : undefined;
  if (type === undefined) throw invalidKey(`private keys of type ${jwk.crv ?? jwk.kty} are not supported`);
  const point = Uint8Array.of(4, ...bytesOf(jwk.x), ...bytesOf(jwk.y));
  return keyBlob(type, { form: "ecdsa", point, application: undefined });
}

/**
 * Reads a private key file: OpenSSH's own format, PKCS#8, PKCS#1 or SEC1, each with or without a passphrase. Throws
 * `invalid`, or `unauthenticated` when the passphrase is missing or wrong.
 */
export function parsePrivateKey(text: string, passphrase?: string): PrivateKey {
  if (text.length > keyFileCharsMax) throw invalidKey("private key file too long");
  if (text.includes("-----BEGIN OPENSSH PRIVATE KEY-----")) {
    const { publicBlob, key, comment } = readOpenSshKey(text, passphrase);
    const found = privateKeyOf(key, comment);
    // The file says twice whose key it is; a file that disagrees with itself was tampered with.
    if (!Buffer.from(found.public.blob).equals(publicBlob))
      throw invalidKey("the private key does not belong to the public key in its file");
    return found;
  }
  if (!text.includes("-----BEGIN "))
    throw new GatehouseError({
      code: "invalid",
      op: "ssh.keys.parse",
      message: "not a private key file",
      hint: "Give the whole file, from its BEGIN line to its END line.",
    });
  const encrypted = /ENCRYPTED/.test(text);
  if (encrypted && passphrase === undefined) throw passphraseError("the private key is encrypted");
  try {
    return privateKeyOf(
      createPrivateKey({ key: text, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) }),
    );
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    if (encrypted) throw passphraseError("the private key does not open with this passphrase", cause);
    throw invalidKey("not a readable private key", cause);
  }
}
