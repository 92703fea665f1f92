import { X509Certificate, createPrivateKey, createPublicKey } from "node:crypto";
import { type Clock, GatehouseError, type Random, toHex } from "@gatehouse/kernel";
import type { Keyring } from "../credentials/mod.ts";
import type { Person } from "../identity/mod.ts";
import { certificateFingerprint as fingerprintOf, readCertificate } from "./certificate.ts";
import { selfSigned, signingAlgorithm, signingKeys, subtleCrypto, x509Library } from "./self-signed.ts";

/** Signs what people come to databases with, and knows it again. */
export type ClientAuthority = {
  /** PEM: whose certificates clients are asked for. */
  readonly certificate: string;
  /** Takes a public key in PEM apart. Throws `invalid` for what is none, or is too weak or too strange to be certified. */
  parsePublicKey(pem: string): { spki: Uint8Array; fingerprint: string };
  /** A certificate for a person's own key, in PEM. */
  certify(wanted: {
    spki: Uint8Array;
    person: Pick<Person, "name">;
    serial: string;
    expiresAtMs: number;
  }): Promise<string>;
  /**
   * What this certificate is known by, and why it cannot be used now. Throws `unauthenticated` for one that was signed by
   * somebody else, or not for this.
   */
  recognize(certificate: X509Certificate): {
    serial: string;
    fingerprint: string;
    refusal: GatehouseError | undefined;
  };
};

/** RFC 5280 §4.2.1.12. */
const clientAuth = "1.3.6.1.5.5.7.3.2";
/** Clocks differ; a certificate is good from a little before it was made. */
const backdateMs = 300_000;
/** Beyond it a signature costs whoever verifies it too much. */
const rsaBitsMax = 8192;
const curves = new Set(["prime256v1", "secp384r1", "secp521r1"]);

export async function openClientAuthority({
  keyring,
  clock,
  random,
}: {
  keyring: Pick<Keyring, "protocolKey">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): Promise<ClientAuthority> {
  const made = await keyring.protocolKey("database_person_ca", () => makeAuthority({ clock, random }));
  const own = readAuthority(made.text());
  const { root } = own;
  return {
    certificate: root.toString(),
    parsePublicKey,
    async certify({ spki, person, serial, expiresAtMs }) {
      const x509 = await x509Library();
      const { privateKey } = await signingKeys(own.key);
      const issuer = new x509.X509Certificate(root.raw);
      const certificate = await x509.X509CertificateGenerator.create(
        {
          serialNumber: hexOf(serial),
          subject: [{ CN: [person.name] }],
          issuer: issuer.subject,
          notBefore: new Date(clock.nowMs() - backdateMs),
          notAfter: new Date(expiresAtMs),
          publicKey: new x509.PublicKey(spki as BufferSource),
          signingKey: privateKey,
          signingAlgorithm,
          extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([clientAuth]),
            await x509.AuthorityKeyIdentifierExtension.create(issuer, false, subtleCrypto),
          ],
        },
        subtleCrypto,
      );
      return `${certificate.toString("pem")}\n`;
    },
    recognize(certificate) {
      // The chain has one step: nothing that a client sends beside its certificate is looked at.
      if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey))
        throw refused(
          "it is not of this gate's authority for people",
          "Clients of PostgreSQL send ~/.postgresql/postgresql.crt unasked; sslcertmode=disable stops them.",
        );
      if (certificate.ca || !certificate.keyUsage?.includes(clientAuth))
        throw refused("it is not one to sign in with");
      const { validFromDate, validToDate, serialNumber, publicKey } = certificate;
      const nowMs = clock.nowMs();
      const why =
        nowMs < validFromDate.getTime()
          ? `it is not valid before ${validFromDate.toISOString()}`
          : nowMs >= validToDate.getTime()
            ? `it expired at ${validToDate.toISOString()}`
            : undefined;
      return {
        serial: BigInt(`0x${serialNumber}`).toString(),
        fingerprint: fingerprintOf(publicKey.export({ type: "spki", format: "der" })),
        refusal: why === undefined ? undefined : refused(why),
      };
    },
  };
}

/** What somebody does whose certificate is not good any more. */
const anew = "`gatehouse db login <target> --login <login> --certificate` gets a new one.";

export function refused(why: string, hint = anew): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "passage.certificate",
    message: `the client's certificate is refused: ${why}`,
    hint,
  });
}

function parsePublicKey(pem: string): { spki: Uint8Array; fingerprint: string } {
  const invalid = (message: string, cause?: unknown) =>
    new GatehouseError({ code: "invalid", op: "certificate.key", message, cause });
  // A private key would be taken for its public half, and must not have been sent at all.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) throw invalid("this is no public key in PEM");
  let key;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw invalid("this is no public key in PEM", cause);
  }
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  const isGood =
    type === "ed25519" ||
    (type === "ec" && curves.has(namedCurve)) ||
    (type === "rsa" && modulusLength >= 2048 && modulusLength <= rsaBitsMax);
  if (!isGood)
    throw invalid("a key to be certified is Ed25519, ECDSA on a NIST curve, or RSA of at least 2048 bits");
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  return { spki, fingerprint: fingerprintOf(spki) };
}

/** RFC 5280 §4.1.2.2: positive, so its first bit is 0. */
function hexOf(serial: string): string {
  return `00${BigInt(serial).toString(16).padStart(16, "0")}`;
}

function makeAuthority(options: { clock: Pick<Clock, "nowMs">; random: Random }): Promise<string> {
  return selfSigned({
    ...options,
    // A name of its own for each, so that a client that has certificates of several gates knows which one is asked for.
    name: `CN=Gatehouse people ${toHex(options.random.bytes(4))}`,
    extensions: async (x509, publicKey) => [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey, false, subtleCrypto),
    ],
  });
}

function readAuthority(pem: string) {
  try {
    const { certificate, key } = readCertificate(pem);
    return { root: new X509Certificate(certificate), key: createPrivateKey(key) };
  } catch (cause) {
    throw new GatehouseError({
      code: "corrupt",
      op: "certificate.authority",
      message: "the key file database_person_ca holds no certificate with its key",
      hint: "Restore it from a backup, or move it away: a new one is made, and people get new certificates.",
      cause,
    });
  }
}
