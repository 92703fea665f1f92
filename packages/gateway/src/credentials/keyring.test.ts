import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isGatehouseError, systemRandom as random, utf8 } from "@gatehouse/kernel";
import { Decrypter, Encrypter } from "age-encryption";
import { temporaryFolder } from "../directory/testing/temporary.ts";
import { openKeyring } from "./keyring.ts";

const conflict = (pattern: RegExp) => (error: unknown) =>
  isGatehouseError(error, "conflict") && pattern.test(error.message);

test("keys are made once, strict in mode, and are the same at the next start", async (context) => {
  const folder = join(temporaryFolder(context), "keys");
  const first = await openKeyring({ folder, random });
  let made = 0;
  const make = () => `key ${++made}`;
  assert.equal((await first.protocolKey("ssh_host_ed25519_key", make)).text(), "key 1");
  assert.deepEqual(readdirSync(folder).sort(), [
    "credentials.key",
    "manifest.key",
    "recordings.age",
    "search.key",
    "ssh_host_ed25519_key",
    "web.key",
  ]);
  for (const name of readdirSync(folder))
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(folder).mode & 0o777, 0o700);

  const second = await openKeyring({ folder, random });
  assert.deepEqual(second.manifestSigner.publicKey, first.manifestSigner.publicKey);
  assert.equal(second.recordingIdentity.text(), first.recordingIdentity.text());
  assert.equal(second.recordingRecipient, first.recordingRecipient);
  assert.deepEqual(second.credentialKeys, first.credentialKeys);
  assert.deepEqual(second.webSecret.bytes(), first.webSecret.bytes());
  assert.equal(second.webSecret.bytes().length, 32);
  assert.equal((await second.protocolKey("ssh_host_ed25519_key", make)).text(), "key 1");
  assert.equal((await second.givenKey("ssh_host_ed25519_key")).text(), "key 1");
  await assert.rejects(second.givenKey("other"), (error) => isGatehouseError(error, "not_found"));
});

test("the signer's signature verifies with its raw public key", async (context) => {
  const { manifestSigner } = await openKeyring({ folder: join(temporaryFolder(context), "keys"), random });
  const message = utf8("a manifest");
  const publicKey = createPublicKey({
    format: "jwk",
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(manifestSigner.publicKey).toString("base64url") },
  });
  assert.equal(verify(null, message, publicKey, manifestSigner.sign(message)), true);
});

test("what is sealed to the recipient opens with the identity", async (context) => {
  const { recordingIdentity, recordingRecipient } = await openKeyring({
    folder: join(temporaryFolder(context), "keys"),
    random,
  });
  const encrypter = new Encrypter();
  encrypter.addRecipient(recordingRecipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(recordingIdentity.text());
  assert.equal(await decrypter.decrypt(await encrypter.encrypt("a key"), "text"), "a key");
});

test("two starts at once agree on every key", async (context) => {
  const folder = join(temporaryFolder(context), "keys");
  const [a, b] = await Promise.all([openKeyring({ folder, random }), openKeyring({ folder, random })]);
  assert.deepEqual(a.manifestSigner.publicKey, b.manifestSigner.publicKey);
  assert.equal(a.recordingRecipient, b.recordingRecipient);
  assert.deepEqual(a.credentialKeys, b.credentialKeys);
});

test("a key that others may read is refused, with what to do", async (context) => {
  const folder = join(temporaryFolder(context), "keys");
  await openKeyring({ folder, random });
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(join(folder, "manifest.key"), mode);
    await assert.rejects(
      openKeyring({ folder, random }),
      conflict(/manifest\.key is refused: others may read it/),
    );
  }
  chmodSync(join(folder, "manifest.key"), 0o600);
  chmodSync(folder, 0o750);
  await assert.rejects(openKeyring({ folder, random }), conflict(/others may enter it \(mode 0750\)/));
  chmodSync(folder, 0o700);
  await openKeyring({ folder, random });
});

test("a link and a file that holds no key are refused, and nothing is replaced", async (context) => {
  const folder = join(temporaryFolder(context), "keys");
  const { protocolKey } = await openKeyring({ folder, random });
  symlinkSync(join(folder, "web.key"), join(folder, "linked"));
  await assert.rejects(
    protocolKey("linked", () => "new"),
    conflict(/symbolic link/),
  );
  for (const name of ["manifest.key", "recordings.age", "credentials.key", "web.key"]) {
    const file = join(folder, name);
    const before = readFileSync(file);
    writeFileSync(file, "not a key of any kind\n");
    await assert.rejects(
      openKeyring({ folder, random }),
      (error) =>
        isGatehouseError(error, "corrupt") &&
        error.message.includes(name) &&
        !error.message.includes("not a key of"),
    );
    assert.equal(readFileSync(file, "utf8"), "not a key of any kind\n");
    writeFileSync(file, before);
  }
});

test("a protocol can name neither a path nor a key of the gateway", async (context) => {
  const { protocolKey } = await openKeyring({ folder: join(temporaryFolder(context), "keys"), random });
  for (const name of ["../x", "a/b", "", ".x", "web.key"])
    await assert.rejects(
      async () => protocolKey(name, () => "x"),
      (error) => isGatehouseError(error, "invalid"),
      name,
    );
});
