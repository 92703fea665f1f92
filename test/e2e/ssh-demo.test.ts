import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "@gatehouse/kernel";
import { type DemoTarget, startDemoTarget } from "../../packages/gateway/src/protocols/ssh/demo/mod.ts";
import { type TestGate, clientOptions, openPolicy, startGate } from "../parts/gate.ts";
import { plainClient, run } from "../parts/openssh.ts";
import { openTerminal } from "../parts/terminal.ts";

let gate: TestGate;
let demo: DemoTarget;
before(async () => {
  gate = await startGate();
  demo = await startDemoTarget({ userCaBlob: gate.userCaBlob, clock: systemClock });
  gate.others.push({
    id: "demo",
    name: "demo",
    host: demo.host,
    port: demo.port,
    login: demo.login,
    hostTrust: { pinned: [demo.hostKeyBlob], authorities: [] },
    credential: { type: "userCa" },
    policy: openPolicy,
    access: { rule: "target-allows-person" },
  });
});
after(async () => {
  await gate.close();
  await demo.stop();
});

test("the tour: ssh demo@gate, a look around, and out", async () => {
  const terminal = openTerminal(
    ["ssh", "-tt", ...clientOptions(gate), "demo@127.0.0.1"],
    join(gate.directory, "resize"),
  );
  await terminal.shows(/Welcome to the Gatehouse demo/);
  await terminal.shows(/\$ $/);
  terminal.type("cat /etc/motd\r");
  await terminal.shows(/Its recording is/);
  terminal.type("exit 4\r");
  assert.equal(await terminal.exited, 4);
  const session = gate.sessions.at(-1);
  assert.equal(session?.facts.login, "demo");
  assert.match(session?.bytes("output").toString() ?? "", /This machine is not real\. Its recording is\./);
  assert.equal(session?.bytes("input").toString(), "cat /etc/motd\rexit 4\r");
});

test("a command, and what the demo does not have", async () => {
  const ssh = (...args: string[]) => run("ssh", [...clientOptions(gate), ...args]);
  const listed = await ssh("demo@127.0.0.1", "ls /etc");
  assert.deepEqual([listed.code, listed.stdout.toString()], [0, "hostname  hosts  motd  os-release\n"]);
  const files = await run("sftp", [...clientOptions(gate), "-b", "/dev/null", "demo@127.0.0.1"]);
  assert.notEqual(files.code, 0);
});

test("nobody but the gate gets in", async () => {
  const direct = await run("ssh", [
    ...plainClient,
    "-p",
    String(demo.port),
    "-i",
    gate.keyFile,
    "demo@127.0.0.1",
    "ls",
  ]);
  assert.equal(direct.code, 255);
  assert.match(direct.stderr, /Permission denied/);
});
