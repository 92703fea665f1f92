/**
 * The token behind provider.c: makes keys and signs as PROTOCOL.u2f says. The key handle is the private key itself, so
 * nothing is kept between calls. Words after the program: verb, algorithm (0 ECDSA, 1 Ed25519), flags, application,
 * and for `sign` key handle and data, each as `x` and hexadecimal.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";

const [verb, algorithm, flagsText, ...hex] = process.argv.slice(2);
const [application, handle, data] = hex.map((word) => Buffer.from(word.slice(1), "hex"));
const ed25519 = algorithm === "1";
const flags = Number(flagsText) & 0x05;

if (verb === "enroll") {
  const { privateKey } = ed25519
    ? generateKeyPairSync("ed25519")
    : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  const part = (text: string | undefined) => Buffer.from(text ?? "", "base64url");
  const publicKey = ed25519 ? part(jwk.x) : Buffer.concat([Buffer.of(4), part(jwk.x), part(jwk.y)]);
  const keyHandle = privateKey.export({ format: "der", type: "pkcs8" });
  process.stdout.write(`${publicKey.toString("hex")} ${keyHandle.toString("hex")}\n`);
} else if (application && handle && data) {
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(1);
  const message = Buffer.concat([sha256(application), Buffer.of(flags), counter, sha256(data)]);
  const key = createPrivateKey({ key: handle, format: "der", type: "pkcs8" });
  const signature = ed25519
    ? [sign(null, message, key)]
    : [sign("sha256", message, { key, dsaEncoding: "ieee-p1363" })].flatMap((pair) => [
        pair.subarray(0, 32),
        pair.subarray(32),
      ]);
  process.stdout.write(`${flags} 1 ${signature.map((part) => part.toString("hex")).join(" ")}\n`);
}
