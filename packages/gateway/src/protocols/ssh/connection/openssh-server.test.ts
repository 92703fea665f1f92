import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { systemClock, systemRandom, utf8 } from "@gatehouse/kernel";
import { type Sshd, startSshd } from "../../../../../../test/parts/openssh.ts";
import { sourceBlock, sourceHash } from "../../../../../../test/parts/ssh-server.ts";
import {
  type HostTrust,
  type PrivateKey,
  certificateSigner,
  checkHostKey,
  generateKey,
  hostKeyAlgorithmsFor,
  issueCertificate,
  keySigner,
  keyTypes,
  publicKeyLine,
  writePrivateKey,
} from "../keys/mod.ts";
import { dialConnection } from "./dial.ts";
import type { Channel, ChannelEvents, ClientCredential, DialOptions, SshConnection } from "./door.ts";
import {
  decodeExitSignal,
  decodeExitStatus,
  decodeForwardedPort,
  decodeForwardedTcpip,
  encodeEnv,
  encodeExec,
  encodeForwarded,
  encodePty,
  encodeSignal,
  encodeSubsystem,
  encodeTcpipForward,
  encodeWindowChange,
} from "./session-requests.ts";

/** The client is ours, the server Debian's. */

const keys = keyTypes.map((type) => generateKey(type, type));
const first = keys[0] as PrivateKey;
const ca = generateKey("ecdsa-p256");
const hosts = [generateKey("ed25519"), generateKey("rsa"), generateKey("ecdsa-p384")];
const hostCertificate = issueCertificate({
  ca: keySigner(ca),
  key: (hosts[0] as PrivateKey).public,
  kind: "host",
  keyId: "target",
  principals: ["target.test"],
  validAfter: 0n,
  validBefore: 99_999_999_999n,
  serial: 1n,
  random: systemRandom,
});
const none = new Uint8Array();
let sshd: Sshd;

before(async () => {
  sshd = await startSshd({
    hostKeys: hosts.map((key) => writePrivateKey(key, { random: systemRandom })),
    hostCertificates: [publicKeyLine(hostCertificate.blob)],
    authorizedKeys: keys.map((key) => publicKeyLine(key.public.blob)),
    trustedUserCa: publicKeyLine(ca.public.blob),
    extraConfig: ["ClientAliveInterval 1", "ClientAliveCountMax 1", "MaxAuthTries 20"],
  });
});
after(() => sshd.close());

const trust: HostTrust = { pinned: hosts.map((key) => key.public.blob), authorities: [] };

function dial(
  credentials: readonly ClientCredential[],
  changes: Partial<DialOptions> = {},
  trusted: HostTrust = trust,
): Promise<SshConnection> {
  return dialConnection({
    socket: connect({ port: sshd.port, host: sshd.host, noDelay: true }),
    user: sshd.user,
    credentials,
    verifyHostKey: (blob) => checkHostKey(trusted, blob, "target.test", Date.now()),
    hostKeyAlgorithms: hostKeyAlgorithmsFor(trusted),
    clock: systemClock,
    ...changes,
  });
}
const withKey = (key = first): ClientCredential[] => [{ method: "publickey", signer: keySigner(key) }];

/** A session channel whose output is gathered. */
async function session(connection: SshConnection) {
  const channel = await connection.openChannel("session", none);
  const hash = createHash("sha256");
  const result = { output: "", errors: "", status: -1, signal: "", bytes: 0 };
  const ended = Promise.withResolvers<typeof result & { hash: string }>();
  const arrived = new Set<() => void>();
  channel.attach({
    data(view, stream) {
      hash.update(view);
      result.bytes += view.length;
      if (result.bytes < 1_000_000) {
        if (stream === 0) result.output += Buffer.from(view).toString();
        else result.errors += Buffer.from(view).toString();
      }
      channel.consumed(view.length);
      for (const check of arrived) check();
    },
    eof: () => undefined,
    request(request) {
      if (request.type === "exit-status") result.status = decodeExitStatus(request.payload);
      if (request.type === "exit-signal") result.signal = decodeExitSignal(request.payload).signal;
      request.reply(false);
    },
    closed: (error) => (error ? ended.reject(error) : ended.resolve({ ...result, hash: hash.digest("hex") })),
  } satisfies ChannelEvents);
  const seen = (text: string) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!result.output.includes(text)) return;
        arrived.delete(check);
        resolve();
      };
      arrived.add(check);
      check();
    });
  return { channel, ended: ended.promise, seen };
}
async function exec(connection: SshConnection, command: string, input: Uint8Array = none) {
  const { channel, ended } = await session(connection);
  assert.equal(await channel.request("exec", encodeExec(command)), true);
  await send(channel, input);
  channel.eof();
  return ended;
}
async function send(channel: Channel, input: Uint8Array): Promise<void> {
  for (let at = 0; at < input.length; at += 65_536)
    if (!channel.write(input.subarray(at, at + 65_536))) await channel.drained();
}

for (const key of keys) {
  test(`a ${key.comment} key, and our user CA's certificate for one, get in`, async () => {
    const plain = await dial(withKey(key));
    assert.equal((await exec(plain, "echo $USER; echo err >&2; exit 3")).status, 3);
    plain.disconnect("done");

    const fresh = key.comment === "rsa" ? key : generateKey(key.comment as (typeof keyTypes)[number]);
    const certificate = issueCertificate({
      ca: keySigner(ca),
      key: fresh.public,
      kind: "user",
      keyId: "through the gate",
      principals: [sshd.user],
      validAfter: 0n,
      validBefore: BigInt(Math.floor(Date.now() / 1000) + 60),
      serial: 3n,
      extensions: { "permit-pty": "" },
      random: systemRandom,
    });
    const certified = await dial([{ method: "publickey", signer: certificateSigner(fresh, certificate) }]);
    assert.equal((await exec(certified, "echo in")).output, "in\n");
    certified.disconnect("done");
    assert.match(sshd.log(), /ID through the gate \(serial 3\) CA ECDSA/);
  });
}

test("host keys: every pinned type, a CA's certificate, and a change that is named", async () => {
  for (const host of hosts) {
    const connection = await dial(withKey(), {}, { pinned: [host.public.blob], authorities: [] });
    connection.disconnect("done");
  }
  const byCa = await dial(withKey(), {}, { pinned: [], authorities: [ca.public.blob] });
  byCa.disconnect("done");
  const other = generateKey("ed25519");
  await assert.rejects(dial(withKey(), {}, { pinned: [other.public.blob], authorities: [] }), {
    code: "denied",
    op: "ssh.host_key",
    message: /expected was SHA256:/,
  });
});

test("a refusal names the methods; a second credential is tried after the first", async () => {
  await assert.rejects(dial(withKey(generateKey("ed25519"))), {
    code: "denied",
    op: "ssh.dial.auth",
    details: { user: sshd.user, methods: "publickey", tried: "ssh-ed25519" },
  });
  const second = await dial([...withKey(generateKey("ecdsa-p256")), ...withKey()]);
  assert.equal((await exec(second, "echo second")).output, "second\n");
  second.disconnect("done");
});

const canMakeAccount =
  process.getuid?.() === 0 && existsSync("/usr/sbin/useradd") && existsSync("/usr/sbin/chpasswd");
const skip = canMakeAccount ? false : "needs root and the tools of passwd to make an account";

/** Runs `work` with an account of its own on this machine. */
async function withAccount(
  work: (account: { user: string; password: string }) => Promise<void>,
): Promise<void> {
  const user = `gatehouse-test-${randomBytes(4).toString("hex")}`;
  const password = randomBytes(12).toString("base64url");
  execFileSync("/usr/sbin/useradd", ["--no-create-home", "--shell", "/bin/sh", user], { stdio: "ignore" });
  try {
    execFileSync("/usr/sbin/chpasswd", { input: `${user}:${password}\n` });
    await work({ user, password });
  } finally {
    execFileSync("/usr/sbin/userdel", ["--force", user], { stdio: "ignore" });
  }
}

for (const [way, extraConfig] of [
  ["password", "PasswordAuthentication yes"],
  ["keyboard-interactive", "KbdInteractiveAuthentication yes"],
] as const)
  test(`a password by ${way}, right and wrong`, { skip }, () =>
    withAccount(async ({ user, password }) => {
      const server = await startSshd({ extraConfig: [extraConfig] });
      try {
        const pinned: HostTrust = { pinned: server.hostKeyBlobs, authorities: [] };
        const to = () => ({
          user,
          socket: connect({ port: server.port, host: server.host }),
          verifyHostKey: (blob: Uint8Array) => checkHostKey(pinned, blob, "t", Date.now()),
        });
        const good = await dial([{ method: "password", password }], to());
        assert.equal((await exec(good, "id -un")).output, `${user}\n`);
        good.disconnect("done");
        await assert.rejects(dial([{ method: "password", password: "wrong" }], to()), {
          code: "denied",
          details: { user, methods: `publickey, ${way}`, tried: way },
        });
      } finally {
        await server.close();
      }
    }),
  );

test("a shell with a terminal: size, change, environment, exit", async () => {
  const connection = await dial(withKey());
  const { channel, ended, seen } = await session(connection);
  const size = { columns: 101, rows: 31, widthPixels: 0, heightPixels: 0 };
  assert.equal(
    await channel.request("pty-req", encodePty({ term: "vt100", modes: Uint8Array.of(0), ...size })),
    true,
  );
  assert.equal(await channel.request("env", encodeEnv("GATEHOUSE_X", "seen")), true);
  assert.equal(await channel.request("env", encodeEnv("LD_PRELOAD", "x")), false);
  assert.equal(await channel.request("exec", encodeExec("sh -i")), true);
  channel.write(utf8("echo $TERM-$GATEHOUSE_X; stty size\n"));
  await seen("31 101");
  channel.notify("window-change", encodeWindowChange({ ...size, columns: 77, rows: 22 }));
  channel.write(utf8("stty size; exit 9\n"));
  const { output, status } = await ended;
  assert.match(output, /vt100-seen\r\n31 101\r\n/);
  assert.match(output, /22 77\r\n/);
  assert.equal(status, 9);
  connection.disconnect("done");
});

test("a signal ends the command, and is told", { skip }, () =>
  // For root, sshd has no privilege separation and delivers no signals.
  withAccount(async ({ user }) => {
    const connection = await dial(withKey(), { user });
    const { channel, ended, seen } = await session(connection);
    await channel.request("exec", encodeExec("echo ready; exec sleep 100"));
    await seen("ready");
    channel.notify("signal", encodeSignal("TERM"));
    assert.equal((await ended).signal, "TERM");
    connection.disconnect("done");
  }),
);

test("100 MB each way arrive whole", async () => {
  const connection = await dial(withKey());
  const bytes = 100_000_000;
  const input = Buffer.concat(
    Array.from({ length: Math.ceil(bytes / sourceBlock.length) }, () => sourceBlock),
  ).subarray(0, bytes);
  const up = await exec(connection, "sha256sum", input);
  assert.equal(up.output.split(" ")[0], sourceHash(bytes));
  const echo = await exec(connection, "cat", input);
  assert.equal(echo.bytes, bytes);
  assert.equal(echo.hash, sourceHash(bytes));
  connection.disconnect("done");
});

test("our rekeying in the middle loses nothing", async () => {
  const connection = await dial(withKey(), { rekeyBytes: 512 * 1024 });
  const bytes = 10_000_000;
  const input = Buffer.concat(
    Array.from({ length: Math.ceil(bytes / sourceBlock.length) }, () => sourceBlock),
  ).subarray(0, bytes);
  const results = await Promise.all([exec(connection, "cat", input), exec(connection, "cat", input)]);
  for (const { hash } of results) assert.equal(hash, sourceHash(bytes));
  connection.disconnect("done");
});

test("a consumer that holds is not overrun", async () => {
  const connection = await dial(withKey());
  const channel = await connection.openChannel("session", none);
  let held = 0;
  let total = 0;
  let holding = true;
  const full = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  channel.attach({
    data(view) {
      total += view.length;
      if (holding) held += view.length;
      else channel.consumed(view.length);
      if (held >= 2 * 1024 * 1024 - 32 * 1024) full.resolve();
    },
    eof: () => undefined,
    request: (request) => request.reply(true),
    closed: () => ended.resolve(),
  });
  await channel.request("exec", encodeExec("head -c 20000000 /dev/zero"));
  await full.promise;
  // Nothing more may come, however long it takes.
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.ok(held <= 2 * 1024 * 1024);
  holding = false;
  channel.consumed(held);
  await ended.promise;
  assert.equal(total, 20_000_000);
  connection.disconnect("done");
});

test("the sftp subsystem answers", async () => {
  const connection = await dial(withKey());
  const { channel, seen } = await session(connection);
  assert.equal(await channel.request("subsystem", encodeSubsystem("sftp")), true);
  // SSH_FXP_INIT, version 3.
  channel.write(Uint8Array.of(0, 0, 0, 5, 1, 0, 0, 0, 3));
  await seen("posix-rename@openssh.com");
  channel.close();
  assert.equal(
    await (await session(connection)).channel.request("subsystem", encodeSubsystem("nothing")),
    false,
  );
  connection.disconnect("done");
});

test("direct-tcpip reaches what listens, and a refusal says so", async () => {
  const listener = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const connection = await dial(withKey());
  const origin = { host: "127.0.0.1", originHost: "192.0.2.1", originPort: 5 };
  const channel = await connection.openChannel("direct-tcpip", encodeForwarded({ ...origin, port }));
  const hash = createHash("sha256");
  const ended = Promise.withResolvers<void>();
  channel.attach({
    data(view) {
      hash.update(view);
      channel.consumed(view.length);
    },
    eof: () => channel.close(),
    request: (request) => request.reply(false),
    closed: () => ended.resolve(),
  });
  const sent = randomBytes(5_000_000);
  await send(channel, sent);
  channel.eof();
  await ended.promise;
  assert.equal(hash.digest("hex"), createHash("sha256").update(sent).digest("hex"));
  listener.close();
  await once(listener, "close");
  await assert.rejects(connection.openChannel("direct-tcpip", encodeForwarded({ ...origin, port })), {
    op: "ssh.channel.open",
    details: { reason: 2, description: "Connection refused" },
  });
  connection.disconnect("done");
});

test("tcpip-forward: who connects to the target comes to us", async () => {
  const connection = await dial(withKey());
  const text = Promise.withResolvers<string>();
  connection.attach({
    channel(opening) {
      const { host, port, originPort } = decodeForwardedTcpip(opening.payload);
      const channel = opening.accept();
      let got = "";
      channel.attach({
        data(view) {
          got += Buffer.from(view).toString();
          channel.consumed(view.length);
        },
        eof() {
          channel.write(utf8(`${host}:${port} from ${originPort}`));
          channel.eof();
          channel.close();
          text.resolve(got);
        },
        request: (request) => request.reply(false),
        closed: () => undefined,
      });
    },
    globalRequest: (request) => request.reply(false),
    closed: () => undefined,
  });
  const asked = { host: "127.0.0.1", port: 0 };
  const { ok, payload } = await connection.globalRequest("tcpip-forward", encodeTcpipForward(asked));
  assert.equal(ok, true);
  const port = decodeForwardedPort(payload) ?? 0;
  const socket: Socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const from = socket.localPort;
  socket.end("hello");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.equal(await text.promise, "hello");
  assert.equal(answer, `127.0.0.1:${port} from ${from}`);
  const cancelled = await connection.globalRequest(
    "cancel-tcpip-forward",
    encodeTcpipForward({ ...asked, port }),
  );
  assert.equal(cancelled.ok, true);
  connection.disconnect("done");
});

test("the server's keepalives are answered, and ours are", async () => {
  const connection = await dial(withKey(), { limits: { keepaliveIntervalMs: 300, keepaliveCountMax: 1 } });
  // The server asks every second and gives up at the second silence; we give up after 600 ms of it.
  assert.equal((await exec(connection, "sleep 2.6; echo alive")).output, "alive\n");
  connection.disconnect("done");
});

test("a target that goes away ends every channel with an error", async () => {
  const server = await startSshd({ authorizedKeys: [publicKeyLine(first.public.blob)] });
  const socket = connect({ port: server.port, host: server.host });
  const connection = await dial(withKey(), { socket }, { pinned: server.hostKeyBlobs, authorities: [] });
  const { channel, ended, seen } = await session(connection);
  const failed = assert.rejects(ended);
  await channel.request("exec", encodeExec("echo here; exec cat"));
  await seen("here");
  socket.destroy(new Error("cable cut"));
  await failed;
  assert.equal(connection.closed, true);
  await server.close();
});
