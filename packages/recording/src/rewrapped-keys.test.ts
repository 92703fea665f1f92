import assert from "node:assert/strict";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { fromBase64, fromUtf8, GatehouseError, toHex, utf8 } from "@gatehouse/kernel";
import { bytesReader, openBundle, writeBundle } from "./bundle.ts";
import { manifestName } from "./manifest.ts";
import { nodeSignerFromSeed, nodeZstd } from "./node/mod.ts";
import { openRecording } from "./recording-reader.ts";
import { planRewrap, rewrapKeys } from "./rewrap.ts";
import { keysName, keysNumbers } from "./rewrapped-keys.ts";
import { sha256 } from "./signature.ts";
import { memorySource, storeSource } from "./source.ts";
import { type Sample, sampleFrames, sampleRecording } from "./testing/sample-recording.ts";
import { verifyRecording, type VerifyOptions } from "./verify.ts";
import { ageOpener, ageWrapper, type KeyOpener, type KeyWrapper } from "./wrapped-keys.ts";

async function person() {
  const identity = await generateX25519Identity();
  return { opener: ageOpener([identity]), recipient: await identityToRecipient(identity) };
}
const [fresh, later, strict] = await Promise.all([person(), person(), person()]);
const sample = await sampleRecording({ seed: 21 });
const other = await sampleRecording({ seed: 22, sessionId: "0199c0de-0000-7000-8000-00000000000f" });
const stranger = nodeSignerFromSeed(new Uint8Array(32).fill(9));
const at = "2026-11-26T20:00:00.000Z";
const trusting: VerifyOptions = { trustedKeys: [sample.signer.publicKey] };

type Objects = Map<string, Uint8Array>;
const copy = (from: Sample = sample): Objects => new Map(from.objects);
const opened = (objects: Objects, opener: KeyOpener, trustedKeys: Uint8Array[] = []) =>
  openRecording({ source: memorySource(objects), openers: [opener], zstd: nodeZstd, trustedKeys });
const toAll = (wrapper: KeyWrapper) => ({ main: [wrapper], input: [wrapper] });

/** Wraps again what `opener` opens, and puts the object beside the manifest. */
async function rewrap(
  objects: Objects,
  opener: KeyOpener,
  to: Parameters<typeof rewrapKeys>[0]["wrappers"],
  options: { n?: number; signer?: Sample["signer"] } = {},
): Promise<Objects> {
  const recording = await opened(objects, opener);
  const n = options.n ?? ((await keysNumbers(memorySource(objects))).at(-1) ?? 0) + 1;
  const plan = planRewrap(recording, to);
  const signer = options.signer ?? sample.signer;
  return objects.set(keysName(n), await rewrapKeys({ recording, plan, wrappers: to, n, at, signer }));
}
const codes = async (objects: Objects, options: VerifyOptions = trusting) =>
  (await verifyRecording(memorySource(objects), options)).findings.map(({ code }) => code);
async function frames(objects: Objects, opener: KeyOpener, trustedKeys: Uint8Array[] = []): Promise<number> {
  let count = 0;
  for await (const _ of (await opened(objects, opener, trustedKeys)).frames()) count++;
  return count;
}

test("keys wrapped again open for the new recipients, and for the old ones by the manifest, which nobody touched", async () => {
  const before = await opened(copy(), sample.opener);
  const wrappers = toAll(ageWrapper([fresh.recipient]));
  assert.deepEqual(planRewrap(before, wrappers), { main: "due", input: "due" });
  const objects = await rewrap(copy(), sample.opener, wrappers);
  assert.deepEqual(
    [...objects.keys()].filter((name) => !sample.objects.has(name)),
    ["keys-0001.json"],
  );
  assert.equal(objects.get(manifestName), sample.objects.get(manifestName));
  for (const opener of [fresh.opener, sample.opener]) assert.equal(await frames(objects, opener), 22);
  assert.equal(await frames(objects, later.opener), 0);
  const now = await opened(objects, fresh.opener);
  assert.deepEqual(
    now.wrapped.main.map((wrap) => wrap.type === "age" && wrap.recipients),
    [[fresh.recipient]],
  );
  assert.deepEqual(planRewrap(now, wrappers), { main: "same", input: "same" });
  const words = JSON.parse(fromUtf8(objects.get("keys-0001.json") as Uint8Array));
  assert.deepEqual([words.recordingId, words.n, words.at], [sample.facts.sessionId, 1, at]);
  assert.equal(words.manifestSha256, toHex(await sha256(sample.objects.get(manifestName) as Uint8Array)));
  const verified = await verifyRecording(memorySource(objects), {
    ...trusting,
    openers: [fresh.opener],
    zstd: nodeZstd,
  });
  assert.deepEqual([verified.findings, verified.decrypted.frames], [[], 22]);

  const again = await rewrap(objects, fresh.opener, toAll(ageWrapper([later.recipient])));
  assert.equal(await frames(again, later.opener), 22);
  assert.deepEqual(await codes(again), []);
  // Through a store, which is asked for the names after the segments alone.
  const asked: (string | undefined)[] = [];
  const source = storeSource(
    {
      list(_, { after } = {}) {
        asked.push(after);
        return Promise.resolve(
          [...again.keys()]
            .sort()
            .map((name) => `p/${name}`)
            .filter((key) => key > (after ?? "")),
        );
      },
      read: (key) => memorySource(again).read(key.slice(2), 1 << 26),
    },
    "p/",
  );
  const stored = await openRecording({ source, openers: [later.opener], zstd: nodeZstd });
  assert.deepEqual([stored.withheld, asked], [[], ["p/keys-", "p/manifest.json"]]);
});

test("a lane that nobody here opens keeps its wraps; one that is wrapped rightly is left alone", async () => {
  const both = { main: [ageWrapper([fresh.recipient])], input: [ageWrapper([strict.recipient])] };
  const stricter = await rewrap(copy(), sample.opener, both);
  const everyday = await opened(stricter, fresh.opener);
  assert.deepEqual(everyday.withheld, ["input"]);
  const next = { main: [ageWrapper([later.recipient])], input: [ageWrapper([later.recipient])] };
  assert.deepEqual(planRewrap(everyday, next), { main: "due", input: "withheld" });
  const half = await rewrap(stricter, fresh.opener, next);
  const now = await opened(half, later.opener);
  assert.deepEqual(now.withheld, ["input"]);
  assert.deepEqual(now.wrapped.input, everyday.wrapped.input);
  assert.equal(await frames(half, strict.opener), 10);
  // Whoever left is one too many, also where everybody else is there.
  const two = ageWrapper([later.recipient, fresh.recipient]);
  assert.deepEqual(planRewrap(now, { main: [two], input: both.input }), { main: "due", input: "same" });
});

test("where one recipient fails, nothing is written for the others", async () => {
  const broken: KeyWrapper = {
    covers: () => false,
    wrap: () =>
      Promise.reject(new GatehouseError({ code: "unavailable", op: "kms.wrap", message: "no answer" })),
  };
  const wrappers = { main: [ageWrapper([fresh.recipient]), broken], input: [ageWrapper([fresh.recipient])] };
  const recording = await opened(copy(), sample.opener);
  const plan = planRewrap(recording, wrappers);
  await assert.rejects(rewrapKeys({ recording, plan, wrappers, n: 1, at, signer: sample.signer }), {
    message: "no answer",
  });
});

test("every altered byte of such an object is found and passed over: older keys and the manifest's still open", async () => {
  const tiny = await sampleRecording({ seed: 23, frames: sampleFrames(sample.facts, 1) });
  const good = await rewrap(copy(tiny), sample.opener, toAll(ageWrapper([fresh.recipient])));
  const bytes = good.get("keys-0001.json") as Uint8Array;
  for (let n = 0; n < bytes.length; n += n < 200 || n > bytes.length - 400 ? 1 : 37) {
    const altered = bytes.slice();
    altered[n] = (altered[n] as number) ^ (1 << (n % 7));
    const objects = new Map(good).set("keys-0001.json", altered);
    const found = await codes(objects);
    assert.equal(found.length, 1, `byte ${n}: ${found.join()}`);
    assert.ok(["keys_altered", "keys_foreign"].includes(found[0] as string), `byte ${n}: ${found.join()}`);
    if (n % 8 > 0) continue;
    assert.deepEqual((await opened(objects, fresh.opener)).withheld, ["main", "input"], `byte ${n}`);
    assert.deepEqual((await opened(objects, sample.opener)).withheld, []);
  }
  const newer = await rewrap(new Map(good), sample.opener, toAll(ageWrapper([later.recipient])));
  newer.set("keys-0002.json", (newer.get("keys-0002.json") as Uint8Array).subarray(1));
  assert.deepEqual(await codes(newer), ["keys_altered"]);
  assert.equal(await frames(newer, fresh.opener), 4);
  for (const rubbish of [utf8(""), utf8("{}"), new Uint8Array(300)])
    assert.deepEqual(await codes(copy().set("keys-0001.json", rubbish)), ["keys_altered"]);
});

test("another recording's keys, another manifest's, another number's, and a stranger's are each named", async () => {
  const foreign = await rewrap(copy(other), other.opener, toAll(ageWrapper([fresh.recipient])));
  const moved = copy().set("keys-0001.json", foreign.get("keys-0001.json") as Uint8Array);
  assert.deepEqual(await codes(moved), ["keys_foreign"]);
  assert.deepEqual((await opened(moved, fresh.opener)).withheld, ["main", "input"]);

  const interrupted = await sampleRecording({ seed: 21, state: "interrupted" });
  const beside = await rewrap(copy(interrupted), sample.opener, toAll(ageWrapper([fresh.recipient])));
  assert.deepEqual(await codes(copy().set("keys-0001.json", beside.get("keys-0001.json") as Uint8Array)), [
    "keys_altered",
  ]);

  const good = await rewrap(copy(), sample.opener, toAll(ageWrapper([fresh.recipient])));
  const twice = new Map(good).set("keys-0002.json", good.get("keys-0001.json") as Uint8Array);
  assert.deepEqual(await codes(twice), ["keys_altered"]);

  // A stranger has sealed keys that are none under a newer number. Whoever trusts nobody but the gateway opens as before.
  const garbage: KeyOpener = { open: () => Promise.resolve(new Uint8Array(50)) };
  const signed = await rewrap(new Map(good), fresh.opener, toAll(ageWrapper([later.recipient])), {
    signer: stranger,
  });
  assert.deepEqual(await codes(signed), ["wrong_signer"]);
  assert.equal(await frames(signed, fresh.opener), 22);
  assert.deepEqual(await codes(signed, { trustedKeys: [sample.signer.publicKey, stranger.publicKey] }), []);
  // A signing key that was replaced is no stranger's, and one that is not known here is the last to be tried.
  assert.equal(await frames(signed, later.opener, [stranger.publicKey]), 22);
  assert.equal(await frames(signed, later.opener), 22);
  assert.deepEqual(
    (await opened(signed, sample.opener)).wrapped,
    (await opened(good, sample.opener)).wrapped,
  );
  await assert.rejects(opened(signed, garbage), { code: "corrupt" });
});

test("a bundle carries them", async () => {
  const objects = await rewrap(copy(), sample.opener, toAll(ageWrapper([fresh.recipient])));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBundle({ source: memorySource(objects) })) chunks.push(chunk);
  const source = await openBundle(bytesReader(Buffer.concat(chunks)));
  const found = await verifyRecording(source, { ...trusting, openers: [fresh.opener], zstd: nodeZstd });
  assert.deepEqual([found.findings, found.decrypted.frames], [[], 22]);
  assert.ok(fromBase64(sample.manifest.signature).length === 64);
});
