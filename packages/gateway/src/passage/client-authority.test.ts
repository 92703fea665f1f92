import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate, createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Clock, TestClock, isGatehouseError, systemClock, systemRandom } from "@gatehouse/kernel";
import { Secret } from "../credentials/mod.ts";
import { temporaryFolder } from "../directory/testing/temporary.ts";
import { openClientAuthority } from "./client-authority.ts";

const hourMs = 3_600_000;

async function open(clock: Pick<Clock, "nowMs">, kept: { text?: string } = {}) {
  const keyring = {
    protocolKey: async (_name: string, make: () => string | Promise<string>) =>
      Secret.ofText((kept.text ??= await make())),
  };
  return openClientAuthority({ keyring, clock, random: systemRandom });
}
const freshKey = () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return publicKey.export({ type: "spki", format: "pem" });
};

test("it knows again what it signed, until that expires, also after a start", async () => {
  const clock = new TestClock();
  const kept = {};
  const authority = await open(clock, kept);
  const { spki, fingerprint } = authority.parsePublicKey(freshKey());
  // The highest bit is on: such a number must not become a negative one.
  for (const serial of ["1", "18446744073709551615"]) {
    const pem = await authority.certify({
      spki,
      person: { name: "ann" },
      serial,
      expiresAtMs: clock.nowMs() + hourMs,
    });
    const certificate = new X509Certificate(pem);
    assert.equal(certificate.subject, "CN=ann");
    for (const one of [authority, await open(clock, kept)])
      assert.deepEqual(one.recognize(certificate), { serial, fingerprint, refusal: undefined });
  }
  const certificate = new X509Certificate(
    await authority.certify({
      spki,
      person: { name: "ann" },
      serial: "2",
      expiresAtMs: clock.nowMs() + hourMs,
    }),
  );
  clock.advance(hourMs);
  assert.match(authority.recognize(certificate).refusal?.message ?? "", /it expired at/);
});

test("what others signed, and what it signed for something else, it does not know", async (context) => {
  // What openssl makes has its own dates.
  const clock = systemClock;
  const kept: { text?: string } = {};
  const authority = await open(clock, kept);
  const refuses = (certificate: X509Certificate, why: RegExp) =>
    assert.throws(
      () => authority.recognize(certificate),
      (error) => isGatehouseError(error, "unauthenticated") && why.test(error.message),
    );
  const { spki } = authority.parsePublicKey(freshKey());
  const other = await open(clock);
  const wanted = { spki, person: { name: "ann" }, serial: "7", expiresAtMs: clock.nowMs() + hourMs };
  refuses(new X509Certificate(await other.certify(wanted)), /not of this gate's authority/);
  // The authority itself, and what its key signed for a server.
  refuses(new X509Certificate(authority.certificate), /not one to sign in with/);
  const folder = temporaryFolder(context);
  const file = (name: string, text = "") => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ca = file("ca.pem", kept.text);
  const key = file("key.pem");
  const request = file("request.pem");
  const openssl = (...args: string[]) =>
    execFileSync("/usr/bin/openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", key, "-subj", "/CN=ann", "-out", request);
  const signed = (purpose: string) => {
    const extensions = file("extensions", `extendedKeyUsage=${purpose}\n`);
    const words = ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca, "-set_serial", "8", "-days", "1"];
    return new X509Certificate(openssl(...words, "-extfile", extensions));
  };
  assert.equal(authority.recognize(signed("clientAuth")).serial, "8", "signed so, it would be known");
  refuses(signed("serverAuth"), /not one to sign in with/);
  // The same names, and another key: what counts is the signature.
  const forged = await open(clock, { text: forgedAuthority(authority.certificate, folder, openssl) });
  refuses(new X509Certificate(await forged.certify(wanted)), /not of this gate's authority/);
});

/** With the other's subject, as somebody would make it who wants to be taken for it. */
function forgedAuthority(
  certificate: string,
  folder: string,
  openssl: (...args: string[]) => string,
): string {
  const { subject } = new X509Certificate(certificate);
  const key = join(folder, "forged.key");
  const asked = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
  const made = openssl("req", "-x509", ...asked, "-subj", `/${subject}`, "-days", "1");
  return made + openssl("pkcs8", "-topk8", "-nocrypt", "-in", key);
}

test("only public keys that are worth certifying are taken", async () => {
  const authority = await open(new TestClock());
  const pem = (key: ReturnType<typeof createPublicKey>) => key.export({ type: "spki", format: "pem" });
  const { privateKey } = generateKeyPairSync("ed25519");
  for (const wrong of [
    "",
    "ssh-ed25519 AAAA",
    privateKey.export({ type: "pkcs8", format: "pem" }),
    pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey),
    pem(generateKeyPairSync("x25519").publicKey),
    pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey),
  ])
    assert.throws(
      () => authority.parsePublicKey(wrong),
      (error) => isGatehouseError(error, "invalid"),
    );
  for (const good of [
    pem(generateKeyPairSync("ed25519").publicKey),
    pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey),
    pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey),
  ])
    assert.match(authority.parsePublicKey(good).fingerprint, /^SHA256:/);
});

test("a key file that holds something else is refused by name", async () => {
  await assert.rejects(
    open(new TestClock(), { text: "no key" }),
    (error) => isGatehouseError(error, "corrupt") && /database_person_ca/.test(error.message),
  );
});
