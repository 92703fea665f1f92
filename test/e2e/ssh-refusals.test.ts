import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { after, afterEach, before, test } from "node:test";
import { scanHostKeys } from "../../packages/gateway/src/protocols/ssh/gate/mod.ts";
import { fingerprint, generateKey } from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { systemClock } from "@gatehouse/kernel";
import { type TestGate, address, clientOptions, startGate } from "../parts/gate.ts";
import { run } from "../parts/openssh.ts";

let gate: TestGate;
let target: TestGate["target"];
before(async () => {
  gate = await startGate({
    limits: { unauthenticatedMax: 64, unauthenticatedPerAddressMax: 48, handshakeTimeoutMs: 20_000 },
  });
  target = gate.target;
});
afterEach(() => {
  gate.target = target;
});
after(() => gate.close());

const ssh = (to = address(gate), keyFile?: string) =>
  run("ssh", [...clientOptions(gate, keyFile), to, "echo in"]);

test("a key that nobody registered gets nobody in, and is audited with its fingerprint", async () => {
  const from = gate.audited.length;
  const ran = await ssh(address(gate), gate.strangerFile);
  assert.equal(ran.code, 255);
  assert.match(ran.stderr, /Permission denied \(publickey\)/);
  while (gate.audited.length === from) await new Promise((resolve) => setTimeout(resolve, 20));
  const [event] = gate.audited.slice(from);
  assert.equal(event?.event, "auth");
  assert.equal(event?.success, false);
  assert.match(String(event?.fields?.["key_fingerprint"]), /^SHA256:/);
  assert.equal(event?.fields?.["login"], `${gate.sshd.user}+web-01`);
});

test("who got in is audited before anything is opened", async () => {
  const from = gate.audited.length;
  assert.equal((await ssh()).code, 0);
  const [event] = gate.audited.slice(from);
  assert.equal(event?.event, "user.login");
  assert.equal(event?.user, "alice");
  assert.match(String(event?.fields?.["client"]), /^SSH-2\.0-OpenSSH/);
});

test("an unknown target, one that is not theirs and a malformed address are one clear line", async () => {
  for (const [to, said] of [
    ["root+nowhere@127.0.0.1", "gatehouse: there is no target nowhere that you may open as root."],
    ["nobody+web-01@127.0.0.1", "gatehouse: there is no target web-01 that you may open as nobody."],
    [
      "alice@127.0.0.1",
      'gatehouse: "alice" addresses no target. Connect as <login>+<target>@gate, or with ssh -J gate <login>@<target>.',
    ],
  ] as const) {
    const from = gate.audited.length;
    const ran = await ssh(to);
    assert.equal(ran.code, 255);
    assert.equal(ran.stderr.trim(), said);
    const rejected = gate.audited.slice(from).find(({ event }) => event === "session.rejected");
    assert.equal(rejected?.fields?.["reason"], "not_found", to);
  }
  const malformed = await run("ssh", [
    ...clientOptions(gate),
    "-o",
    "LogLevel=INFO",
    "root+@127.0.0.1",
    "true",
  ]);
  assert.equal(malformed.code, 255);
  assert.match(malformed.stderr, /"" is not a target's name\. Connect as <login>\+<target>/);
});

test("a target that is not there, has another key or refuses the credential is told as that", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, "close");
  gate.target = { ...target, port };
  let ran = await ssh();
  assert.deepEqual(
    [ran.code, ran.stderr],
    [255, "gatehouse: web-01 cannot be reached (connection refused).\n"],
  );
  let session = gate.sessions.at(-1);
  assert.equal((await session?.ended)?.reason, "failed");
  assert.equal(session?.bytes("notice").toString(), ran.stderr);

  const other = generateKey("ed25519").public.blob;
  gate.target = { ...target, hostTrust: { pinned: [other], authorities: [] } };
  const from = gate.audited.length;
  ran = await ssh();
  assert.equal(ran.code, 255);
  assert.match(
    ran.stderr,
    /^gatehouse: the host key of 127\.0\.0\.1 is not the trusted one: it offered SHA256:/,
  );
  assert.ok(!ran.stdout.includes("in"));
  const rejected = gate.audited.slice(from).find(({ event }) => event === "target.host_key.rejected");
  assert.deepEqual(
    [rejected?.fields?.["reason"], rejected?.fields?.["key_type"], rejected?.fields?.["key_fingerprint"]],
    ["changed", "ssh-ed25519", fingerprint(gate.sshd.hostKeyBlobs[0] as Uint8Array)],
  );

  gate.target = { ...target, hostTrust: { pinned: [], authorities: [] } };
  ran = await ssh();
  assert.match(ran.stderr, /^gatehouse: the host key of 127\.0\.0\.1 is not known/);

  gate.target = {
    ...target,
    credential: { type: "password", open: () => Promise.resolve("wrong") },
  };
  ran = await ssh();
  assert.deepEqual(
    [ran.code, ran.stderr],
    [
      255,
      `gatehouse: web-01 refused the gate's credential for ${target.login}. An administrator must check the target's stored credential.\n`,
    ],
  );
  session = gate.sessions.at(-1);
  assert.equal((await session?.ended)?.reason, "failed");
});

test("scanning shows the keys that the server has, and trusts none", async () => {
  const found = await scanHostKeys({ host: gate.sshd.host, port: gate.sshd.port, clock: systemClock });
  assert.deepEqual(
    found.map((key) => key.fingerprint),
    gate.sshd.hostKeyBlobs.map((blob) => fingerprint(blob)),
  );
  await assert.rejects(
    scanHostKeys({ host: "127.0.0.1", port: 1, clock: systemClock }),
    /shows no SSH host key/,
  );
});

test("thousands of half-open connections neither stop a session nor keep others out", async (t) => {
  const session = run("ssh", [...clientOptions(gate), address(gate), "sleep 3; echo still here"]);
  while (!gate.sessions.some(({ facts }) => facts.command?.includes("still here")))
    await new Promise((resolve) => setTimeout(resolve, 20));
  const memoryBefore = process.memoryUsage().rss;
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  // Each says something and reads on: a kernel whose queue overflowed tells only those that send, and a socket that nobody
  // reads never hears that it was closed.
  const knock = () =>
    new Promise<void>((resolve) => {
      const socket = connect(gate.port, "127.0.0.1");
      socket.on("error", () => undefined); // turned away
      socket.once("connect", () => socket.write("SSH-2.0-slow\r\n", () => resolve()));
      socket.once("close", () => resolve());
      socket.resume();
      sockets.push(socket);
    });
  for (let i = 0; i < 30; i++) await Promise.all(Array.from({ length: 100 }, knock));
  const open = () => sockets.filter((socket) => !socket.destroyed).length;
  while (open() > 48) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(open(), 48, "one address has its places and no more");
  assert.ok(process.memoryUsage().rss - memoryBefore < 300 * 1024 * 1024);
  const ran = await session;
  assert.deepEqual([ran.code, ran.stdout.toString()], [0, "still here\n"]);
  for (const socket of sockets) socket.destroy();
  while ((await ssh()).code !== 0) await new Promise((resolve) => setTimeout(resolve, 50));
});

test("whoever breaks the protocol is disconnected, audited, and nobody else notices", async () => {
  const from = gate.audited.length;
  for (const bytes of [
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(64, 0xff)]),
    Buffer.alloc(300_000, 0x41),
  ]) {
    const socket = connect(gate.port, "127.0.0.1");
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end(bytes);
    socket.resume();
    await closed;
  }
  while (gate.audited.length < from + 3) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const event of gate.audited.slice(from))
    assert.deepEqual([event.event, event.success], ["auth", false], JSON.stringify(event));
  assert.equal((await ssh()).code, 0);
});
