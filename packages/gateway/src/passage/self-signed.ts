import { type KeyObject, createPublicKey, generateKeyPairSync, webcrypto } from "node:crypto";
import { type Clock, type Random, toHex } from "@gatehouse/kernel";
import type * as X509 from "@peculiar/x509";

/** What the library takes for a runtime's own. */
export const subtleCrypto = webcrypto as unknown as Crypto;
/** Of every key here that signs a certificate. */
export const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const yearMs = 365 * 24 * 3_600_000;

/** Loaded when something is signed, which most starts never do. The library asks for the polyfill before it. */
export async function x509Library(): Promise<typeof X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** A P-256 key as the library takes it. */
export async function signingKeys(privateKey: KeyObject): Promise<CryptoKeyPair> {
  const { subtle } = subtleCrypto;
  const pkcs8 = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, signingAlgorithm, false, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, signingAlgorithm, true, ["verify"]),
  };
}

/** A new key with a certificate by itself, good for ten years. Both PEM, in one text. */
export async function selfSigned(options: {
  name: string;
  extensions(x509: typeof X509, publicKey: CryptoKey): Promise<X509.Extension[]>;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Promise<string> {
  const x509 = await x509Library();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = await signingKeys(privateKey);
  const nowMs = options.clock.nowMs();
  // RFC 5280 §4.1.2.2: positive, at most 20 octets.
  const serial = options.random.bytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: toHex(serial),
      name: options.name,
      notBefore: new Date(nowMs - 3_600_000),
      notAfter: new Date(nowMs + 10 * yearMs),
      signingAlgorithm,
      keys,
      extensions: await options.extensions(x509, keys.publicKey),
    },
    subtleCrypto,
  );
  return `${certificate.toString("pem")}\n${privateKey.export({ type: "pkcs8", format: "pem" })}`;
}
