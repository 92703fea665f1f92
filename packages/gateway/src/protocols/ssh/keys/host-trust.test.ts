import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import { wildcardMatches } from "./check-certificate.ts";
import {
  checkHostKey,
  fingerprint,
  generateKey,
  hostKeyAlgorithmsFor,
  issueCertificate,
  keySigner,
} from "./mod.ts";

const nowMs = Date.UTC(2026, 10, 23);
const ca = generateKey("ed25519");
const host = generateKey("ecdsa-p256");
const other = generateKey("ed25519");
const certified = issueCertificate({
  ca: keySigner(ca),
  key: host.public,
  kind: "host",
  keyId: "web",
  principals: ["web-??.example", "db.example"],
  validAfter: 0n,
  validBefore: BigInt(nowMs / 1000) + 10n,
  serial: 1n,
  random: systemRandom,
});

test("a pinned key passes, plain or in somebody's certificate", () => {
  const trust = { pinned: [other.public.blob, host.public.blob], authorities: [] };
  checkHostKey(trust, host.public.blob, "web-01.example", nowMs);
  checkHostKey(trust, certified.blob, "web-01.example", nowMs);
});

test("a changed key says what was expected, what was offered and who must act", () => {
  const trust = { pinned: [host.public.blob], authorities: [] };
  assert.throws(() => checkHostKey(trust, other.public.blob, "web-01.example", nowMs), {
    code: "denied",
    op: "ssh.host_key",
    message: `the host key of web-01.example is not the trusted one: it offered ${fingerprint(other.public.blob)}, expected was ${fingerprint(host.public.blob)}`,
    hint: /administrator must check the new fingerprint/,
    details: {
      hostname: "web-01.example",
      offered: fingerprint(other.public.blob),
      expected: fingerprint(host.public.blob),
    },
  });
});

test("nothing is trusted at first sight", () => {
  assert.throws(() => checkHostKey({ pinned: [], authorities: [] }, host.public.blob, "h", nowMs), {
    code: "denied",
    message: /is not known: it offered SHA256:/,
    hint: /pin it/,
  });
});

test("a CA's host certificate passes for its names and time only", () => {
  const trust = { pinned: [], authorities: [ca.public.blob] };
  checkHostKey(trust, certified.blob, "WEB-01.example", nowMs);
  checkHostKey({ ...trust, principals: ["db.example"] }, certified.blob, "10.0.0.7", nowMs);
  const refusals: [() => void, RegExp][] = [
    [() => checkHostKey(trust, certified.blob, "web-1.example", nowMs), /not for web-1\.example/],
    [() => checkHostKey(trust, certified.blob, "web-01.example", nowMs + 10_000), /expired/],
    [
      () => checkHostKey(trust, host.public.blob, "web-01.example", nowMs),
      /expected was a certificate by SHA256:/,
    ],
    [
      () =>
        checkHostKey({ pinned: [], authorities: [other.public.blob] }, certified.blob, "db.example", nowMs),
      /not a trusted CA/,
    ],
  ];
  for (const [check, message] of refusals) assert.throws(check, { code: "denied", message });
});

test("what is trusted is asked for first", () => {
  assert.equal(
    hostKeyAlgorithmsFor({ pinned: [host.public.blob], authorities: [] })[0],
    "ecdsa-sha2-nistp256",
  );
  const both = hostKeyAlgorithmsFor({ pinned: [host.public.blob], authorities: [ca.public.blob] });
  assert.equal(both[0], "ssh-ed25519-cert-v01@openssh.com");
  assert.equal(both.length, new Set(both).size);
  assert.ok(!both.includes("ssh-rsa"));
});

test("wildcards of a host certificate", () => {
  assert.ok(wildcardMatches("*.example", "a.b.example"));
  assert.ok(wildcardMatches("*", ""));
  assert.ok(!wildcardMatches("*.example", "example"));
  assert.ok(!wildcardMatches("?", ""));
  assert.ok(!wildcardMatches("a*b*c", "acb"));
  assert.ok(!wildcardMatches(`${"*a".repeat(40)}b`, "a".repeat(200)));
});
