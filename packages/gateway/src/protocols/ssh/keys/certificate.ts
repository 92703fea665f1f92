import { GatehouseError, checkLimit, fromUtf8 } from "@gatehouse/kernel";
import { SshReader, SshWriter } from "../transport/wire.ts";
import {
  certificateAlgorithm,
  isCertificateAlgorithm,
  isPublicKeyType,
  plainAlgorithm,
} from "./algorithms.ts";
import type { Certificate, CertificateRequest } from "./door.ts";
import {
  blobType,
  invalidKey,
  keyBlob,
  parsePublicKey,
  printable,
  readKeyNumbers,
  readPublicKey,
  writeKeyNumbers,
} from "./public-key.ts";
import { verifySignature } from "./signature.ts";

/** PROTOCOL.certkeys: SSH_CERT_TYPE_USER and SSH_CERT_TYPE_HOST. */
const kinds = { user: 1, host: 2 } as const;
/** OpenSSH reads no more than this many principals either (SSHKEY_CERT_MAX_PRINCIPALS). */
const principalsMax = 256;
const optionsMax = 256;
const uint64Max = 0xffff_ffff_ffff_ffffn;

/**
 * Reads a certificate and verifies its CA's signature over it. Whether that CA is trusted, and for whom and when, is
 * `checkCertificate`'s. Throws `invalid` when it is malformed and `corrupt` when the signature is not the CA's.
 */
export function parseCertificate(blob: Uint8Array): Certificate {
  const certType = blobType(blob);
  const type = plainAlgorithm(certType);
  if (!isCertificateAlgorithm(certType) || !isPublicKeyType(type))
    throw invalidKey(`${printable(certType)} is not a certificate of a supported type`);
  const bytes = Uint8Array.from(blob);
  let parsed: { certificate: Certificate; signed: Uint8Array; signature: Uint8Array };
  try {
    parsed = readCertificate(bytes, certType, type);
  } catch (cause) {
    if (cause instanceof GatehouseError && cause.code === "invalid") throw cause;
    throw invalidKey("a malformed certificate", cause);
  }
  if (!verifySignature(parsed.certificate.signatureKey.blob, parsed.signature, parsed.signed))
    throw new GatehouseError({
      code: "corrupt",
      op: "ssh.keys.certificate",
      message: "the certificate's signature is not its CA's, or is of an algorithm that is not taken",
    });
  return parsed.certificate;
}

function readCertificate(blob: Uint8Array, certType: string, type: string) {
  const reader = new SshReader(blob);
  reader.string();
  reader.string(); // the nonce
  const key = parsePublicKey(keyBlob(type, readKeyNumbers(reader, type)));
  const serial = reader.uint64();
  const kindNumber = reader.uint32();
  const keyId = reader.text();
  const principals = readPrincipals(reader.string());
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = readOptions(reader.string());
  const extensions = readOptions(reader.string());
  reader.string(); // reserved
  // A CA is a plain key: chains of certificates do not exist.
  const signatureKey = parsePublicKey(reader.string());
  const signed = blob.subarray(0, reader.at);
  const signature = reader.string();
  reader.end("certificate");
  if (kindNumber !== kinds.user && kindNumber !== kinds.host)
    throw invalidKey(`a certificate of kind ${kindNumber}, neither user nor host`);
  const certificate: Certificate = {
    blob,
    certType,
    key,
    kind: kindNumber === kinds.user ? "user" : "host",
    serial,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    extensions,
    signatureKey,
  };
  return { certificate, signed, signature };
}

function readPrincipals(packed: Uint8Array): string[] {
  const reader = new SshReader(packed);
  const out: string[] = [];
  while (reader.remaining > 0) {
    if (out.length === principalsMax)
      throw invalidKey(`a certificate of more than ${principalsMax} principals`);
    out.push(reader.text());
  }
  return out;
}

function readOptions(packed: Uint8Array): Map<string, Uint8Array> {
  const reader = new SshReader(packed);
  const out = new Map<string, Uint8Array>();
  while (reader.remaining > 0) {
    if (out.size === optionsMax) throw invalidKey(`a certificate of more than ${optionsMax} options`);
    const name = reader.text();
    if (out.has(name)) throw invalidKey(`the certificate's option ${printable(name)} appears twice`);
    out.set(name, reader.string());
  }
  return out;
}

/** The text inside an option's value, which is a string in a string; a flag has none. */
export function optionText(value: Uint8Array): string {
  if (value.length === 0) return "";
  const reader = new SshReader(value);
  const text = fromUtf8(reader.string());
  reader.end("certificate option");
  return text;
}

/** Makes a certificate. Throws `invalid` for what no server should accept: no principal, an empty time, a CA that is itself a certificate. */
export function issueCertificate(request: CertificateRequest): Certificate {
  const { ca, key, kind, principals, validAfter, validBefore, serial } = request;
  if (isCertificateAlgorithm(blobType(ca.publicBlob))) throw invalidKey("a CA signs with a plain key");
  if (principals.length === 0 || principals.includes(""))
    throw invalidKey("a certificate without principals would be good for every account");
  checkLimit("ssh.keys.issue", "number of principals", principals.length, principalsMax);
  if (validAfter < 0n || validBefore > uint64Max || validAfter >= validBefore)
    throw invalidKey("the certificate would never be valid");
  if (serial < 0n || serial > uint64Max) throw invalidKey("the serial is not a 64 bit number");
  const { type, numbers } = readPublicKey(key.blob);
  const writer = new SshWriter(1024).string(certificateAlgorithm(type)).string(request.random.bytes(32));
  writeKeyNumbers(writer, type, numbers)
    .uint64(serial)
    .uint32(kinds[kind])
    .string(request.keyId)
    .string(packedPrincipals(principals))
    .uint64(validAfter)
    .uint64(validBefore)
    .string(packedOptions(request.criticalOptions ?? {}))
    .string(packedOptions(request.extensions ?? {}))
    .string("")
    .string(ca.publicBlob);
  const algorithm = ca.algorithms[0];
  if (algorithm === undefined) throw invalidKey("the CA has no signature algorithm");
  writer.string(ca.sign(algorithm, writer.done()));
  // Read back through the verifying parser: what we hand out is what we would take.
  return parseCertificate(writer.done());
}

function packedPrincipals(principals: readonly string[]): Uint8Array {
  const writer = new SshWriter();
  for (const principal of principals) writer.string(principal);
  return writer.done();
}

/** PROTOCOL.certkeys: options are in the order of their names. */
function packedOptions(options: Readonly<Record<string, string>>): Uint8Array {
  const writer = new SshWriter();
  const byName = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, text] of byName) {
    writer.string(name);
    writer.string(text === "" ? "" : new SshWriter().string(text).done());
  }
  return writer.done();
}
