/**
 * docs/format.md is enough for a stranger: a reader in Python, written from that page and sharing no code with ours,
 * reads the golden recordings to the same frames and names the same faults.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { ageWrapper, memorySource, openRecording, planRewrap, rewrapKeys } from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { signManifest } from "../../packages/recording/src/manifest.ts";
import { sampleRecording } from "../../packages/recording/src/testing/sample-recording.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const testdata = path("../../testdata/v1");
const reader = path("./read_recording.py");
const signer = readFileSync(`${testdata}/signer.hex`, "utf8").trim();

/** The first Python that has what the reader imports. Debian: python3-cryptography and python3-zstandard. */
const python = ["/usr/bin/python3", "python3"].find(
  (program) => spawnSync(program, [reader, "--help"], { stdio: "ignore" }).status === 0,
);
const skip =
  python === undefined &&
  "no Python with the packages cryptography and zstandard: the reader in another language cannot run";

type Answer = { findings: string[]; withheld: string[]; frames: { kind: string; seq: number }[] };
function read(folder: string, identity?: string): Answer {
  return readBy(folder, signer, identity && `${testdata}/${identity}`);
}

function readBy(folder: string, signer: string, identity?: string): Answer {
  const args = [reader, folder, "--signer", signer];
  if (identity !== undefined) args.push("--identity", identity);
  const { stdout, stderr } = spawnSync(python as string, args, { encoding: "utf8" });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as Answer;
}

for (const name of ["terminal", "exec", "interrupted"])
  test(`the reader in Python reads v1 ${name} as we do`, { skip }, () => {
    const expected = JSON.parse(
      readFileSync(`${testdata}/${name}.expected.json`, "utf8"),
    ) as Answer["frames"];
    const folder = `${testdata}/${name}`;
    assert.deepEqual(read(folder, "identity-everything.txt"), {
      findings: [],
      withheld: [],
      frames: expected,
    });
    assert.deepEqual(read(folder, "identity-output-only.txt"), {
      findings: [],
      withheld: ["input"],
      frames: expected.filter(({ kind }) => kind !== "input" && kind !== "stdin"),
    });
    assert.deepEqual(read(folder), { findings: [], withheld: [], frames: [] });
  });

test("the reader in Python names what is wrong as we do", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-format-"));
  try {
    const damage = (name: string, change: (bytes: Buffer) => Uint8Array): string[] => {
      cpSync(`${testdata}/interrupted`, folder, { recursive: true });
      writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
      return read(folder).findings;
    };
    const flip = (bytes: Buffer) => {
      bytes[200] = (bytes[200] as number) ^ 1;
      return bytes;
    };
    assert.deepEqual(damage("000001.seg", flip), ["segment_altered@1"]);
    assert.deepEqual(
      damage("000002.seg", (bytes) => bytes.subarray(0, 300)),
      ["segment_truncated@2"],
    );
    assert.deepEqual(
      damage("manifest.json", (bytes) => Buffer.from(bytes.toString().replace('"ada"', '"bob"'))),
      ["manifest_altered", "manifest_inconsistent@0"],
    );
    cpSync(`${testdata}/interrupted`, folder, { recursive: true });
    rmSync(join(folder, "000001.seg"));
    assert.deepEqual(read(folder).findings, ["segment_missing@1"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test(
  "the reader in Python accepts a loss that the gateway states, and no more than that",
  { skip },
  async () => {
    const sample = await sampleRecording({ seed: 41 });
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-breaks-"));
    try {
      const { facts, keys, end, segments, state } = sample.manifest;
      const [, lost, later] = segments;
      assert.ok(lost && later);
      const { firstSeq, lastSeq, frames } = lost;
      const { bytes } = await signManifest(
        { facts, keys, end, segments, state, breaks: [{ firstSeq, lastSeq, frames, reason: "a disk" }] },
        sample.signer,
      );
      const names = [...sample.objects.keys()].filter((name) => name !== lost.name);
      for (const name of names) writeFileSync(join(folder, name), sample.objects.get(name) as Uint8Array);
      writeFileSync(join(folder, "manifest.json"), bytes);
      writeFileSync(join(folder, "identity.txt"), sample.identity);
      const ask = () =>
        readBy(folder, Buffer.from(sample.signer.publicKey).toString("hex"), join(folder, "identity.txt"));
      const answer = ask();
      assert.deepEqual(answer.findings, []);
      assert.deepEqual(
        answer.frames.map(({ seq }) => seq),
        sample.frames.map(({ seq }) => seq).filter((seq) => seq < firstSeq || seq > lastSeq),
      );
      rmSync(join(folder, later.name));
      assert.deepEqual(ask().findings, ["segment_missing@2"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test(
  "the reader in Python opens by keys that were wrapped again, and names those that are none",
  { skip },
  async () => {
    const sample = await sampleRecording({ seed: 42 });
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-rewrapped-"));
    try {
      for (const [name, bytes] of sample.objects) writeFileSync(join(folder, name), bytes);
      const identity = await generateX25519Identity();
      writeFileSync(join(folder, "new.txt"), identity);
      const wrapper = ageWrapper([await identityToRecipient(identity)]);
      const wrappers = { main: [wrapper], input: [wrapper] };
      const source = memorySource(sample.objects);
      const recording = await openRecording({ source, openers: [sample.opener], zstd: nodeZstd });
      const plan = planRewrap(recording, wrappers);
      const at = "2026-11-26T20:00:00.000Z";
      const keys = Buffer.from(
        await rewrapKeys({ recording, plan, wrappers, n: 1, at, signer: sample.signer }),
      );
      const ask = () =>
        readBy(folder, Buffer.from(sample.signer.publicKey).toString("hex"), join(folder, "new.txt"));
      assert.deepEqual(ask().withheld, ["main", "input"]);
      writeFileSync(join(folder, "keys-0001.json"), keys);
      const answer = ask();
      assert.deepEqual([answer.findings, answer.withheld], [[], []]);
      assert.deepEqual(
        answer.frames.map(({ seq }) => seq),
        sample.frames.map(({ seq }) => seq),
      );
      const found = (bytes: string, name = "keys-0001.json") => {
        rmSync(join(folder, "keys-0001.json"));
        writeFileSync(join(folder, name), bytes);
        const { findings } = ask();
        rmSync(join(folder, name));
        writeFileSync(join(folder, "keys-0001.json"), keys);
        return findings;
      };
      assert.deepEqual(found(keys.toString().replace('"n":1', '"n":2')), ["keys_altered"]);
      assert.deepEqual(found(keys.toString(), "keys-0002.json"), ["keys_altered"]);
      const other = await sampleRecording({ seed: 43, sessionId: "0199c0de-0000-7000-8000-00000000000f" });
      const foreign = await openRecording({
        source: memorySource(other.objects),
        openers: [other.opener],
        zstd: nodeZstd,
      });
      const moved = await rewrapKeys({ recording: foreign, plan, wrappers, n: 1, at, signer: other.signer });
      assert.deepEqual(found(Buffer.from(moved).toString()), ["keys_foreign"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
