import assert from "node:assert/strict";
import { test } from "node:test";
import { fromUtf8, isGatehouseError, utf8 } from "@gatehouse/kernel";
import { canonicalBytes, canonicalJson, type Json } from "./canonical-json.ts";
import { manifestName, manifestSignature, parseManifest, signManifest } from "./manifest.ts";
import { asJson } from "./shape.ts";
import { sampleRecording } from "./testing/sample-recording.ts";

const sample = await sampleRecording({ seed: 61 });
const bytes = sample.objects.get(manifestName) as Uint8Array;

test("canonical JSON has one text for one value", () => {
  const value: Json = { b: [1, true, 'é\u2028"\\\n\u0001'], a: { z: 0, "1": "x" }, gone: undefined };
  assert.equal(canonicalJson(value), '{"a":{"1":"x","z":0},"b":[1,true,"é\u2028\\"\\\\\\n\\u0001"]}');
  // RFC 8785 §3.2.3: the order is that of UTF-16 code units, so a surrogate pair sorts before U+FB33.
  const odd: Json = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
  assert.equal(
    canonicalJson(odd),
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
  );
  for (const bad of [1.5, -0, 2 ** 53, Number.NaN, "\ud800", null, [null], 1n])
    assert.throws(() => canonicalJson(bad as Json), { code: "invalid" });
});

test("what was signed is parsed again and its signature is valid", async () => {
  const parsed = parseManifest(bytes);
  assert.deepEqual(parsed, sample.manifest);
  assert.equal(await manifestSignature(parsed), "valid");
  assert.equal(await manifestSignature({ ...parsed, frames: parsed.frames + 1 }), "invalid");
  assert.equal(await manifestSignature({ ...parsed, signature: "" }), "unsigned");
  const signer = { ...parsed.signer, keyId: "0".repeat(16) };
  assert.equal(await manifestSignature({ ...parsed, signer }), "invalid");
});

test("every field is held to its limits, and the one that breaks them is named", () => {
  const changed = (path: string, value: unknown): Uint8Array => {
    const whole = JSON.parse(fromUtf8(bytes)) as Record<string, unknown>;
    const steps = path.split(".");
    let at: Record<string, unknown> = whole;
    for (const step of steps.slice(0, -1)) at = at[step] as Record<string, unknown>;
    const last = steps.at(-1) as string;
    if (value === undefined) delete at[last];
    else at[last] = value;
    return value === null ? utf8(JSON.stringify(whole)) : canonicalBytes(asJson(whole));
  };
  for (const [path, value, field] of [
    ["format", "zip", "format"],
    ["version", 3, "version"],
    ["recordingId", "0199C0DE-0000-7000-8000-000000000001", "recordingId"],
    ["recordingId", "0199c0de-0000-7000-8000-0000000000ff", "facts.sessionId"],
    ["facts.track", "video", "facts.track"],
    ["facts.login", undefined, "facts.login"],
    ["facts.user.password", "x", "facts.user.password"],
    ["facts.startedAt", "yesterday", "facts.startedAt"],
    ["state", "recording", "state"],
    ["end.lastTimeUs", -1, "end.lastTimeUs"],
    ["end.detail", null, "end.detail"],
    ["keys.main", "none", "keys.main"],
    ["keys.main", [{ type: "rot13", data: "" }], "keys.main[0].type"],
    ["segments", [], "segments"],
    ["segments.0.n", 1, "segments[0]"],
    ["segments.1.name", "../../etc/passwd", "segments[1].name"],
    ["segments.1.sha256", "AB".repeat(32), "segments[1].sha256"],
    ["segments.1.frames", 0, "segments[1].frames"],
    ["headSha256", "", "headSha256"],
    ["signer.publicKey", "AAAA", "signer.publicKey"],
    ["signature", "AAAA", "signature"],
    ["comment", "hello", "comment"],
  ] as const)
    assert.throws(
      () => parseManifest(changed(path, value)),
      (error: unknown) => isGatehouseError(error, "invalid") && error.details["field"] === field,
      path,
    );
});

test("a manifest that could not be read again is not written", async () => {
  const { facts, state, end, keys, segments } = sample.manifest;
  const content = { facts: { ...facts, login: "x".repeat(2_000) }, state, end, keys, segments };
  await assert.rejects(signManifest(content, sample.signer), {
    code: "invalid",
    message: /^facts\.login: /,
  });
});
