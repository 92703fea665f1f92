import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fromHex, utf8 } from "@gatehouse/kernel";
import { sshKeygen } from "../../../../../../test/parts/openssh.ts";
import { SshWriter } from "../transport/wire.ts";
import {
  type KeyType,
  fingerprint,
  generateKey,
  keySigner,
  parsePrivateKey,
  parsePublicKey,
  publicKeyLine,
  signatureFlags,
  verifySignature,
} from "./mod.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-signatures-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const data = utf8("what is signed");
const types: KeyType[] = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"];
for (const type of types) {
  test(`${type} signs and verifies, and nothing altered verifies`, () => {
    const key = generateKey(type);
    const signer = keySigner(key);
    for (const algorithm of signer.algorithms) {
      const blob = signer.sign(algorithm, data);
      assert.equal(verifySignature(key.public.blob, blob, data, { algorithm }), true);
      assert.equal(verifySignature(key.public.blob, blob, utf8("another text")), false);
      assert.equal(verifySignature(generateKey(type).public.blob, blob, data), false);
      assert.equal(verifySignature(key.public.blob, blob, data, { algorithm: "ssh-rsa" }), false);
      for (let at = 0; at < blob.length; at += 7) {
        const altered = Uint8Array.from(blob);
        altered[at] = (altered[at] as number) ^ 0x01;
        assert.equal(verifySignature(key.public.blob, altered, data), false, `byte ${at}`);
        assert.equal(verifySignature(key.public.blob, blob.subarray(0, at), data), false, `cut at ${at}`);
      }
      assert.equal(verifySignature(key.public.blob, Buffer.concat([blob, Buffer.of(0)]), data), false);
    }
  });

  test(`ssh-keygen signs with a ${type} key and we verify`, () => {
    const file = join(directory, type);
    const [name, bits] = type.split("-p");
    sshKeygen("-q", "-t", name as string, ...(bits === undefined ? [] : ["-b", bits]), "-N", "", "-f", file);
    writeFileSync(join(directory, `${type}.txt`), data);
    sshKeygen("-q", "-Y", "sign", "-n", "test", "-f", file, join(directory, `${type}.txt`));
    const key = parsePrivateKey(readFileSync(file, "utf8"));
    const armoured = readFileSync(join(directory, `${type}.txt.sig`), "utf8");
    const bytes = Buffer.from(armoured.split("\n").slice(1, -2).join(""), "base64");
    // PROTOCOL.sshsig: the signature is the last string of the file, over a preamble that names its hash.
    const blob = lastString(bytes, key.public.blob.length);
    const hash = createHash("sha512").update(data).digest();
    const signed = new SshWriter()
      .raw(utf8("SSHSIG"))
      .string("test")
      .string("")
      .string("sha512")
      .string(hash)
      .done();
    assert.equal(verifySignature(key.public.blob, blob, signed), true);
  });
}

/** Skips magic, version, key, namespace, reserved and hash name. */
function lastString(bytes: Uint8Array, keyBytes: number): Uint8Array {
  const at = 6 + 4 + 4 + keyBytes + (4 + "test".length) + 4 + (4 + "sha512".length);
  return bytes.subarray(at + 4);
}

test("an RSA signature with SHA-1 is refused under either name", () => {
  const key = generateKey("rsa");
  const sha1 = sign("sha1", data, key.key);
  for (const name of ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"]) {
    const blob = new SshWriter().string(name).string(sha1).done();
    assert.equal(verifySignature(key.public.blob, blob, data), false);
  }
  assert.throws(() => keySigner(key).sign("ssh-rsa", data), { code: "invalid" });
});

test("an RSA signature that lost its leading zero is taken", () => {
  const key = generateKey("rsa");
  for (let i = 0; ; i++) {
    const text = utf8(`attempt ${i}`);
    const signature = sign("sha256", text, key.key);
    if (signature[0] !== 0) continue;
    const blob = new SshWriter().string("rsa-sha2-256").string(signature.subarray(1)).done();
    assert.equal(verifySignature(key.public.blob, blob, text), true);
    return;
  }
});

/** A security key in software: PROTOCOL.u2f, "Key format" and "Signature formats". */
function securityKey(form: "ed25519" | "ecdsa", application = "ssh:") {
  if (form === "ed25519") {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const type = "sk-ssh-ed25519@openssh.com";
    const x = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
    const blob = new SshWriter().string(type).string(x).string(application).done();
    return { blob, type, application, sign: (message: Uint8Array) => sign(null, message, privateKey) };
  }
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const type = "sk-ecdsa-sha2-nistp256@openssh.com";
  const jwk = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(jwk.x ?? "", "base64url"),
    Buffer.from(jwk.y ?? "", "base64url"),
  ]);
  const blob = new SshWriter().string(type).string("nistp256").string(point).string(application).done();
  return {
    blob,
    type,
    application,
    sign: (message: Uint8Array) => {
      const pair = sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
      return new SshWriter().mpint(pair.subarray(0, 32)).mpint(pair.subarray(32)).done();
    },
  };
}

function securitySignature(key: ReturnType<typeof securityKey>, flags: number, counter: number): Uint8Array {
  const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();
  const message = new SshWriter()
    .raw(sha256(key.application))
    .byte(flags)
    .uint32(counter)
    .raw(sha256(data))
    .done();
  return new SshWriter().string(key.type).string(key.sign(message)).byte(flags).uint32(counter).done();
}

for (const form of ["ed25519", "ecdsa"] as const) {
  test(`a security key's ${form} signature verifies and its flags are read`, () => {
    const key = securityKey(form);
    const verified = securitySignature(key, 0x05, 7);
    assert.equal(verifySignature(key.blob, verified, data), true);
    assert.deepEqual(signatureFlags(verified), { userPresent: true, userVerified: true, counter: 7 });
    const touched = securitySignature(key, 0x01, 8);
    assert.deepEqual(signatureFlags(touched), { userPresent: true, userVerified: false, counter: 8 });

    const absent = securitySignature(key, 0x00, 9);
    assert.equal(verifySignature(key.blob, absent, data), false);
    assert.equal(verifySignature(key.blob, absent, data, { requireUserPresence: false }), true);

    const lied = Uint8Array.from(touched);
    lied[lied.length - 5] = 0x05;
    assert.equal(verifySignature(key.blob, lied, data), false, "flags are signed");
    assert.equal(verifySignature(securityKey(form, "ssh:other").blob, touched, data), false);
  });

  test(`ssh-keygen knows the security key's ${form} line and fingerprint`, () => {
    const key = securityKey(form);
    const file = join(directory, `sk-${form}.pub`);
    writeFileSync(file, `${publicKeyLine(key.blob, "token")}\n`);
    const printed = sshKeygen("-l", "-f", file);
    assert.ok(printed.includes(`${fingerprint(parsePublicKey(key.blob).blob)} token`), printed);
    assert.match(printed, form === "ed25519" ? /\(ED25519-SK\)/ : /\(ECDSA-SK\)/);
  });
}

test("a point off its curve is no key", () => {
  const point = fromHex(`04${"11".repeat(64)}`);
  const blob = new SshWriter().string("ecdsa-sha2-nistp256").string("nistp256").string(point).done();
  assert.throws(() => parsePublicKey(blob), { code: "invalid" });
  assert.equal(verifySignature(blob, new Uint8Array(80), data), false);
});
