import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { GatehouseError, TestClock, systemRandom } from "@gatehouse/kernel";
import fc from "fast-check";
import { certificateSigner, generateKey, issueCertificate, keySigner } from "../keys/mod.ts";
import { cipherNames } from "./cipher-suites.ts";
import { keyExchangeNames } from "./key-exchange-methods.ts";
import { messageNumber } from "./messages.ts";
import { type End, hostKey, openClient, openPair, openServer } from "./testing/ends.ts";
import { memorySockets } from "./testing/memory-socket.ts";

const channelData = 94;

function payload(text: string): Buffer {
  return Buffer.concat([Buffer.of(channelData), Buffer.from(text)]);
}

/** Sends both ways and compares. */
async function exchange({ server, client }: { server: End; client: End }, text = "hello"): Promise<void> {
  const [atServer, atClient] = [server.received.length, client.received.length];
  client.transport.send(payload(`${text} server`));
  server.transport.send(payload(`${text} client`));
  assert.deepEqual((await server.packets(atServer + 1))[atServer], payload(`${text} server`));
  assert.deepEqual((await client.packets(atClient + 1))[atClient], payload(`${text} client`));
}

async function closePair({ server, client }: { server: End; client: End }): Promise<void> {
  client.transport.disconnect(11, "done");
  assert.equal(await server.closed, undefined);
  assert.equal(await client.closed, undefined);
}

describe("two ends agree", () => {
  for (const kex of keyExchangeNames)
    test(`by ${kex}`, async () => {
      const pair = await openPair({ client: { keyExchanges: [kex] } });
      assert.equal(pair.client.transport.negotiated.kex, kex);
      assert.deepEqual(pair.client.transport.sessionId, pair.server.transport.sessionId);
      await exchange(pair);
      await closePair(pair);
    });

  for (const cipher of cipherNames)
    test(`on ${cipher}`, async () => {
      const pair = await openPair({ client: { ciphers: [cipher] } });
      const { cipherIn, cipherOut, macIn } = pair.server.transport.negotiated;
      assert.deepEqual([cipherIn, cipherOut], [cipher, cipher]);
      assert.equal(macIn, cipher.endsWith("-ctr") ? "hmac-sha2-256-etm@openssh.com" : "implicit");
      await exchange(pair);
      await closePair(pair);
    });

  for (const type of ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"] as const)
    test(`with a host key of ${type} and its certificate`, async () => {
      const key = generateKey(type);
      const plain = keySigner(key);
      const line = issueCertificate({
        ca: hostKey,
        key: key.public,
        kind: "host",
        keyId: "test",
        principals: ["gate"],
        validAfter: 0n,
        validBefore: 2n ** 40n,
        serial: 1n,
        random: systemRandom,
      });
      const certified = certificateSigner(key, line);
      for (const signer of [plain, certified])
        for (const algorithm of signer.algorithms) {
          const seen: Uint8Array[] = [];
          const pair = await openPair({
            server: { hostKeys: [plain, certified] },
            client: { hostKeyAlgorithms: [algorithm], verifyHostKey: (blob) => void seen.push(blob) },
          });
          assert.equal(pair.client.transport.negotiated.hostKey, algorithm);
          assert.deepEqual(seen.map(Buffer.from), [Buffer.from(signer.publicBlob)]);
          await closePair(pair);
        }
    });
});

test("the peers know each other's names and the server's signature algorithms", async () => {
  const pair = await openPair({ client: { identification: "SSH-2.0-Other_1 with words" } });
  await exchange(pair);
  assert.equal(pair.server.transport.peerIdentification, "SSH-2.0-Other_1 with words");
  assert.equal(pair.client.transport.peerIdentification, "SSH-2.0-Gatehouse");
  assert.deepEqual(pair.client.transport.peerSignatureAlgorithms?.toSorted(), [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "ssh-ed25519",
  ]);
  await closePair(pair);
});

test("payloads arrive equal and in order, in whatever chunks TCP makes of them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 30_000, maxLength: 70_000 })),
        {
          maxLength: 12,
        },
      ),
      fc.constantFrom(...cipherNames),
      fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 70_000 }))),
      async (bodies, cipher, sizes) => {
        const shape = (bytes: Buffer) => {
          const pieces: Buffer[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value as number;
            pieces.push(bytes.subarray(at, at + size));
            at += size;
          }
          return pieces;
        };
        const pair = await openPair({
          client: { ciphers: [cipher] },
          shapeToServer: shape,
          shapeToClient: shape,
        });
        const head = Uint8Array.of(channelData, 1, 2, 3, 4);
        for (const [i, body] of bodies.entries()) {
          pair.client.transport.sendParts(head, body);
          pair.server.transport.send(Buffer.concat([head, body]));
          if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        const expected = bodies.map((body) => Buffer.concat([head, body]));
        assert.deepEqual(await pair.server.packets(bodies.length), expected);
        assert.deepEqual(await pair.client.packets(bodies.length), expected);
        await closePair(pair);
      },
    ),
    { numRuns: 10 },
  );
});

test("every byte by itself is enough of a chunk", async () => {
  const shape = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.of(byte));
  for (const cipher of cipherNames) {
    const pair = await openPair({
      client: { ciphers: [cipher] },
      shapeToServer: shape,
      shapeToClient: shape,
    });
    await exchange(pair);
    await closePair(pair);
  }
});

describe("keys are renewed", () => {
  for (const cipher of ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"])
    test(`after so many bytes, while both sides keep sending on ${cipher}`, async () => {
      let verified = 0;
      const pair = await openPair({
        server: { rekeyBytes: 100_000 },
        client: { rekeyBytes: 70_000, ciphers: [cipher], verifyHostKey: async () => void verified++ },
      });
      const first = Buffer.from(pair.client.transport.sessionId);
      const bodies = Array.from({ length: 200 }, (_, i) => Buffer.alloc(5_000, i));
      const head = Uint8Array.of(channelData);
      for (const body of bodies) {
        pair.client.transport.sendParts(head, body);
        pair.server.transport.sendParts(head, body);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const expected = bodies.map((body) => Buffer.concat([head, body]));
      assert.deepEqual(await pair.server.packets(bodies.length), expected);
      assert.deepEqual(await pair.client.packets(bodies.length), expected);
      assert.ok(verified > 5, `${verified} exchanges`);
      assert.deepEqual(Buffer.from(pair.client.transport.sessionId), first);
      await closePair(pair);
    });

  for (const side of ["server", "client"] as const)
    test(`after so long, by the ${side}, and what is sent meanwhile follows`, async () => {
      const clock = new TestClock();
      let verified = 0;
      const renewing = { clock, rekeyIntervalMs: 60_000 };
      const pair = await openPair({
        server: side === "server" ? renewing : {},
        client: { ...(side === "client" ? renewing : {}), verifyHostKey: () => void verified++ },
      });
      await exchange(pair);
      for (let i = 2; i < 5; i++) {
        clock.advance(60_000);
        await exchange(pair, `exchange ${i}`);
        // The last NEWKEYS may still be on its way.
        await exchange(pair, `again ${i}`);
        assert.equal(verified, i);
      }
      await closePair(pair);
    });

  test("or the connection ends, when the peer never takes part", async () => {
    const clock = new TestClock();
    const { near, far } = memorySockets();
    const [server, client] = await Promise.all([
      openServer(far, { clock, rekeyIntervalMs: 1_000 }),
      openClient(near),
    ]);
    client.transport.pause();
    clock.advance(1_000);
    clock.advance(120_000);
    const error = await server.closed;
    assert.ok(error instanceof GatehouseError);
    assert.equal(error.code, "timeout");
    client.transport.destroy();
  });
});

test("a producer is told to stop, and when to go on", async () => {
  const { server, client } = await openPair();
  server.transport.pause();
  const body = new Uint8Array(32_768);
  let sent = 0;
  while (!client.transport.congested) {
    client.transport.sendParts(Uint8Array.of(channelData), body);
    sent++;
    if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(client.transport.backlogBytes > 1024 * 1024);
  let drained = false;
  const wait = client.transport.drained().then(() => (drained = true));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(drained, false);
  assert.equal(client.transport.congested, true);
  server.transport.resume();
  await wait;
  assert.ok(client.transport.backlogBytes <= 256 * 1024);
  assert.equal(client.transport.congested, false);
  assert.equal((await server.packets(sent)).length, sent);
  await closePair({ server, client });
});

test("nothing is delivered while paused, not even what arrived in the same chunk", async () => {
  const { server, client } = await openPair();
  server.onPacket = () => server.transport.pause();
  for (let i = 0; i < 5; i++) client.transport.send(payload(`packet ${i}`));
  for (let i = 1; i <= 5; i++) {
    await server.packets(i);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.received.length, i);
    server.transport.resume();
  }
  assert.deepEqual(
    server.received.map(String),
    [0, 1, 2, 3, 4].map((i) => String(payload(`packet ${i}`))),
  );
  await closePair({ server, client });
});

test("what the peer sends right after its keys waits for whoever opened the transport", async () => {
  const { near, far } = memorySockets();
  const serving = openServer(far);
  const client = await openClient(near);
  client.transport.send(payload("early"));
  const server = await serving;
  assert.deepEqual(server.received, []);
  assert.deepEqual(await server.packets(1), [payload("early")]);
  await closePair({ server, client });
});

test("a disconnect carries its reason; one by the application is the orderly end", async () => {
  const { server, client } = await openPair();
  client.transport.disconnect(2, "so there\u001b[31m");
  const error = await server.closed;
  assert.ok(error instanceof GatehouseError);
  assert.equal(error.code, "protocol");
  assert.equal(error.message, "the far side disconnected: so there?[31m");
  assert.deepEqual(error.details, { reason: 2, byPeer: true });
  assert.equal(await client.closed, undefined);
});

test("what was sent before a disconnect still arrives", async () => {
  const { server, client } = await openPair();
  const body = Buffer.alloc(32_768, 1);
  for (let i = 0; i < 20; i++) client.transport.sendParts(Uint8Array.of(channelData), body);
  client.transport.disconnect(11, "done");
  assert.equal((await server.packets(20)).length, 20);
  assert.equal(await server.closed, undefined);
});

test("a disconnect in the middle of a rekey waits for its end, and for what was sent before", async () => {
  const clock = new TestClock();
  const { server, client } = await openPair({ client: { clock, rekeyIntervalMs: 1_000 } });
  clock.advance(1_000);
  client.transport.send(payload("last words"));
  client.transport.disconnect(11, "done");
  client.transport.send(payload("too late"));
  assert.equal(await server.closed, undefined);
  assert.deepEqual(server.received, [payload("last words")]);
  assert.equal(await client.closed, undefined);
});

test("a transport that was destroyed says and hears no more", async () => {
  const { server, client } = await openPair();
  server.transport.send(payload("on its way"));
  client.transport.destroy();
  client.transport.send(payload("too late"));
  client.transport.disconnect(11, "too late");
  client.transport.pause();
  client.transport.resume();
  await client.transport.drained();
  assert.equal(await client.closed, undefined);
  await server.closed;
  assert.deepEqual([...client.received, ...server.received], []);
});

test("a callback that throws ends the connection, not the process", async () => {
  const { server, client } = await openPair();
  server.onPacket = () => {
    throw new Error("a secret of ours");
  };
  client.transport.send(payload("x"));
  const error = await server.closed;
  assert.ok(error instanceof GatehouseError);
  assert.equal(error.code, "internal");
  const told = await client.closed;
  assert.equal((told as Error).message, "the far side disconnected: internal error");
});

describe("opening fails", () => {
  test("when the host key is refused, with the caller's own error", async () => {
    for (const refuse of [
      () => {
        throw new GatehouseError({ code: "denied", op: "test", message: "not this key" });
      },
      async () => {
        throw new GatehouseError({ code: "denied", op: "test", message: "not this key" });
      },
    ]) {
      const { near, far } = memorySockets();
      const server = openServer(far);
      const client = openClient(near, { verifyHostKey: refuse });
      await assert.rejects(client, { code: "denied", message: "not this key" });
      await assert.rejects(server, { message: "the far side disconnected: not this key" });
    }
  });

  test("when nothing is common, and says what each side has", async () => {
    const { near, far } = memorySockets();
    const server = openServer(far, { ciphers: ["aes256-ctr"] });
    const client = openClient(near, { ciphers: ["aes128-ctr"] });
    const message = "no common cipher: the client has aes128-ctr, the server has aes256-ctr";
    await assert.rejects(Promise.any([server, client]), (error: AggregateError) => {
      for (const one of error.errors as Error[]) assert.ok(one.message.endsWith(message), one.message);
      return true;
    });
  });

  test("when the peer says nothing for too long", async () => {
    const clock = new TestClock();
    const { far } = memorySockets();
    const server = openServer(far, { clock, handshakeTimeoutMs: 3_000 });
    clock.advance(3_000);
    await assert.rejects(server, { code: "timeout", message: "the SSH handshake took longer than 3000 ms" });
    assert.equal(far.destroyed, true);
  });

  test("when the connection ends in the middle", async () => {
    const { near, far } = memorySockets();
    const server = openServer(far);
    near.end("SSH-2.0-Half\r\n");
    await assert.rejects(server, { code: "unavailable" });
  });
});

test("a client without AES-GCM gets what it has, one with it gets it though it prefers another", async () => {
  for (const [offered, chosen] of [
    [
      ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"],
      "aes256-gcm@openssh.com",
    ],
    [["chacha20-poly1305@openssh.com", "aes256-ctr"], "chacha20-poly1305@openssh.com"],
    [["aes256-ctr", "chacha20-poly1305@openssh.com"], "aes256-ctr"],
  ] as const) {
    const pair = await openPair({ client: { ciphers: offered } });
    assert.equal(pair.client.transport.negotiated.cipherOut, chosen);
    assert.equal(pair.client.transport.negotiated.cipherIn, chosen);
    await closePair(pair);
  }
});

test("a client that waits for the server's list gets it after a moment", async () => {
  const clock = new TestClock();
  const { near, far } = memorySockets();
  const server = openServer(far, { clock });
  server.catch(() => undefined);
  near.write("SSH-2.0-Shy\r\n");
  const [line] = (await once(near, "data")) as [Buffer];
  assert.equal(line.toString(), "SSH-2.0-Gatehouse\r\n");
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(500);
  const [init] = (await once(near, "data")) as [Buffer];
  assert.equal(init[5], messageNumber.kexInit);
  near.destroy();
  await assert.rejects(server, { code: "unavailable" });
});
