import { sign as nodeSign } from "node:crypto";
import { GatehouseError } from "@gatehouse/kernel";
import { SshWriter } from "../transport/wire.ts";
import { certificateAlgorithm, curveOf, plainAlgorithm, signatureAlgorithms } from "./algorithms.ts";
import type { Certificate, PrivateKey, Signer } from "./door.ts";

/** Signs with a plain key: a host key, or a client's. RSA with SHA-2 only. */
export function keySigner(key: PrivateKey): Signer {
  const algorithms = signatureAlgorithms(key.public.type);
  return {
    algorithms,
    publicBlob: key.public.blob,
    sign: (algorithm, data) => signWith(key, algorithms, algorithm, data),
  };
}

/** Presents a certificate and signs with its key. */
export function certificateSigner(key: PrivateKey, certificate: Certificate): Signer {
  if (!Buffer.from(certificate.key.blob).equals(key.public.blob))
    throw new GatehouseError({
      code: "invalid",
      op: "ssh.keys.sign",
      message: "the certificate is for another key",
    });
  const algorithms = signatureAlgorithms(key.public.type).map(certificateAlgorithm);
  return {
    algorithms,
    publicBlob: certificate.blob,
    sign: (algorithm, data) => signWith(key, algorithms, algorithm, data),
  };
}

function signWith(
  { key, public: { type } }: PrivateKey,
  algorithms: readonly string[],
  algorithm: string,
  data: Uint8Array,
): Uint8Array {
  if (!algorithms.includes(algorithm))
    throw new GatehouseError({
      code: "invalid",
      op: "ssh.keys.sign",
      message: `a ${type} key does not sign with ${algorithm}`,
    });
  // The signature names the plain algorithm, also when the key was presented by its certificate (PROTOCOL.certkeys).
  const plain = plainAlgorithm(algorithm);
  const writer = new SshWriter(640).string(plain);
  switch (plain) {
    case "ssh-ed25519":
      return writer.string(nodeSign(null, data, key)).done();
    case "rsa-sha2-512":
      return writer.string(nodeSign("sha512", data, key)).done();
    case "rsa-sha2-256":
      return writer.string(nodeSign("sha256", data, key)).done();
    default: {
      const { hash, fieldBytes } = curveOf(type);
      const pair = nodeSign(hash, data, { key, dsaEncoding: "ieee-p1363" });
      const body = new SshWriter(160)
        .mpint(pair.subarray(0, fieldBytes))
        .mpint(pair.subarray(fieldBytes))
        .done();
      return writer.string(body).done();
    }
  }
}
