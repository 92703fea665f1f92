import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { type Clock, TestClock, systemClock, systemRandom, utf8 } from "@gatehouse/kernel";
import { type MemoryTransport, memoryTransports } from "../../../../../../test/parts/memory-transport.ts";
import { ignoring, settled } from "../../../../../../test/parts/ssh-connections.ts";
import {
  type Signer,
  certificateSigner,
  generateKey,
  issueCertificate,
  keySigner,
  keyTypes,
} from "../keys/mod.ts";
import type { TransportEvents } from "../transport/door.ts";
import { SshWriter } from "../transport/wire.ts";
import { acceptOver } from "./accept.ts";
import { encodeAuthRequest, encodeService, hostBoundMethod, signedData } from "./auth-messages.ts";
import { dialOver } from "./dial.ts";
import type { ClientCredential, PublicKeyAttempt, ServerAuthOptions } from "./door.ts";

const hostKey = keySigner(generateKey("ed25519"));
const keys = keyTypes.map((type) => ({ type, key: generateKey(type) }));
const mine = keys[0]?.key as (typeof keys)[0]["key"];

/** Both ends over memory; the transports come out, so that a test can look at what passed. */
function join(auth: ServerAuthOptions, clock: Clock = systemClock) {
  let serverEvents: TransportEvents | undefined;
  let pair: [MemoryTransport, MemoryTransport] | undefined;
  const server = Promise.withResolvers<MemoryTransport>();
  const accepted = acceptOver(({ events }) => {
    serverEvents = events;
    return server.promise;
  })({ socket: new Socket(), hostKeys: [hostKey], auth, clock });
  const connect = (clientEvents: TransportEvents) => {
    pair = memoryTransports(clientEvents, serverEvents as TransportEvents);
    server.resolve(pair[1]);
    return pair;
  };
  const dial = (credentials: readonly ClientCredential[], signatureAlgorithms?: string[]) =>
    dialOver(({ events }) => {
      const [transport] = connect(events);
      transport.peerSignatureAlgorithms = signatureAlgorithms;
      return Promise.resolve(transport);
    })({
      socket: new Socket(),
      user: "alice",
      credentials,
      verifyHostKey: () => undefined,
      hostKeyAlgorithms: [],
      clock,
    });
  /** A client of raw packets. */
  const raw = () => {
    const received: Uint8Array[] = [];
    const [transport] = connect({
      packet: (payload) => received.push(Uint8Array.from(payload)),
      closed: () => undefined,
    });
    transport.send(encodeService(5, "ssh-userauth"));
    return { transport, received, numbers: () => received.map((payload) => payload[0]) };
  };
  // Nobody may look at the acceptance in a test of the client: its refusal is no unhandled one.
  accepted.catch(() => undefined);
  return { accepted, dial, raw, transports: () => pair };
}

const accepting = (attempts: PublicKeyAttempt[] = []): ServerAuthOptions => ({
  publicKey: (attempt) => {
    attempts.push(attempt);
    return Promise.resolve("accept");
  },
});

test("every key type, plain and in a certificate, authenticates; the connection works at once", async () => {
  const ca = keySigner(generateKey("ecdsa-p384"));
  for (const { type, key } of keys) {
    const certificate = issueCertificate({
      ca,
      key: key.public,
      kind: "user",
      keyId: "id",
      principals: ["alice"],
      validAfter: 0n,
      validBefore: 1n,
      serial: 9n,
      random: systemRandom,
    });
    for (const signer of [keySigner(key), certificateSigner(key, certificate)]) {
      const attempts: PublicKeyAttempt[] = [];
      const { accepted, dial } = join(accepting(attempts));
      const client = await dial([{ method: "publickey", signer }]);
      const { user, connection, publicKey } = await accepted;
      assert.equal(user, "alice");
      assert.equal(attempts.length, 1);
      assert.equal(publicKey, attempts[0]);
      assert.equal(publicKey?.signed, true);
      assert.deepEqual(publicKey?.key.blob, key.public.blob, type);
      assert.equal(publicKey?.certificate?.serial, signer.publicBlob === key.public.blob ? undefined : 9n);
      connection.attach({ ...ignoring, channel: (opening) => opening.accept(utf8("hello")) });
      const channel = await client.openChannel("session", new Uint8Array());
      assert.deepEqual(channel.confirmation, Uint8Array.from(utf8("hello")));
    }
  }
});

test("RSA signs with what the server takes", async () => {
  const rsa = keySigner(keys.find(({ type }) => type === "rsa")?.key as typeof mine);
  for (const [algorithms, used] of [
    [undefined, "rsa-sha2-512"],
    [["ssh-ed25519", "rsa-sha2-256"], "rsa-sha2-256"],
  ] as const) {
    const attempts: PublicKeyAttempt[] = [];
    const { dial } = join(accepting(attempts));
    await dial([{ method: "publickey", signer: rsa }], algorithms ? [...algorithms] : undefined);
    assert.equal(attempts[0]?.algorithm, used);
  }
  const { dial } = join(accepting());
  await assert.rejects(dial([{ method: "publickey", signer: rsa }], ["ssh-rsa"]), {
    code: "denied",
    message: /takes no signature of rsa-sha2-512 or rsa-sha2-256/,
  });
});

test("a refusal says what the server would take", async () => {
  const { dial } = join({
    publicKey: () => Promise.resolve("refuse"),
    keyboardInteractive: () => Promise.resolve("refuse"),
    firstMethods: ["publickey", "keyboard-interactive"],
  });
  await assert.rejects(dial([{ method: "publickey", signer: keySigner(mine) }]), {
    code: "denied",
    op: "ssh.dial.auth",
    message: "the target refused alice; it would take: publickey, keyboard-interactive",
    details: { user: "alice", methods: "publickey, keyboard-interactive", tried: "ssh-ed25519" },
  });
});

test("a password answers a lone hidden question, once, and nothing else", async () => {
  const asked: (readonly string[])[] = [];
  const password: ClientCredential[] = [{ method: "password", password: "hunter2" }];
  const server = (texts: { text: string; echo: boolean }[]): ServerAuthOptions => ({
    publicKey: () => Promise.resolve("refuse"),
    firstMethods: ["keyboard-interactive"],
    async keyboardInteractive(attempt) {
      assert.equal(attempt.user, "alice");
      const answers = await attempt.ask("", "", texts);
      asked.push(answers);
      await attempt.ask("", "nothing more", []);
      return answers[0] === "hunter2" ? "accept" : "refuse";
    },
  });
  const good = join(server([{ text: "Password: ", echo: false }]));
  await good.dial(password);
  assert.deepEqual((await good.accepted).methods, ["keyboard-interactive"]);
  assert.deepEqual(asked, [["hunter2"]]);
  for (const texts of [
    [{ text: "Code: ", echo: true }],
    [
      { text: "Old: ", echo: false },
      { text: "New: ", echo: false },
    ],
  ])
    await assert.rejects(
      join(server(texts)).dial(password),
      /it asks what a stored password does not answer \((Code:|Old:; New:)\)/,
    );
  assert.equal(asked.length, 1);
});

test("a key and then a second factor: partial success leads on", async () => {
  const { accepted, dial } = join({
    publicKey: () => Promise.resolve({ next: ["keyboard-interactive"] }),
    keyboardInteractive: async (attempt) =>
      (await attempt.ask("", "", [{ text: "Code", echo: false }]))[0] === "123" ? "accept" : "refuse",
  });
  await dial([
    { method: "password", password: "123" },
    { method: "publickey", signer: keySigner(mine) },
  ]);
  const { methods, publicKey } = await accepted;
  assert.deepEqual(methods, ["publickey", "keyboard-interactive"]);
  assert.deepEqual(publicKey?.key.blob, mine.public.blob);
});

test("keyboard-interactive is closed unless asked for", async () => {
  const { raw, accepted } = join({ ...accepting(), keyboardInteractive: () => Promise.resolve("accept") });
  const { transport, received } = raw();
  transport.send(encodeAuthRequest("alice", "keyboard-interactive").string("").string("").done());
  await settled();
  assert.deepEqual(received.at(-1), Uint8Array.from([51, 0, 0, 0, 9, ...utf8("publickey"), 0]));
  transport.destroy();
  await assert.rejects(accepted, { code: "unauthenticated", message: /left before/ });
});

/** A publickey request by hand. */
function keyRequest(
  transport: MemoryTransport,
  signer: Signer,
  changes: {
    method?: string;
    hostKey?: Uint8Array;
    algorithm?: string;
    sessionId?: Uint8Array;
    query?: boolean;
  } = {},
): Uint8Array {
  const algorithm = changes.algorithm ?? signer.algorithms[0] ?? "";
  const request = encodeAuthRequest("alice", changes.method ?? "publickey")
    .bool(!changes.query)
    .string(algorithm)
    .string(signer.publicBlob);
  if (changes.hostKey) request.string(changes.hostKey);
  if (changes.query) return request.done();
  const data = signedData(changes.sessionId ?? transport.sessionId, request.done());
  return request.string(signer.sign(signer.algorithms[0] as string, data)).done();
}

test("a query is answered and proves nothing; a bad signature is no attempt at all", async () => {
  const attempts: PublicKeyAttempt[] = [];
  const { raw } = join(accepting(attempts));
  const { transport, received, numbers } = raw();
  const signer = keySigner(mine);
  transport.send(keyRequest(transport, signer, { query: true }));
  await settled();
  assert.deepEqual(
    received.at(-1),
    new SshWriter().byte(60).string("ssh-ed25519").string(signer.publicBlob).done(),
  );
  assert.deepEqual(
    attempts.map(({ signed }) => signed),
    [false],
  );
  for (const changes of [
    { sessionId: new Uint8Array(32) },
    { algorithm: "rsa-sha2-256" },
    { algorithm: "ssh-ed25519-cert-v01@openssh.com" },
  ])
    transport.send(keyRequest(transport, signer, changes));
  await settled();
  assert.deepEqual(numbers(), [6, 60, 51, 51, 51]);
  assert.equal(attempts.length, 1);
  transport.send(keyRequest(transport, signer));
  await settled();
  assert.equal(numbers().at(-1), 52);
});

test("a host-bound signature counts for this server's host key only", async () => {
  const { raw } = join(accepting());
  const { transport, numbers } = raw();
  const signer = keySigner(mine);
  transport.send(keyRequest(transport, signer, { method: hostBoundMethod, hostKey: mine.public.blob }));
  transport.send(keyRequest(transport, signer, { method: hostBoundMethod, hostKey: hostKey.publicBlob }));
  await settled();
  assert.deepEqual(numbers(), [6, 51, 52]);
});

test("failures and queries are bounded, with a clear end", async () => {
  const refusing: ServerAuthOptions = { publicKey: () => Promise.resolve("refuse") };
  for (const [count, changes] of [
    [6, {}],
    [21, { query: true }],
  ] as const) {
    const { raw, accepted, transports } = join(refusing);
    const { transport, numbers } = raw();
    for (let i = 0; i < count; i++) {
      transport.send(keyRequest(transport, keySigner(mine), changes));
      if (i % 8 === 0) await settled();
    }
    await assert.rejects(accepted, { code: "unauthenticated", message: "too many authentication failures" });
    await settled();
    assert.equal(numbers().filter((number) => number === 51).length, count - 1);
    assert.deepEqual(transports()?.[1].disconnected, {
      reason: 14,
      message: "Too many authentication failures",
    });
  }
});

test("the grace time ends what does not authenticate", async () => {
  const clock = new TestClock();
  const { raw, accepted } = join({ ...accepting(), graceMs: 5000 }, clock);
  const { transport } = raw();
  await settled();
  clock.advance(5000);
  await assert.rejects(accepted, { code: "timeout" });
  transport.send(keyRequest(transport, keySigner(mine)));
  await settled();
});

test("a decision that fails lets nobody in and tells nothing", async () => {
  const { dial, accepted, transports } = join({
    publicKey: () => Promise.reject(new Error("database gone")),
  });
  await assert.rejects(dial([{ method: "publickey", signer: keySigner(mine) }]));
  await assert.rejects(accepted, /database gone/);
  assert.deepEqual(transports()?.[1].disconnected, {
    reason: 11,
    message: "Authentication is not possible now",
  });
});

test("a banner comes before the first answer, without control characters at the client", async () => {
  const banners: string[] = [];
  const { raw } = join({ ...accepting(), banner: "Line one\nLine two" });
  const { transport, numbers } = raw();
  transport.send(encodeAuthRequest("alice", "none").done());
  transport.send(encodeAuthRequest("alice", "none").done());
  await settled();
  assert.deepEqual(numbers(), [6, 53, 51, 51]);

  const events = { packet: () => undefined, closed: () => undefined };
  const dialled = dialOver(({ events: own }) => {
    const [client, server] = memoryTransports(own, events);
    server.send(new SshWriter().byte(53).string("hi\r\nthere\x1b[31m").string("").done());
    server.send(Uint8Array.of(52));
    return Promise.resolve(client);
  })({
    socket: new Socket(),
    user: "u",
    credentials: [],
    verifyHostKey: () => undefined,
    hostKeyAlgorithms: [],
    clock: systemClock,
    banner: (text) => banners.push(text),
  });
  await assert.rejects(dialled, { code: "protocol", message: /success before any attempt/ });
  assert.deepEqual(banners, ["hi\nthere [31m"]);
});

test("what breaks the protocol before authentication ends it", async () => {
  const faults: [Uint8Array, RegExp][] = [
    [Uint8Array.of(90), /message number 90 before authentication/],
    [encodeService(5, "ssh-connection"), /service other than authentication/],
    [
      new SshWriter().byte(50).string("bob").string("ssh-connection").string("none").done(),
      /user or service changed/,
    ],
    [new SshWriter().byte(50).string("a".repeat(600)).string("x").string("none").done(), /oversized name/],
    [Uint8Array.of(61, 0, 0, 0, 0), /answer to no question/],
    [Uint8Array.of(50, 0, 0, 0, 200), /truncated/],
  ];
  for (const [payload, message] of faults) {
    const { raw, accepted } = join(accepting());
    const { transport } = raw();
    transport.send(encodeAuthRequest("alice", "none").done());
    transport.send(payload);
    await assert.rejects(accepted, { code: "protocol", message });
  }
});
