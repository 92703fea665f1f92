import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import {
  type KeptSession,
  type TestGate,
  address,
  clientOptions,
  openPolicy,
  startGate,
} from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";

let gate: TestGate;
let echo: Server;
let echoPort: number;
const children: ChildProcess[] = [];

before(async () => {
  gate = await startGate();
  echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  echoPort = (echo.address() as AddressInfo).port;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  gate.target = { ...gate.target, policy: openPolicy };
});
after(async () => {
  echo.close();
  await gate.close();
});

async function until<T>(find: () => T | undefined | false, what: string): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`no ${what} in 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
/** An ssh that stays: returns when `-v` said that it is in. */
async function stay(args: string[], to = address(gate)) {
  const child = spawn("ssh", ["-v", ...clientOptions(gate), "-o", "LogLevel=DEBUG1", ...args, to]);
  children.push(child);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await until(() => said.includes("Entering interactive session"), `session: ${said}`);
  return { child, said: () => said };
}
async function connected(port: number): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if (attempt > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
/** Sends all, ends, and returns what came back. */
async function exchange(socket: Socket, bytes: Uint8Array): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  // A refusal may come as a reset.
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.end(bytes);
  await closed;
  return Buffer.concat(parts);
}
const forwardSession = (from: number): Promise<KeptSession> =>
  until(() => gate.sessions.slice(from).find(({ facts }) => facts.kind === "forward"), "forward session");

test("-L forwards to where the target reaches, counted and told", async () => {
  const from = gate.sessions.length;
  const port = await freePort();
  const { child } = await stay(["-N", "-L", `${port}:127.0.0.1:${echoPort}`]);
  const bytes = randomBytes(5_000_000);
  assert.ok((await exchange(await connected(port), bytes)).equals(bytes));
  const session = await forwardSession(from);
  await until(() => session.json("forward.close").length > 0, "close");
  const [opened] = session.json("forward.open") as { direction: string; host: string; port: number }[];
  assert.deepEqual([opened?.direction, opened?.host, opened?.port], ["local", "127.0.0.1", echoPort]);
  assert.deepEqual(session.json("forward.close"), [{ bytesIn: bytes.length, bytesOut: bytes.length }]);
  assert.deepEqual(
    session.events.map(({ event, fields }) => [event, fields["action"], fields["addr"], fields["bytes_in"]]),
    [
      ["port", "start", `127.0.0.1:${echoPort}`, undefined],
      ["port", "stop", `127.0.0.1:${echoPort}`, bytes.length],
    ],
  );
  // A second one belongs to the same session.
  assert.equal((await exchange(await connected(port), Buffer.from("again"))).toString(), "again");
  await until(() => session.json("forward.close").length === 2, "second close");
  assert.deepEqual(session.frames.map(({ stream }) => stream).sort(), [1, 1, 2, 2]);
  assert.equal(gate.sessions.length, from + 1);
  child.kill("SIGTERM");
  assert.equal((await session.ended).reason, "closed");
});

test("a forward that is open when its session must end is cut and told; so is one whose client leaves", async () => {
  for (const how of ["terminated", "left"] as const) {
    const from = gate.sessions.length;
    const port = await freePort();
    const { child } = await stay(["-N", "-L", `${port}:127.0.0.1:${echoPort}`]);
    const socket = await connected(port);
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("hello");
    await once(socket, "data");
    const session = await forwardSession(from);
    if (how === "terminated") session.stop("terminated", "enough");
    else child.kill("SIGKILL");
    await closed;
    const outcome = await session.ended;
    assert.equal(outcome.reason, how === "terminated" ? "terminated" : "closed");
    const closes = session.json("forward.close") as { bytesIn: number; bytesOut: number }[];
    assert.deepEqual(
      closes.map(({ bytesIn, bytesOut }) => [bytesIn, bytesOut]),
      [[5, 5]],
      how,
    );
  }
});

test("-D is a forward for each destination", async () => {
  const from = gate.sessions.length;
  const port = await freePort();
  await stay(["-N", "-D", String(port)]);
  const socket = await connected(port);
  // SOCKS 4: version, connect, port, address, empty user.
  socket.write(Uint8Array.of(4, 1, echoPort >> 8, echoPort & 0xff, 127, 0, 0, 1, 0));
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer[1], 90);
  assert.equal((await exchange(socket, Buffer.from("through"))).toString(), "through");
  const session = await forwardSession(from);
  const [opened] = session.json("forward.open") as { port: number }[];
  assert.equal(opened?.port, echoPort);
});

test("-R listens on the target, each connection told", async () => {
  const from = gate.sessions.length;
  const { said } = await stay(["-N", "-R", `0:127.0.0.1:${echoPort}`]);
  const port = Number(
    await until(() => /Allocated port (\d+) for remote forward/.exec(said())?.[1], "allocated port"),
  );
  const bytes = randomBytes(1_000_000);
  assert.ok((await exchange(await connected(port), bytes)).equals(bytes));
  const session = await forwardSession(from);
  await until(() => session.json("forward.close").length > 0, "close");
  const opened = session.json("forward.open") as { direction: string }[];
  assert.deepEqual(
    opened.map(({ direction }) => direction),
    ["listen", "remote"],
  );
  assert.deepEqual(session.json("forward.close"), [{ bytesIn: bytes.length, bytesOut: bytes.length }]);
});

test("what the target's policy does not allow is refused and audited", async () => {
  gate.target = {
    ...gate.target,
    policy: { ...openPolicy, localForward: false, remoteForward: false },
  };
  const from = gate.sessions.length;
  const port = await freePort();
  const { said } = await stay(["-N", "-L", `${port}:127.0.0.1:${echoPort}`]);
  assert.equal((await exchange(await connected(port), Buffer.from("x"))).length, 0);
  await until(() => said().includes("web-01 does not allow port forwarding"), "reason");
  const remote = await run("ssh", [
    "-N",
    "-o",
    "ExitOnForwardFailure=yes",
    "-R",
    `0:127.0.0.1:${echoPort}`,
    ...clientOptions(gate),
    "-o",
    "LogLevel=INFO",
    address(gate),
  ]);
  assert.equal(remote.code, 255);
  assert.match(remote.stderr, /remote port forwarding failed/);
  assert.equal(gate.sessions.length, from, "nothing was admitted");
  const refused = gate.audited.filter(({ event, success }) => event === "port" && !success);
  assert.deepEqual(
    refused.map(({ fields }) => [fields?.["direction"], fields?.["error"]]),
    [
      ["local", "the target does not allow port forwarding"],
      ["listen", "the target does not allow remote port forwarding"],
    ],
  );
});

test("sessions over one connection share it, each with its own recording", async () => {
  const from = gate.sessions.length;
  const control = ["-o", `ControlPath=${join(gate.directory, "control")}`];
  await stay(["-N", "-o", "ControlMaster=yes", ...control]);
  const logBefore = gate.sshd.log().length;
  const ran = await Promise.all(
    [1, 2, 3].map((n) => run("ssh", [...clientOptions(gate), ...control, address(gate), `echo ${n}`])),
  );
  assert.deepEqual(
    ran.map(({ stdout }) => stdout.toString()),
    ["1\n", "2\n", "3\n"],
  );
  const sessions = gate.sessions.slice(from);
  assert.deepEqual(sessions.map((session) => session.bytes("stdout").toString()).sort(), [
    "1\n",
    "2\n",
    "3\n",
  ]);
  assert.equal(new Set(sessions.map(({ facts }) => facts.connectionId)).size, 1);
  const accepted =
    gate.sshd
      .log()
      .slice(logBefore)
      .match(/Accepted publickey/g) ?? [];
  assert.equal(accepted.length, 1, "one connection to the target");
});

test("agent and X11 forwarding are refused unless the target allows them", async () => {
  const agent = spawn("ssh-agent", ["-D", "-a", join(gate.directory, "agent")], { stdio: "ignore" });
  children.push(agent);
  const env = { SSH_AUTH_SOCK: join(gate.directory, "agent") };
  await until(() => {
    const { existsSync } = process.getBuiltinModule("node:fs");
    return existsSync(env.SSH_AUTH_SOCK);
  }, "agent");
  assert.equal((await run("ssh-add", ["-q", gate.keyFile], { env })).code, 0);
  const listing = () => run("ssh", ["-A", ...clientOptions(gate), address(gate), "ssh-add -l"], { env });
  assert.notEqual((await listing()).code, 0);
  gate.target = { ...gate.target, policy: { ...openPolicy, agentForward: true } };
  const listed = await listing();
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout.toString(), /ED25519/);
  const told = gate.audited.filter(({ event }) => event === "agent-forward");
  assert.deepEqual(
    told.map(({ success }) => success),
    [false, true],
  );
  const x11 = await run(
    "ssh",
    ["-X", ...clientOptions(gate), "-o", "LogLevel=INFO", address(gate), "echo display=$DISPLAY"],
    { env: { DISPLAY: "127.0.0.1:99" } },
  );
  assert.equal(x11.stdout.toString(), "display=\n");
  assert.match(x11.stderr, /X11 forwarding request failed/);
  assert.deepEqual(
    gate.audited.filter(({ event }) => event === "x11-forward").map(({ success }) => success),
    [false],
  );
});

test("-J jumps through the gate to a name that its authority vouches for", async () => {
  const known = join(gate.directory, "known_hosts");
  const trusting = (host: string) => [
    "-F",
    writeConfig(known),
    "-J",
    `anybody@127.0.0.1:${gate.port}`,
    host,
    "echo $SSH_CONNECTION | wc -w",
  ];
  writeFileSync(known, `@cert-authority web-01 ${gate.hostCaLine}\n`);
  const from = gate.sessions.length;
  const ran = await run("ssh", trusting(`${gate.sshd.user}@web-01`));
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout.toString(), "4\n");
  const session = gate.sessions[from];
  assert.equal(session?.facts.target.name, "web-01");
  assert.equal(session?.facts.login, gate.sshd.user);
  assert.equal(session?.facts.remoteAddress, "127.0.0.1");
  assert.equal(session?.bytes("stdout").toString(), "4\n");

  const unknown = await run("ssh", trusting(`${gate.sshd.user}@web-02`));
  assert.equal(unknown.code, 255);
  assert.match(
    unknown.stderr,
    /Host key verification failed|authenticity/,
    "no authority vouches for web-02",
  );
  writeFileSync(known, `@cert-authority * ${gate.hostCaLine}\n`);
  const missing = await run("ssh", trusting(`${gate.sshd.user}@web-02`));
  assert.equal(missing.code, 255);
  assert.match(missing.stderr, /gatehouse: there is no target web-02 that you may open/);
  // Bulk through both layers.
  const bytes = randomBytes(8_000_000);
  const bulk = await run("ssh", [...trusting(`${gate.sshd.user}@web-01`).slice(0, -1), "cat"], {
    input: bytes,
  });
  assert.ok(bulk.stdout.equals(bytes), bulk.stderr);
});

function writeConfig(known: string): string {
  const path = join(gate.directory, "config");
  writeFileSync(
    path,
    [
      "Host *",
      "BatchMode yes",
      "IdentitiesOnly yes",
      `IdentityFile ${gate.keyFile}`,
      "GlobalKnownHostsFile /dev/null",
      "LogLevel ERROR",
      "Host 127.0.0.1",
      "UserKnownHostsFile /dev/null",
      "StrictHostKeyChecking no",
      "Host web-*",
      `UserKnownHostsFile ${known}`,
      "StrictHostKeyChecking yes",
      "",
    ].join("\n"),
  );
  return path;
}
