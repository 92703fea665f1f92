import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TestGate, address, clientOptions, startGate } from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";

let gate: TestGate;
before(async () => {
  gate = await startGate();
});
after(() => gate.close());

const ssh = (args: string[], options: Parameters<typeof run>[2] = {}) =>
  run("ssh", [...clientOptions(gate), address(gate), ...args], options);
const last = () => {
  const session = gate.sessions.at(-1);
  assert.ok(session);
  return session;
};

test("a command's three streams and its status are forwarded and recorded", async () => {
  const input = randomBytes(200_000);
  const ran = await ssh(["cat; echo to stderr >&2; exit 7"], { input });
  assert.equal(ran.code, 7, ran.stderr);
  assert.deepEqual(ran.stdout, input);
  assert.equal(ran.stderr, "to stderr\n");
  const session = last();
  assert.deepEqual(await session.ended, { reason: "closed", exitStatus: 7 });
  assert.deepEqual(session.bytes("stdin"), input);
  assert.deepEqual(session.bytes("stdout"), input);
  assert.equal(session.bytes("stderr").toString(), "to stderr\n");
  assert.deepEqual(session.json("exit"), [{ status: 7 }]);
  assert.deepEqual(session.json("request"), [{ type: "exec", command: "cat; echo to stderr >&2; exit 7" }]);
  assert.equal(session.facts.kind, "exec");
  assert.equal(session.facts.track, "exec");
  assert.match(session.facts.client ?? "", /^SSH-2.0-OpenSSH/);
  assert.deepEqual(
    session.events.map(({ event, fields }) => [event, fields["exit_code"]]),
    [["exec", 7]],
  );
});

test("50 MB pass both ways unchanged; beyond the limit their digest is kept", async () => {
  const input = randomBytes(50_000_000);
  const ran = await ssh(["cat"], { input });
  assert.equal(ran.code, 0, ran.stderr);
  assert.ok(ran.stdout.equals(input));
  const session = last();
  await session.ended;
  const limit = 16 * 1024 * 1024;
  for (const name of ["stdin", "stdout"] as const) {
    assert.ok(session.bytes(name).equals(input.subarray(0, limit)), name);
    const digests = (
      session.json("digest") as { of: string; bytes: number; sha256: string; final: boolean }[]
    ).filter((digest) => digest.of === name);
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    assert.deepEqual(digests[0], {
      of: name,
      bytes: limit,
      sha256: sha256(input.subarray(0, limit)),
      final: false,
    });
    assert.deepEqual(digests.at(-1), { of: name, bytes: input.length, sha256: sha256(input), final: true });
  }
});

test("what the target says before it lets anybody in reaches the person, and the recording", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-banner-"));
  const banner = join(directory, "banner");
  writeFileSync(banner, "Authorised use only.\nEverything is recorded.\n");
  const other = await startGate({ sshd: { extraConfig: [`Banner ${banner}`] } });
  t.after(async () => {
    await other.close();
    rmSync(directory, { recursive: true });
  });
  const ran = await run("ssh", [...clientOptions(other), address(other), "echo out"]);
  assert.deepEqual(
    [ran.stdout.toString(), ran.stderr],
    ["out\n", "Authorised use only.\nEverything is recorded.\n"],
  );
  assert.equal(other.sessions[0]?.bytes("notice").toString(), ran.stderr);
});
