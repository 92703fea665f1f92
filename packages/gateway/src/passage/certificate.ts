import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { type Clock, GatehouseError, type Random, toHex } from "@gatehouse/kernel";
import { formatAddress } from "../config/mod.ts";
import type { Keyring } from "../credentials/mod.ts";

/** A certificate and its key, both PEM in one text, as it lies in the keyring. */
export type GateCertificate = { certificate: string; key: string };

const yearMs = 365 * 24 * 3_600_000;

/**
 * A certificate of the gate's own, for the time before an operator brings one: self-signed, for the names and addresses
 * given, good for ten years. Clients pin it.
 */
export async function makeCertificate(options: {
  hosts: readonly string[];
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Promise<string> {
  // Loaded here: only the first start needs it. The library asks for the polyfill before it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const crypto = webcrypto as unknown as Crypto;
  const keys = {
    privateKey: await crypto.subtle.importKey(
      "pkcs8",
      new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" })),
      algorithm,
      true,
      ["sign"],
    ),
    publicKey: await crypto.subtle.importKey(
      "spki",
      new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
      algorithm,
      true,
      ["verify"],
    ),
  };
  const nowMs = options.clock.nowMs();
  // RFC 5280 §4.1.2.2: positive, at most 20 octets.
  const serial = options.random.bytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: toHex(serial),
      name: "CN=Gatehouse",
      notBefore: new Date(nowMs - 3_600_000),
      notAfter: new Date(nowMs + 10 * yearMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign,
          true,
        ),
        new x509.SubjectAlternativeNameExtension(
          options.hosts.map((host) => ({
            type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const),
            value: host,
          })),
        ),
      ],
    },
    crypto,
  );
  return `${certificate.toString("pem")}\n${privateKey.export({ type: "pkcs8", format: "pem" })}`;
}

/** Takes the two apart; the key is in the clear in what comes out. Throws what OpenSSL says of a text that has not both. */
export function readCertificate(pem: string, passphrase?: string): GateCertificate {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const key =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(pem)?.[0] ?? "";
  const leaf = new X509Certificate(certificates[0] ?? "");
  const opened = createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  if (!leaf.checkPrivateKey(opened)) throw new Error("the key is not the certificate's");
  return {
    certificate: `${certificates.join("\n")}\n`,
    key: opened.export({ type: "pkcs8", format: "pem" }),
  };
}

/** `SHA256:...` in base64, as fingerprints are written elsewhere here. */
export function certificateFingerprint(der: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(der).digest("base64").replaceAll("=", "")}`;
}

/** The certificate that a port shows: the operator's file in the keyring, or one made at the first start. */
export async function gateCertificate(options: {
  /** The name of the key that is made. */
  name: string;
  /** The file that the operator named. */
  given: string | undefined;
  listen: { host: string; port: number };
  publicHost: string | undefined;
  keyring: Pick<Keyring, "protocolKey" | "givenKey">;
  clock: Clock;
  random: Random;
}): Promise<GateCertificate> {
  const { keyring, listen, given, clock, random } = options;
  const hosts = [...new Set([options.publicHost ?? listen.host, listen.host, "localhost", "127.0.0.1"])];
  const pem =
    given === undefined
      ? await keyring.protocolKey(options.name, () => makeCertificate({ hosts, clock, random }))
      : await keyring.givenKey(given);
  try {
    return readCertificate(pem.text());
  } catch (cause) {
    throw new GatehouseError({
      code: "invalid",
      op: "certificate.read",
      message: `the certificate for ${formatAddress(listen)} cannot be used`,
      hint: "The file needs the certificate and the key that belongs to it, both in PEM.",
      cause,
    });
  }
}
