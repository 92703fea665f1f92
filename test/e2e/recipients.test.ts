/** Who can open what a real gateway wrote: several recipients, public ones only, and a stricter one for what was typed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isGatehouseError } from "@gatehouse/kernel";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { addPerson, sshOptions, startGateway } from "../parts/gateway.ts";
import { awaitSession, awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { type Stage, startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";
import { openBrowser } from "../parts/web.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
const closing: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function auditor(): Promise<{ identity: string; recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}
async function stageFor(recording: Record<string, unknown>): Promise<Stage> {
  const stage = await startStage({
    gateway: { config: { recording: { journal: { capacity: "16 MiB" }, ...recording } } },
  });
  closing.push(() => stage.close());
  return stage;
}
/** Somebody types a secret that the screen never shows; resolves with what it did show. */
async function typeSecret({ gateway, person, address }: Stage) {
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, person), address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize"),
  );
  await terminal.shows(/ready>/);
  const session = await awaitSession(gateway, ({ state }) => state === "live");
  terminal.type("stty -echo\r");
  await terminal.shows(/stty[\s\S]*ready>/);
  terminal.type("read secret\rhunter2-typed\recho took it\r");
  await terminal.shows(/took it\r\n/);
  return { terminal, session };
}
/** The command in the gateway's folder, asking its socket. */
function gatehouse(
  { gateway }: Stage,
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: gateway.dataDir, maxBuffer: 1 << 24, encoding: "utf8" as const };
    execFile(cli, words, options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}
const denied = (error: unknown) => isGatehouseError(error, "denied");
/** Every identity in a file of its own, beside the gateway's data. */
function keyFile({ gateway }: Stage, name: string, identity: string): string {
  writeFileSync(join(gateway.dataDir, name), `# an auditor\n${identity}\n`, { mode: 0o600 });
  return name;
}
async function exported(stage: Stage, sessionId: string): Promise<string> {
  const out = await gatehouse(
    stage,
    "recordings",
    "export",
    sessionId,
    "-o",
    "s.tar",
    "--force",
    "--data-dir",
    ".",
  );
  assert.equal(out.code, 0, out.stderr);
  writeFileSync(join(stage.gateway.dataDir, "gateway.pem"), await stage.gateway.admin.ca.recordings());
  return "s.tar";
}

test("a gateway with public recipients only: it opens nothing of what it wrote, says so, and any of the auditors opens all", async () => {
  const [first, second, stranger] = await Promise.all([auditor(), auditor(), auditor()]);
  const stage = await stageFor({ recipients: [first.recipient, second.recipient] });
  const { gateway } = stage;
  const { terminal, session } = await typeSecret(stage);
  terminal.type("exit\r");
  await terminal.exited;
  const stored = await awaitStored(gateway, ({ id }) => id === session.id);

  const words = await gateway.admin.recordings.get(session.id);
  assert.deepEqual(words.withheld, ["output", "input"]);
  assert.deepEqual(words.exports, ["bundle"]);
  assert.deepEqual(
    words.recipients,
    [first, second].map(({ recipient }) => `${recipient} (output and input)`),
  );
  await assert.rejects(recorded(gateway, stored), (error) => {
    assert.ok(denied(error), String(error));
    assert.match(String(error), /holds no key that opens this recording/);
    return true;
  });
  await assert.rejects(gateway.admin.recordings.export(session.id, "text"), denied);
  // Hashes, chain and signatures need no key; that frames were not looked at is said and is no fault.
  const verified = await gateway.admin.recordings.verify(session.id);
  assert.equal(verified.ok, true);
  assert.equal(verified.checks.find(({ name }) => name === "frames")?.status, "absent");

  const tar = await exported(stage, session.id);
  for (const [name, { identity }] of Object.entries({ "first.txt": first, "second.txt": second })) {
    const key = keyFile(stage, name, identity);
    const played = await gatehouse(stage, "play", tar, "-i", key, "--format", "json");
    assert.equal(played.code, 0, played.stderr);
    const frames = played.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; text: string });
    const of = (kind: string) =>
      frames
        .filter((frame) => frame.kind === kind)
        .map(({ text }) => text)
        .join("");
    assert.match(of("input"), /hunter2-typed\r/);
    assert.match(of("output"), /took it/);
    const checked = await gatehouse(stage, "verify", tar, "-i", key, "-k", "gateway.pem", "--json");
    const said = JSON.parse(checked.stdout);
    assert.deepEqual(
      [said.ok, said.decrypted.frames, said.decrypted.withheld],
      [true, stored.recording.frames, []],
    );
  }
  const not = await gatehouse(
    stage,
    "play",
    tar,
    "-i",
    keyFile(stage, "stranger.txt", stranger.identity),
    "--format",
    "text",
  );
  assert.notEqual(not.code, 0);
  assert.match(
    not.stderr,
    /is encrypted, and no identity or key service that was given opens it\n.*It opens for age1/,
  );
});

test("a gateway with public recipients only is killed while somebody works: what it recovers opens for the auditor", async () => {
  const { identity, recipient } = await auditor();
  const stage = await stageFor({ recipients: [recipient] });
  const { session } = await typeSecret(stage);
  await stage.gateway.kill("SIGKILL");
  const { dataDir } = stage.gateway;
  const gateway = await startGateway({
    dataDir,
    config: { recording: { journal: { capacity: "16 MiB" }, recipients: [recipient] } },
  });
  closing.push(() => gateway.close());
  await awaitStored(gateway, ({ id }) => id === session.id);
  const again = { ...stage, gateway };
  const tar = await exported(again, session.id);
  const played = await gatehouse(
    again,
    "play",
    tar,
    "-i",
    keyFile(again, "a.txt", identity),
    "--format",
    "json",
  );
  assert.equal(played.code, 0, played.stderr);
  const data = played.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { text: string }).text);
  assert.ok(data.join("").includes("took it") && data.some((text) => text.includes("hunter2-typed")));
  const checked = await gatehouse(again, "verify", tar, "-i", "a.txt", "-k", "gateway.pem");
  assert.equal(checked.code, 0, checked.stdout);
});

test("what was typed under a stricter recipient: without that key REST, CLI and web show the output, and say what is missing", async () => {
  const [everyday, strict] = await Promise.all([auditor(), auditor()]);
  const stage = await stageFor({
    recipients: ["gateway", everyday.recipient],
    input_recipients: [strict.recipient],
  });
  const { gateway } = stage;
  const { terminal, session } = await typeSecret(stage);
  terminal.type("exit\r");
  await terminal.exited;
  const stored = await awaitStored(gateway, ({ id }) => id === session.id);

  const words = await gateway.admin.recordings.get(session.id);
  assert.deepEqual(words.withheld, ["input"]);
  assert.ok(words.recipients.includes(`${strict.recipient} (input)`), words.recipients.join());
  assert.ok(words.recipients.includes(`${everyday.recipient} (output)`));
  const { bytes, frames } = await recorded(gateway, stored);
  assert.match(bytes("output").toString(), /took it/);
  assert.equal(bytes("input").length, 0);
  assert.ok(!frames.some(({ data }) => Buffer.from(data).includes("hunter2")));
  const verified = await gateway.admin.recordings.verify(session.id);
  assert.deepEqual([verified.ok, verified.firstFault], [true, null]);

  const played = await gatehouse(stage, "play", session.id, "--format", "json", "--data-dir", ".");
  assert.equal(played.code, 0, played.stderr);
  assert.match(played.stderr, /^note: what was typed is sealed for others/m);
  assert.ok(!played.stdout.includes('"kind":"input"') && played.stdout.includes('"kind":"output"'));

  const tar = await exported(stage, session.id);
  keyFile(stage, "everyday.txt", everyday.identity);
  keyFile(stage, "strict.txt", strict.identity);
  const outputOnly = await gatehouse(stage, "play", tar, "-i", "everyday.txt", "--format", "json");
  assert.match(outputOnly.stderr, /^note: what was typed is sealed for others/m);
  assert.ok(!outputOnly.stdout.includes('"kind":"input"') && outputOnly.stdout.includes("took it"));
  const all = await gatehouse(
    stage,
    "play",
    tar,
    "-i",
    "everyday.txt",
    "-i",
    "strict.txt",
    "--format",
    "json",
  );
  assert.equal(all.stderr, "");
  assert.ok(all.stdout.includes("hunter2-typed"));

  const browser = await openBrowser();
  closing.push(() => browser.close());
  const { page, complaints } = await browser.open();
  const otto = await addPerson(gateway, "otto", ["auditor"]);
  await page.goto((await gateway.admin.people.signInLink(otto.id)).url);
  await page.waitForURL(`${gateway.web}/sessions`);
  await page.goto(`${gateway.web}/sessions/${session.id}`);
  await page.getByRole("note").getByText("What was typed is sealed for others").waitFor();
  await page.locator(".xterm-rows").waitFor();
  await page.keyboard.press("End");
  await page.locator(".xterm-rows").getByText("took it").first().waitFor();
  assert.ok(!(await page.content()).includes("hunter2"));
  assert.deepEqual(complaints, []);

  // And on the disk of the gateway there is no trace of it.
  await eventually(
    "an empty spool",
    () => readdirSync(join(gateway.dataDir, "recording/spool")).length === 0 || undefined,
  );
  for (const name of readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true }))
    if (name.isFile())
      assert.ok(!readFileSync(join(name.parentPath, name.name)).includes("hunter2"), name.name);
});
