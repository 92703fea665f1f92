import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import { plainClient, run, sshKeygen, startSshd } from "../../../../../../test/parts/openssh.ts";
import {
  type CertificateDemand,
  type CertificateRequest,
  certificateSigner,
  checkCertificate,
  fingerprint,
  generateKey,
  issueCertificate,
  keySigner,
  keyTypes,
  optionText,
  parseCertificate,
  parseKeyLine,
  publicKeyLine,
  verifySignature,
  writePrivateKey,
} from "./mod.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-certificates-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const nowMs = Date.UTC(2026, 10, 23, 12);
const now = BigInt(nowMs / 1000);
const ca = generateKey("ed25519", "ca");
const key = generateKey("ed25519", "alice");
/** One of each: RSA keys take a second to make. */
const keys = keyTypes.map((type) => ({ type, made: generateKey(type) }));

function request(changes: Partial<CertificateRequest> = {}): CertificateRequest {
  return {
    ca: keySigner(ca),
    key: key.public,
    kind: "user",
    keyId: "alice@gate",
    principals: ["root", "deploy"],
    validAfter: now - 60n,
    validBefore: now + 3600n,
    serial: 42n,
    extensions: { "permit-pty": "" },
    random: systemRandom,
    ...changes,
  };
}
function demand(changes: Partial<CertificateDemand> = {}): CertificateDemand {
  return { authorities: [ca.public.blob], kind: "user", principals: ["root"], nowMs, ...changes };
}
const keyFile = (name: string, made: typeof key) => {
  const file = join(directory, name);
  writeFileSync(file, writePrivateKey(made, { random: systemRandom }), { mode: 0o600 });
  writeFileSync(`${file}.pub`, `${publicKeyLine(made.public.blob, made.comment)}\n`);
  return file;
};

for (const { type: caType, made: authority } of keys) {
  test(`certificates that ssh-keygen makes with a ${caType} CA are read and checked`, () => {
    const caFile = keyFile(`ca-${caType}`, authority);
    for (const { type, made } of keys) {
      const file = keyFile(`by-${caType}-${type}`, made);
      const options = ["-O", "source-address=127.0.0.0/8,2001:db8::/32", "-O", "no-x11-forwarding"];
      sshKeygen(
        "-q",
        "-s",
        caFile,
        "-I",
        "some id",
        "-n",
        "root,db",
        "-z",
        "77",
        "-V",
        "-1d:+1d",
        ...options,
        `${file}.pub`,
      );
      const { blob } = parseKeyLine(readFileSync(`${file}-cert.pub`, "utf8"));
      const certificate = parseCertificate(blob);
      assert.equal(certificate.keyId, "some id");
      assert.equal(certificate.serial, 77n);
      assert.equal(certificate.kind, "user");
      assert.deepEqual(certificate.principals, ["root", "db"]);
      assert.deepEqual(
        [...certificate.extensions.keys()],
        ["permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc"],
      );
      assert.equal(
        optionText(certificate.criticalOptions.get("source-address") ?? new Uint8Array()),
        "127.0.0.0/8,2001:db8::/32",
      );
      assert.equal(fingerprint(blob), sshKeygen("-l", "-f", `${file}.pub`).split(" ")[1]);
      const good = { authorities: [authority.public.blob], nowMs: Date.now() };
      checkCertificate(certificate, demand({ ...good, sourceAddress: "127.0.0.1" }));
      checkCertificate(certificate, demand({ ...good, sourceAddress: "::ffff:127.8.0.1" }));
      checkCertificate(certificate, demand({ ...good, sourceAddress: "2001:db8::7" }));
      for (const sourceAddress of ["192.0.2.1", "2001:db9::1"])
        assert.throws(() => checkCertificate(certificate, demand({ ...good, sourceAddress })), {
          details: { reason: "source-address", serial: "77" },
        });
      assert.throws(() => checkCertificate(certificate, demand(good)), /unknown address/);
    }
  });
}

test("ssh-keygen -L prints what we issued", () => {
  for (const { type, made } of keys) {
    const certificate = issueCertificate(
      request({
        key: made.public,
        criticalOptions: { "force-command": "uptime", "source-address": "10.0.0.0/8" },
        extensions: { "permit-pty": "", "permit-agent-forwarding": "" },
      }),
    );
    const file = join(directory, `issued-${type}-cert.pub`);
    writeFileSync(file, `${publicKeyLine(certificate.blob)}\n`);
    const printed = sshKeygen("-L", "-f", file).replaceAll(/ +/g, " ");
    for (const line of [
      `Type: ${certificate.certType} user certificate`,
      `Signing CA: ED25519 ${fingerprint(ca.public.blob)} (using ssh-ed25519)`,
      'Key ID: "alice@gate"',
      "Serial: 42",
      "Principals: \n root\n deploy",
      "force-command uptime",
      "source-address 10.0.0.0/8",
      "permit-agent-forwarding\n permit-pty",
    ])
      assert.ok(printed.includes(line), `${line} in ${printed}`);
  }
});

test("each reason to refuse is named", () => {
  const good = issueCertificate(request());
  checkCertificate(good, demand());
  const refusals: [string, () => unknown][] = [
    ["authority", () => checkCertificate(good, demand({ authorities: [key.public.blob] }))],
    ["authority", () => checkCertificate(good, demand({ authorities: [] }))],
    ["kind", () => checkCertificate(good, demand({ kind: "host" }))],
    ["time", () => checkCertificate(good, demand({ nowMs: nowMs - 61_000 }))],
    ["time", () => checkCertificate(good, demand({ nowMs: nowMs + 3_600_000 }))],
    ["principal", () => checkCertificate(good, demand({ principals: ["Root"] }))],
    ["principal", () => checkCertificate(good, demand({ principals: [] }))],
    [
      "critical-option",
      () => checkCertificate(issueCertificate(request({ criticalOptions: { "new-thing": "" } })), demand()),
    ],
    [
      "critical-option",
      () =>
        checkCertificate(
          issueCertificate(request({ criticalOptions: { "source-address": "10.0.0.0/33" } })),
          demand({ sourceAddress: "10.0.0.1" }),
        ),
    ],
    [
      "critical-option",
      () =>
        checkCertificate(
          issueCertificate(request({ kind: "host", criticalOptions: { "force-command": "x" } })),
          demand({ kind: "host" }),
        ),
    ],
  ];
  for (const [reason, check] of refusals)
    assert.throws(check, { code: "denied", details: { reason, serial: "42" } }, reason);
  checkCertificate(good, demand({ nowMs: nowMs + 3_599_000 }));
});

test("what is restricted is returned", () => {
  const options = { "force-command": "echo no", "verify-required": "" };
  const certificate = issueCertificate(request({ criticalOptions: options }));
  assert.deepEqual(checkCertificate(certificate, demand()), {
    forceCommand: "echo no",
    verifyRequired: true,
  });
});

test("one altered byte anywhere is found", () => {
  const { blob } = issueCertificate(request());
  for (let at = 0; at < blob.length; at++) {
    const altered = Uint8Array.from(blob);
    altered[at] = (altered[at] as number) ^ 0x20;
    assert.throws(() => parseCertificate(altered), { name: "GatehouseError" }, `byte ${at}`);
  }
});

test("what no server should take is not issued", () => {
  const bad: Partial<CertificateRequest>[] = [
    { principals: [] },
    { principals: ["root", ""] },
    { validAfter: 10n, validBefore: 10n },
    { serial: -1n },
    { ca: certificateSigner(key, issueCertificate(request())) },
  ];
  for (const changes of bad) assert.throws(() => issueCertificate(request(changes)), { code: "invalid" });
  assert.throws(() => certificateSigner(ca, issueCertificate(request())), { code: "invalid" });
});

test("a certificate's signer verifies under the certificate, for every type", () => {
  const data = Buffer.from("signed");
  for (const { made: mine } of keys) {
    const signer = certificateSigner(mine, issueCertificate(request({ key: mine.public })));
    for (const algorithm of signer.algorithms) {
      const signature = signer.sign(algorithm, data);
      assert.equal(verifySignature(signer.publicBlob, signature, data, { algorithm }), true);
    }
  }
});

test("sshd and ssh take our user and host certificates", async () => {
  const host = generateKey("ecdsa-p256");
  const hostCertificate = issueCertificate(
    request({
      kind: "host",
      key: host.public,
      principals: ["web-01.example"],
      extensions: {},
      validBefore: now + 999_999_999n,
    }),
  );
  const server = await startSshd({
    hostKeys: [writePrivateKey(host, { random: systemRandom })],
    hostCertificates: [publicKeyLine(hostCertificate.blob)],
    trustedUserCa: publicKeyLine(ca.public.blob),
  });
  try {
    const knownHosts = join(directory, "known_hosts");
    writeFileSync(knownHosts, `@cert-authority *.example ${publicKeyLine(ca.public.blob)}\n`);
    const strict = [
      ["-o", "StrictHostKeyChecking=yes", "-o", `UserKnownHostsFile=${knownHosts}`],
      ["-o", "HostKeyAlias=web-01.example", "-p", String(server.port)],
    ].flat();
    for (const { type, made: mine } of keys) {
      const file = keyFile(`login-${type}`, mine);
      const at = BigInt(Math.floor(Date.now() / 1000));
      const certificate = issueCertificate(
        request({ key: mine.public, principals: [server.user], validAfter: at - 60n, validBefore: at + 60n }),
      );
      writeFileSync(`${file}-cert.pub`, `${publicKeyLine(certificate.blob)}\n`);
      // Options given first win: these come before the ones that trust everything.
      const args = [...strict, "-i", file, ...plainClient, `${server.user}@127.0.0.1`, "echo in"];
      const result = await run("/usr/bin/ssh", args);
      assert.equal(result.stdout.toString(), "in\n", result.stderr + server.log());
      assert.ok(server.log().includes("ID alice@gate (serial 42) CA ED25519"), server.log());
    }
  } finally {
    await server.close();
  }
});
