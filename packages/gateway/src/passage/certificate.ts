import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import { isIP } from "node:net";
import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import { formatAddress } from "../config/mod.ts";
import type { Keyring } from "../credentials/mod.ts";
import { selfSigned } from "./self-signed.ts";

/** A certificate and its key, both PEM in one text, as it lies in the keyring. */
export type GateCertificate = { certificate: string; key: string };

/**
 * A certificate of the gate's own, for the time before an operator brings one: self-signed, for the names and addresses
 * given, good for ten years. Clients pin it.
 */
export function makeCertificate(options: {
  hosts: readonly string[];
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Promise<string> {
  return selfSigned({
    ...options,
    name: "CN=Gatehouse",
    extensions: async (x509) => [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.SubjectAlternativeNameExtension(
        options.hosts.map((host) => ({
          type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const),
          value: host,
        })),
      ),
    ],
  });
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
