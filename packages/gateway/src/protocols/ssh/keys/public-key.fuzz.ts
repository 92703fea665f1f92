import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isGatehouseError, systemRandom } from "@gatehouse/kernel";
import {
  generateKey,
  issueCertificate,
  keySigner,
  keyTypes,
  parseCertificate,
  parseKeyLine,
  parsePrivateKey,
  parsePublicKey,
  publicKeyLine,
  verifySignature,
  writePrivateKey,
} from "./mod.ts";

const numRuns = Number(process.env.FUZZ_RUNS ?? 300);
const keys = keyTypes.map((type) => generateKey(type));
const ca = keySigner(keys[0] as (typeof keys)[0]);
const certificates = keys.map(
  (key) =>
    issueCertificate({
      ca,
      key: key.public,
      kind: "user",
      keyId: "id",
      principals: ["a", "b"],
      validAfter: 0n,
      validBefore: 9n,
      serial: 1n,
      criticalOptions: { "force-command": "x" },
      random: systemRandom,
    }).blob,
);
const files = keys.map((key) => writePrivateKey(key, { random: systemRandom }));

/** Only typed errors leave a parser. */
function typed(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    assert.ok(isGatehouseError(error), String(error));
    assert.notEqual(error.code, "internal");
  }
}

/** Real bytes, broken in a few places, or cut, or grown. */
const broken = (seeds: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(), { nil: undefined }),
      fc.uint8Array({ maxLength: 8 }),
    )
    .map(([seed, edits, cut, more]) => {
      const out = Uint8Array.from(seed);
      for (const [at, value] of edits) out[at % out.length] = value;
      return Buffer.concat([cut === undefined ? out : out.subarray(0, cut % out.length), more]);
    });

test("broken keys and certificates end in typed errors", () => {
  const blobs = [...keys.map((key) => key.public.blob), ...certificates];
  fc.assert(
    fc.property(fc.oneof(broken(blobs), fc.uint8Array({ maxLength: 200 })), (blob) => {
      typed(() => parsePublicKey(blob));
      typed(() => parseCertificate(blob));
      typed(() => publicKeyLine(blob));
    }),
    { numRuns },
  );
});

test("broken signatures are false, never an exception", () => {
  const data = Buffer.from("data");
  const signed = keys.map((key) => {
    const signer = keySigner(key);
    return { blob: key.public.blob, signature: signer.sign(signer.algorithms[0] as string, data) };
  });
  for (const { blob, signature } of signed)
    fc.assert(
      fc.property(broken([signature]), (altered) => {
        assert.equal(verifySignature(blob, altered, data), Buffer.from(altered).equals(signature));
      }),
      { numRuns: Math.ceil(numRuns / 5) },
    );
});

test("broken private key files end in typed errors", () => {
  fc.assert(
    fc.property(
      broken(files.map((text) => Buffer.from(text.split("\n").slice(1, -2).join(""), "base64"))),
      (bytes) => {
        const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
        typed(() => parsePrivateKey(text));
        typed(() => parsePrivateKey(bytes.toString("latin1")));
      },
    ),
    { numRuns },
  );
});

test("any key line is read or refused", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 300, unit: "binary" }),
      fc.string({ maxLength: 40 }),
      (noise, options) => {
        typed(() => parseKeyLine(noise));
        const line = publicKeyLine(keys[0]?.public.blob as Uint8Array, "c");
        typed(() => parseKeyLine(`${options} ${line}`));
      },
    ),
    { numRuns },
  );
});

test("options before a key are kept as they stand", () => {
  const line = publicKeyLine(keys[0]?.public.blob as Uint8Array, "a comment");
  const options = 'command="echo \\"a b\\" ssh-rsa",no-pty,environment="A=b c"';
  assert.equal(parseKeyLine(`${options} ${line}`).options, options);
  assert.equal(parseKeyLine(`  ${options}\t${line}\n`).comment, "a comment");
});
