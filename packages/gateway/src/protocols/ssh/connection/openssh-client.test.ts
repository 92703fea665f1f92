import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import { plainClient, run, sshKeygen } from "../../../../../../test/parts/openssh.ts";
import {
  type TestServer,
  sourceBlock,
  sourceHash,
  startServer,
} from "../../../../../../test/parts/ssh-server.ts";
import { buildProvider, providerMissing } from "../../../../../../test/parts/security-key/provider.ts";
import {
  certificateSigner,
  generateKey,
  issueCertificate,
  keySigner,
  keyTypes,
  publicKeyLine,
  writePrivateKey,
} from "../keys/mod.ts";
import type { PublicKeyAttempt } from "./door.ts";

/** The server is ours, the client Debian's. */

const directory = mkdtempSync(join(tmpdir(), "gatehouse-ssh-client-"));
const known = generateKey("ed25519");
const knownFile = writeKey("known", known);
let server: TestServer;
let attempts: PublicKeyAttempt[] = [];
const accepts = new Set<string>();

before(async () => {
  accept(known.public.blob);
  server = await startServer({
    auth: {
      publicKey: (attempt) => {
        attempts.push(attempt);
        const good =
          attempt.certificate?.keyId === "somebody's" ||
          (!attempt.certificate && accepts.has(Buffer.from(attempt.key.blob).toString("hex")));
        return Promise.resolve(good ? "accept" : "refuse");
      },
      banner: "Authorised use only",
    },
  });
});
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

function accept(blob: Uint8Array): void {
  accepts.add(Buffer.from(blob).toString("hex"));
}
function writeKey(name: string, key: ReturnType<typeof generateKey>): string {
  const file = join(directory, name);
  writeFileSync(file, writePrivateKey(key, { random: systemRandom }), { mode: 0o600 });
  writeFileSync(`${file}.pub`, publicKeyLine(key.public.blob));
  return file;
}
const options = (file = knownFile) => ["-i", file, "-p", String(server.port), ...plainClient];
const ssh = (args: readonly string[], settings: Parameters<typeof run>[2] = {}) =>
  run("/usr/bin/ssh", args, settings);
const command = (text: string, extra: readonly string[] = [], input?: Uint8Array | string) =>
  ssh([...extra, ...options(), "somebody@127.0.0.1", text], input === undefined ? {} : { input });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

for (const type of keyTypes) {
  test(`a ${type} key, and its certificate, get in`, async () => {
    const key = generateKey(type);
    accept(key.public.blob);
    const file = writeKey(type, key);
    attempts = [];
    const plain = await ssh([...options(file), "somebody@127.0.0.1", "echo in"]);
    assert.equal(plain.stdout.toString(), "in", plain.stderr);
    assert.deepEqual(
      attempts.map(({ signed, user }) => [signed, user]),
      [
        [false, "somebody"],
        [true, "somebody"],
      ],
    );
    assert.equal(attempts[1]?.algorithm, type === "rsa" ? "rsa-sha2-512" : attempts[1]?.key.type);

    const certificate = issueCertificate({
      ca: keySigner(known),
      key: key.public,
      kind: "user",
      keyId: "somebody's",
      principals: ["somebody"],
      validAfter: 0n,
      validBefore: 99_999_999_999n,
      serial: 5n,
      random: systemRandom,
    });
    writeFileSync(`${file}-cert.pub`, publicKeyLine(certificate.blob));
    // The client tries the key before its certificate.
    accepts.delete(Buffer.from(key.public.blob).toString("hex"));
    attempts = [];
    const certified = await ssh([...options(file), "somebody@127.0.0.1", "echo in"]);
    assert.equal(certified.stdout.toString(), "in", certified.stderr);
    assert.equal(attempts.at(-1)?.certificate?.keyId, "somebody's");
  });
}

test("RSA signs with SHA-256 when the client insists, and never with SHA-1", async () => {
  const key = generateKey("rsa");
  accept(key.public.blob);
  const file = writeKey("rsa-only", key);
  const with256 = [
    "-o",
    "PubkeyAcceptedAlgorithms=rsa-sha2-256",
    ...options(file),
    "somebody@127.0.0.1",
    "echo in",
  ];
  assert.equal((await ssh(with256)).stdout.toString(), "in");
  assert.equal(attempts.at(-1)?.algorithm, "rsa-sha2-256");
  const with1 = ["-o", "PubkeyAcceptedAlgorithms=ssh-rsa", ...options(file), "somebody@127.0.0.1", "echo in"];
  const refused = await ssh(with1);
  assert.equal(refused.code, 255);
  assert.match(refused.stderr, /Permission denied \(publickey\)/);
});

const noProvider = providerMissing();
for (const type of ["ed25519-sk", "ecdsa-sk"])
  test(
    `a security key (${type}) in software gets in, and its touch is seen`,
    { skip: noProvider ?? false },
    async () => {
      const env = buildProvider(directory);
      const file = join(directory, type);
      const made = await run("/usr/bin/ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file], { env });
      assert.equal(made.code, 0, made.stderr);
      const [, base64 = ""] = sshKeygen("-y", "-f", file).split(" ");
      accept(Buffer.from(base64, "base64"));
      const result = await ssh(
        [
          "-o",
          "SecurityKeyProvider=$SSH_SK_PROVIDER",
          ...options(file),
          "somebody@127.0.0.1",
          "echo touched",
        ],
        {
          env,
        },
      );
      assert.equal(result.stdout.toString(), "touched", result.stderr);
      assert.deepEqual(attempts.at(-1)?.flags, { userPresent: true, userVerified: false, counter: 1 });
    },
  );

test("an agent's key gets in", async () => {
  const socket = join(directory, "agent");
  const agent = spawn("/usr/bin/ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(agent.stdout, "data");
    const env = { SSH_AUTH_SOCK: socket };
    const key = generateKey("ecdsa-p256");
    accept(key.public.blob);
    const added = await run("/usr/bin/ssh-add", ["-q", writeKey("in-agent", key)], { env });
    assert.equal(added.code, 0, added.stderr);
    const args = [
      "-o",
      "IdentitiesOnly=no",
      "-o",
      "IdentityFile=none",
      "-p",
      String(server.port),
      ...plainClient,
    ];
    const result = await ssh([...args, "somebody@127.0.0.1", "echo agent"], { env });
    assert.equal(result.stdout.toString(), "agent", result.stderr);
  } finally {
    agent.kill();
    await once(agent, "exit");
  }
});

test("a wrong key is refused, with the banner and without a reason", async () => {
  const file = writeKey("unknown", generateKey("ed25519"));
  const result = await ssh(["-o", "LogLevel=INFO", ...options(file), "somebody@127.0.0.1", "echo in"]);
  assert.equal(result.code, 255);
  assert.match(result.stderr, /Authorised use only/);
  assert.match(result.stderr, /Permission denied \(publickey\)/);
  assert.equal(result.stdout.length, 0);
});

test("exit status, stderr, environment and exit by signal arrive", async () => {
  const exit = await command("exit 7");
  assert.deepEqual([exit.code, exit.stderr], [7, "to stderr"]);
  const env = await command("env", ["-o", "SetEnv=GATEHOUSE_A=one GATEHOUSE_B=two"]);
  assert.equal(env.stdout.toString(), "GATEHOUSE_A=one\nGATEHOUSE_B=two");
  assert.equal((await command("killed")).code, 255);
});

test("100 MB each way arrive whole", async () => {
  const bytes = 100_000_000;
  const input = Buffer.concat(
    Array.from({ length: Math.ceil(bytes / sourceBlock.length) }, () => sourceBlock),
  ).subarray(0, bytes);
  const up = await command("hash", [], input);
  assert.equal(up.stdout.toString(), sourceHash(bytes), up.stderr);
  const down = await command(`source ${bytes}`);
  assert.equal(down.stdout.length, bytes);
  assert.equal(sha256(down.stdout), sourceHash(bytes));
});

test("the client's rekeying in the middle loses nothing", async () => {
  const rekey = ["-o", "RekeyLimit=256K"];
  const bytes = 3_000_000;
  const input = Buffer.concat(Array.from({ length: 31 }, () => sourceBlock)).subarray(0, bytes);
  const [up, down, both] = await Promise.all([
    command("hash", rekey, input),
    command(`source ${bytes}`, rekey),
    command("cat", rekey, input),
  ]);
  assert.equal(up.stdout.toString(), sourceHash(bytes), up.stderr);
  assert.equal(sha256(down.stdout), sourceHash(bytes), down.stderr);
  assert.equal(sha256(both.stdout), sourceHash(bytes), both.stderr);
});

test("a slow consumer holds the client at the window", async () => {
  const bytes = 30_000_000;
  const input = Buffer.concat(Array.from({ length: 301 }, () => sourceBlock)).subarray(0, bytes);
  const opened = server.nextSession();
  const running = command("hold", [], input);
  const session = await opened;
  const window = 2 * 1024 * 1024;
  await until(() => session.inputBytes >= window - 32 * 1024);
  // Nothing more may come, however long it takes: a quarter of a second is a thousand round trips here.
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.ok(session.inputBytes <= window, `${session.inputBytes} bytes in a window of ${window}`);
  session.release();
  const result = await running;
  assert.equal(result.stdout.toString(), sourceHash(bytes), result.stderr);
});

test("a reader that stops at the far end holds our writer", async () => {
  const opened = server.nextSession();
  const child = spawn("/usr/bin/ssh", [...options(), "somebody@127.0.0.1", "source 50000000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const session = await opened;
  child.stdout.pause();
  await until(() => session.channel.queuedBytes > 0);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.ok(session.channel.queuedBytes <= sourceBlock.length, "no more than one write is kept");
  assert.ok(session.channel.bytesOut < 20_000_000);
  const hash = createHash("sha256");
  for await (const chunk of child.stdout) hash.update(chunk as Buffer);
  assert.equal(hash.digest("hex"), sourceHash(50_000_000));
});

test("several sessions over one connection", async () => {
  const socket = join(directory, "master");
  const count = server.accepted.length;
  const master = spawn("/usr/bin/ssh", ["-M", "-N", "-S", socket, ...options(), "somebody@127.0.0.1"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    const check = async () => (await ssh(["-S", socket, "-O", "check", "x"])).code === 0;
    while (!(await check()));
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        ssh(["-S", socket, "x", i % 2 === 0 ? `echo ${i}` : "source 3000000"]),
      ),
    );
    for (const [i, { stdout }] of results.entries())
      assert.equal(
        i % 2 === 0 ? stdout.toString() : sha256(stdout),
        i % 2 === 0 ? String(i) : sourceHash(3_000_000),
      );
    assert.equal(server.accepted.length, count + 1);
    // The last close may still be on its way when the last client has gone.
    await until(() => server.accepted.at(-1)?.connection.channelCount === 0);
  } finally {
    master.kill();
    await once(master, "exit");
  }
});

test("-L and -D open channels to where the client says", async () => {
  // Between the choice of a port and its use somebody else may have taken it: then ssh ends, and others are tried.
  for (let attempt = 0; ; attempt++) {
    try {
      return await forwardBothWays();
    } catch (error) {
      if (attempt === 4) throw error;
    }
  }
});

async function forwardBothWays(): Promise<void> {
  const [local, dynamic] = [await freePort(), await freePort()];
  const args = [
    "-N",
    "-L",
    `${local}:inner.test:80`,
    "-D",
    String(dynamic),
    "-o",
    "ExitOnForwardFailure=yes",
  ];
  const child = spawn("/usr/bin/ssh", [...args, ...options(), "somebody@127.0.0.1"], { stdio: "inherit" });
  const exited = once(child, "exit");
  try {
    assert.equal(await talk(local, "ping"), "inner.test:80\nping");
    const name = Buffer.from("far.test");
    // SOCKS 5 without authentication, CONNECT by name (RFC 1928).
    const hello = Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, name.length), name, Buffer.of(0x1f, 0x90)]);
    const answer = await talk(dynamic, Buffer.concat([hello, Buffer.from("pong")]));
    assert.ok(answer.endsWith("far.test:8080\npong"), JSON.stringify(answer));
  } finally {
    child.kill();
    await exited;
  }
}

test("-R: what the server accepts comes out at the client", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const connection = once(listener, "connection");
  const child = spawn(
    "/usr/bin/ssh",
    ["-N", "-R", `0:127.0.0.1:${port}`, ...options(), "somebody@127.0.0.1"],
    {
      stdio: "ignore",
    },
  );
  const exited = once(child, "exit");
  try {
    const [socket] = (await connection) as [Socket];
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    assert.equal(text, "through the tunnel");
  } finally {
    child.kill();
    await exited;
    listener.close();
  }
});

test("the client's keepalives are answered", async () => {
  // With one unanswered it would give up after two seconds.
  const result = await command("after 2600", ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"]);
  assert.equal(result.stdout.toString(), "awake", result.stderr);
});

test("every type of host key, and a host certificate for it, are believed by a strict client", async () => {
  for (const type of keyTypes) {
    const key = generateKey(type);
    const certificate = issueCertificate({
      ca: keySigner(known),
      key: key.public,
      kind: "host",
      keyId: "gate",
      principals: ["gate.test"],
      validAfter: 0n,
      validBefore: 99_999_999_999n,
      serial: 6n,
      random: systemRandom,
    });
    const hostKeys = [certificateSigner(key, certificate), keySigner(key)];
    const strict = await startServer({ hostKeys, auth: { publicKey: () => Promise.resolve("accept") } });
    try {
      for (const line of [
        `gate.test ${publicKeyLine(key.public.blob)}`,
        `@cert-authority gate.test ${publicKeyLine(known.public.blob)}`,
      ]) {
        const hosts = join(directory, "known_hosts");
        writeFileSync(hosts, `${line}\n`);
        const trust = [`UserKnownHostsFile=${hosts}`, "StrictHostKeyChecking=yes", "HostKeyAlias=gate.test"];
        const args = [
          ...trust.flatMap((option) => ["-o", option]),
          "-p",
          String(strict.port),
          "-i",
          knownFile,
        ];
        const result = await ssh([...args, ...plainClient, "u@127.0.0.1", "echo ok"]);
        assert.equal(result.stdout.toString(), "ok", `${line}: ${result.stderr}`);
      }
    } finally {
      await strict.close();
    }
  }
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
/** Connects as soon as somebody listens, sends, ends, and reads to the end. */
async function talk(port: number, text: string | Uint8Array): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
    } catch (error) {
      if (attempt === 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    socket.end(text);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }
}
