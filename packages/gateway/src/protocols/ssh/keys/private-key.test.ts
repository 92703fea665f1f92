import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import { sshKeygen } from "../../../../../../test/parts/openssh.ts";
import {
  fingerprint,
  generateKey,
  keyTypes,
  parsePrivateKey,
  parsePublicKeyLine,
  publicKeyLine,
  writePrivateKey,
} from "./mod.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-keys-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const made = [
  ["-t", "ed25519"],
  ["-t", "ecdsa", "-b", "256"],
  ["-t", "ecdsa", "-b", "384"],
  ["-t", "ecdsa", "-b", "521"],
  ["-t", "rsa", "-b", "2048"],
  ["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
  ["-t", "rsa", "-b", "2048", "-m", "PEM"],
  ["-t", "ecdsa", "-b", "256", "-m", "PEM"],
];
for (const [i, args] of made.entries()) {
  test(`reads what ssh-keygen ${args.join(" ")} writes, with and without a passphrase`, () => {
    const file = join(directory, `made-${i}`);
    sshKeygen("-q", "-N", "", "-C", "somebody@somewhere", "-f", file, ...args);
    const line = readFileSync(`${file}.pub`, "utf8").trim();
    const key = parsePrivateKey(readFileSync(file, "utf8"));
    assert.equal(publicKeyLine(key.public.blob, "somebody@somewhere"), line);
    assert.deepEqual(parsePublicKeyLine(line).blob, key.public.blob);
    assert.equal(sshKeygen("-l", "-f", `${file}.pub`).split(" ")[1], fingerprint(key.public.blob));

    // Without its format named again, ssh-keygen would write its own.
    const format = args.includes("-m") ? args.slice(args.indexOf("-m")) : [];
    sshKeygen("-q", "-p", "-P", "", "-N", "correct horse", "-a", "2", "-f", file, ...format);
    const sealed = readFileSync(file, "utf8");
    assert.deepEqual(parsePrivateKey(sealed, "correct horse").public, key.public);
    assert.throws(() => parsePrivateKey(sealed), { code: "unauthenticated" });
    assert.throws(() => parsePrivateKey(sealed, "wrong"), { code: "unauthenticated" });
  });
}

for (const type of keyTypes) {
  test(`ssh-keygen reads the ${type} key we write, and we read it back`, () => {
    const key = generateKey(type, "ours");
    const file = join(directory, `ours-${type}`);
    writeFileSync(file, writePrivateKey(key, { random: systemRandom }), { mode: 0o600 });
    assert.equal(sshKeygen("-y", "-f", file).trim(), publicKeyLine(key.public.blob, "ours"));
    const back = parsePrivateKey(readFileSync(file, "utf8"));
    assert.deepEqual(back.public, key.public);
    assert.equal(back.comment, "ours");
    assert.ok(back.key.equals(key.key));
  });
}

test("ssh-keygen opens the encrypted key we write", () => {
  const key = generateKey("ed25519");
  const file = join(directory, "sealed");
  writeFileSync(file, writePrivateKey(key, { random: systemRandom, passphrase: "pass phrase" }), {
    mode: 0o600,
  });
  assert.equal(sshKeygen("-y", "-P", "pass phrase", "-f", file).trim(), publicKeyLine(key.public.blob));
  assert.throws(() => sshKeygen("-y", "-P", "other", "-f", file));
});

test("an encrypted key in another cipher of ours is read", () => {
  const file = join(directory, "cbc");
  sshKeygen("-q", "-t", "ed25519", "-N", "secret", "-a", "1", "-Z", "aes256-cbc", "-f", file);
  const key = parsePrivateKey(readFileSync(file, "utf8"), "secret");
  assert.equal(
    publicKeyLine(key.public.blob),
    readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" "),
  );
});

test("a small RSA key is refused with what to do", () => {
  const file = join(directory, "small");
  sshKeygen("-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", file);
  assert.throws(() => parsePrivateKey(readFileSync(file, "utf8")), { code: "invalid", message: /1024 bits/ });
  assert.throws(() => parsePublicKeyLine(readFileSync(`${file}.pub`, "utf8")), {
    hint: /ssh-keygen -t ed25519/,
  });
});

test("a file whose private key is not its public key's is refused", () => {
  const bytes = (text: string) => Buffer.from(text.split("\n").slice(1, -2).join(""), "base64");
  const one = bytes(writePrivateKey(generateKey("ed25519"), { random: systemRandom }));
  const two = bytes(writePrivateKey(generateKey("ed25519"), { random: systemRandom }));
  // The public blob of an unencrypted Ed25519 file lies in front: its key bytes end at 98.
  const mixed = Buffer.concat([one.subarray(0, 98), two.subarray(98)]).toString("base64");
  const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${mixed}\n-----END OPENSSH PRIVATE KEY-----\n`;
  assert.throws(() => parsePrivateKey(text), { code: "invalid", message: /does not belong/ });
});
