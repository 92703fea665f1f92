import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type KeptSession, type TestGate, address, clientOptions, startGate } from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";
import { type TestTerminal, openTerminal } from "../parts/terminal.ts";

let gate: TestGate;
before(async () => {
  gate = await startGate();
});
const open: TestTerminal[] = [];
after(async () => {
  for (const terminal of open) terminal.kill();
  await gate.close();
});

function shell(command: string) {
  const terminal = openTerminal(
    ["ssh", "-tt", ...clientOptions(gate), address(gate), command],
    join(gate.directory, `resize-${open.length}`),
  );
  open.push(terminal);
  return terminal;
}
async function begun(count: number): Promise<KeptSession> {
  while (gate.sessions.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
  return gate.sessions[count - 1] as KeptSession;
}
const plainShell = "PS1='ready>' exec sh -i";

test("a terminal is recorded as it was typed and shown, with its sizes", async () => {
  const count = gate.sessions.length;
  const terminal = shell(plainShell);
  const session = await begun(count + 1);
  await terminal.shows(/ready>/);
  terminal.type("stty size\r");
  await terminal.shows(/30 100[\s\S]*ready>/);
  terminal.resize(120, 40);
  while (session.json("resize").length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  terminal.type("stty size; echo \u00e4\u{1f642}\r");
  await terminal.shows(/40 120[\s\S]*ready>/);
  terminal.type("exit 3\r");
  assert.equal(await terminal.exited, 3);
  assert.deepEqual(await session.ended, { reason: "closed", exitStatus: 3 });
  // OpenSSH's client adds the last line itself.
  const shown = terminal
    .shown()
    .toString()
    .replace(/Connection to 127\.0\.0\.1 closed\.\r\n$/, "");
  assert.equal(session.bytes("output").toString(), shown);
  assert.equal(session.bytes("input").toString(), "stty size\rstty size; echo \u00e4\u{1f642}\rexit 3\r");
  assert.deepEqual(session.json("resize"), [{ cols: 120, rows: 40 }]);
  const [request] = session.json("request") as {
    type: string;
    pty: { term: string; cols: number; rows: number; modes: Record<string, number> };
  }[];
  assert.equal(request?.type, "exec");
  assert.deepEqual([request?.pty.term, request?.pty.cols, request?.pty.rows], ["xterm", 100, 30]);
  assert.equal(request?.pty.modes["VINTR"], 3);
  assert.deepEqual(session.facts.size, { cols: 100, rows: 30 });
  assert.equal(session.facts.track, "terminal");
  assert.deepEqual(
    session.events.filter(({ event }) => event === "resize").map(({ fields }) => fields["size"]),
    ["120:40"],
  );
});

test("a signal's key reaches the program, and a killed program's signal the client", async () => {
  const count = gate.sessions.length;
  const terminal = shell("echo go; exec sleep 60");
  const session = await begun(count + 1);
  await terminal.shows(/go/);
  terminal.type("\u0003");
  assert.equal(await terminal.exited, 255);
  const outcome = await session.ended;
  assert.deepEqual([outcome.reason, outcome.exitSignal], ["closed", "INT"]);
  assert.deepEqual(session.json("exit"), [{ signal: "INT", coreDumped: false, message: "" }]);
});

test("a session that is told to end says why on the screen, and nothing typed passes any more", async () => {
  const count = gate.sessions.length;
  const terminal = shell(plainShell);
  const session = await begun(count + 1);
  await terminal.shows(/ready>/);
  session.stop("terminated", "an administrator ended this session (maintenance)");
  await terminal.shows(/\r\ngatehouse: an administrator ended this session \(maintenance\)\.\r\n/);
  assert.equal(await terminal.exited, 255);
  assert.equal((await session.ended).reason, "terminated");
  assert.equal(
    session.bytes("notice").toString(),
    "\r\ngatehouse: an administrator ended this session (maintenance).\r\n",
  );
});

test("when recording fails nothing more is shown but the reason, and the target gets nothing", async () => {
  const count = gate.sessions.length;
  const terminal = shell(plainShell);
  const session = await begun(count + 1);
  await terminal.shows(/ready>/);
  session.broken = true;
  terminal.type(`echo seen > ${join(gate.directory, "seen")}\r`);
  await terminal.shows(/gatehouse: recording cannot be guaranteed any longer \(the disk is gone\)\.\r\n/);
  assert.equal(await terminal.exited, 255);
  const outcome = await session.ended;
  assert.equal(outcome.reason, "recording_unavailable");
  const { existsSync } = await import("node:fs");
  assert.ok(!existsSync(join(gate.directory, "seen")));
  const shown = terminal.shown().toString();
  assert.ok(!shown.includes("echo seen"), "the echo of what was typed was not shown either");
});

test("what is shown waits for the disk", async () => {
  gate.prepare = (session) => (session.commitMs = 150);
  try {
    const start = performance.now();
    const ran = await run("ssh", [...clientOptions(gate), address(gate), "echo hello"]);
    assert.equal(ran.stdout.toString(), "hello\n");
    // The request, the output, and the exit: at least the first two one after the other.
    assert.ok(performance.now() - start > 300);
  } finally {
    gate.prepare = () => undefined;
  }
});

test("a shell without a terminal is a stream of bytes", async () => {
  const ran = await run("ssh", ["-T", ...clientOptions(gate), address(gate)], {
    input: "echo one; echo two >&2; exit 5\n",
  });
  assert.equal(ran.code, 5);
  assert.match(ran.stdout.toString(), /one\n$/);
  const session = gate.sessions.at(-1);
  assert.equal(session?.facts.kind, "shell");
  assert.equal(session?.bytes("stdin").toString(), "echo one; echo two >&2; exit 5\n");
  assert.deepEqual(session?.bytes("stdout"), ran.stdout);
  assert.equal(session?.bytes("stderr").toString(), ran.stderr);
});

test("variables on the list are set on the target and told, others are refused", async () => {
  const ran = await run(
    "ssh",
    [
      "-o",
      "SetEnv=GATEHOUSE_A=1 SECRET_B=2",
      ...clientOptions(gate),
      address(gate),
      "echo $GATEHOUSE_A-$SECRET_B",
    ],
    { env: { LANG: "" } },
  );
  assert.equal(ran.stdout.toString(), "1-\n");
  assert.deepEqual(gate.sessions.at(-1)?.json("env"), [
    { name: "GATEHOUSE_A", value: "1" },
    { name: "SECRET_B", refused: true },
  ]);
});
