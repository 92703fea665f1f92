import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../parts/free-port.ts";
import { type KeptSession, type TestGate, address, clientOptions, startGate } from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";
import { eventually } from "../parts/sessions.ts";
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

const nextSession = (count: number): Promise<KeptSession> =>
  eventually("a session", () => gate.sessions[count]);
/** From its beginning to its end, so that what was sent to the gate before it has long arrived there. */
async function anotherSession(): Promise<void> {
  assert.equal((await run("ssh", [...clientOptions(gate), address(gate), "true"])).code, 0);
}
const kinds = (session: KeptSession, ...wanted: string[]) =>
  session.frames.filter(({ kind }) => wanted.includes(kind)).map(({ kind }) => kind);

test("what is typed into a pause never reaches the target, output goes on, and only what is typed later runs", async () => {
  const count = gate.sessions.length;
  const marker = (name: string) => join(gate.directory, name);
  const ticker = `PS1='ready>'; (while [ ! -e ${marker("stop")} ]; do echo tick; sleep 0.1; done) & exec sh -i`;
  const terminal = openTerminal(
    ["ssh", "-tt", ...clientOptions(gate), address(gate), `export PS1='ready>'; ${ticker}`],
    marker("resize"),
  );
  open.push(terminal);
  const session = await nextSession(count);
  await terminal.shows(/ready>/);
  terminal.type(`touch ${marker("before")}\r`);
  await eventually("what was typed before", () => existsSync(marker("before")) || undefined);
  await eventually("the input's frame", () => kinds(session, "input")[0]);
  const inputs = kinds(session, "input").length;

  session.input.pause();
  session.tell({ about: "pause", text: "eve has paused your input" });
  await terminal.shows(/\r\ngatehouse: eve has paused your input\.\r\n/);
  const typed = `touch ${marker("during")}\r`;
  terminal.type(typed);
  await eventually("it was dropped", () => session.discardedBytes === typed.length || undefined);
  // A signal is a key by another name, and what the target prints is still shown and recorded.
  terminal.type("\u0003");
  await eventually("it was dropped", () => session.discardedBytes === typed.length + 1 || undefined);
  const shownSoFar = session.bytes("output").length;
  await terminal.shows(/tick\r\n[\s\S]*tick\r\n/);
  await eventually("output is recorded", () => session.bytes("output").length > shownSoFar || undefined);
  assert.equal(kinds(session, "input").length, inputs);

  session.input.resume();
  terminal.type(`touch ${marker("after")}\r`);
  await eventually("what was typed after", () => existsSync(marker("after")) || undefined);
  assert.equal(existsSync(marker("during")), false);
  writeFileSync(marker("stop"), "");
  terminal.type("exit 4\r");
  assert.equal(await terminal.exited, 4);
  assert.equal(
    session.bytes("input").toString(),
    `touch ${marker("before")}\rtouch ${marker("after")}\rexit 4\r`,
  );
  assert.equal(session.bytes("notice").toString(), "\r\ngatehouse: eve has paused your input.\r\n");
});

test("a person may leave a paused session, and nothing of theirs runs after", async () => {
  const count = gate.sessions.length;
  const late = join(gate.directory, "left");
  const child = spawn("ssh", [...clientOptions(gate), address(gate), "sh"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const session = await nextSession(count);
  child.stdin.write("echo go\n");
  await once(child.stdout, "data");
  session.input.pause();
  child.stdin.write(`touch ${late}\n`);
  child.kill("SIGTERM");
  const { reason } = await session.ended;
  assert.ok(["closed", "connection_lost"].includes(reason), reason);
  session.input.resume();
  assert.equal(session.bytes("stdin").toString(), "echo go\n");
  assert.equal(existsSync(late), false);
});

test("a program's stream waits while input is paused, and arrives whole", async () => {
  const count = gate.sessions.length;
  const input = randomBytes(5_000_000);
  const child = spawn("ssh", [...clientOptions(gate), address(gate), "cat"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const session = await nextSession(count);
  const total = () => out.reduce((sum, chunk) => sum + chunk.length, 0);
  child.stdin.write(input.subarray(0, 1000));
  await eventually("the first part came back", () => total() === 1000 || undefined);
  session.input.pause();
  session.tell({ about: "pause", text: "eve has paused your input" });
  session.tell({ about: "watch", text: "eve looks on" });
  child.stdin.end(input.subarray(1000));
  await eventually("the notice", () => stderr.includes("paused") || undefined);
  await anotherSession();
  assert.equal(session.bytes("stdin").length, 1000);
  assert.equal(total(), 1000);
  session.input.resume();
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0, stderr);
  assert.ok(Buffer.concat(out).equals(input));
  assert.ok(session.bytes("stdin").equals(input));
  assert.equal(
    stderr,
    "gatehouse: eve has paused your input.\n",
    "who looks on is not said where programs read",
  );
  assert.equal(session.discardedBytes, 0);
});

test("a file transfer waits while input is paused, and is whole", async () => {
  const count = gate.sessions.length;
  const content = randomBytes(3_000_000);
  const from = join(gate.directory, "upload");
  const to = join(gate.directory, "uploaded");
  writeFileSync(from, content);
  gate.prepare = (session) => session.input.pause();
  const sftp = run("sftp", [...clientOptions(gate), "-b", "-", address(gate)], {
    input: `put ${from} ${to}\n`,
  });
  try {
    const session = await nextSession(count);
    gate.prepare = () => undefined;
    await anotherSession();
    assert.equal(existsSync(to), false);
    assert.deepEqual(session.files(), []);
    session.input.resume();
    const ran = await sftp;
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok(readFileSync(to).equals(content));
    const closed = session.files().find(({ op, phase }) => op === "close" && phase === "result");
    assert.equal(closed?.bytesWritten, content.length);
  } finally {
    gate.prepare = () => undefined;
  }
});

test("a forwarded port holds what the person sends, and brings what the other side does", async () => {
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write("hello\n");
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk);
      socket.write("more\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const local = await freePort();
  const count = gate.sessions.length;
  const child = spawn(
    "ssh",
    ["-N", "-L", `127.0.0.1:${local}:127.0.0.1:${port}`, ...clientOptions(gate), address(gate)],
    {
      stdio: "ignore",
    },
  );
  try {
    const socket = await eventually("the forwarded port", async () => {
      const tried = connect(local, "127.0.0.1");
      return new Promise<ReturnType<typeof connect> | undefined>((resolve) => {
        tried.once("connect", () => resolve(tried));
        tried.once("error", () => resolve(undefined));
      });
    });
    let shown = "";
    socket.on("data", (chunk: Buffer | string) => (shown += chunk.toString()));
    const session = await nextSession(count);
    await eventually("the greeting", () => shown === "hello\n" || undefined);
    session.input.pause();
    socket.write("held");
    const second = connect(local, "127.0.0.1");
    second.on("error", () => undefined);
    await once(second, "connect");
    await anotherSession();
    assert.equal(session.json("forward.open").length, 1);
    assert.deepEqual(received, []);
    session.input.resume();
    await eventually("what was held", () => Buffer.concat(received).toString() === "held" || undefined);
    await eventually("the answer", () => shown === "hello\nmore\n" || undefined);
    await eventually("the second forward", () => session.json("forward.open").length === 2 || undefined);
    socket.destroy();
    second.destroy();
  } finally {
    child.kill();
    server.close();
  }
});
