import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GatehouseError, TestClock } from "@gatehouse/kernel";
import { type KexInit, decodeDisconnect, encodeKexInit, messageNumber } from "./messages.ts";
import { ourKexInit } from "./negotiation.ts";
import { type End, hostKey, openClient, openServer } from "./testing/ends.ts";
import { memorySockets } from "./testing/memory-socket.ts";
import { RawEnd } from "./testing/raw-end.ts";
import { SshReader, SshWriter } from "./wire.ts";

const ignore = Buffer.from([messageNumber.ignore, 0, 0, 0, 1, 0x61]);
const data = Buffer.from([94, 1, 2, 3]);

/** A server of ours and a client that does as it is told. */
function serverAndRaw(options: Parameters<typeof openServer>[1] = {}) {
  const { near, far } = memorySockets();
  const server = openServer(far, options);
  // Each test looks at it when its time has come.
  server.catch(() => undefined);
  return { server, raw: new RawEnd("client", near), near, far };
}

async function established(options?: Parameters<typeof openServer>[1]) {
  const { server, raw, near } = serverAndRaw(options);
  raw.keyExchange.start();
  return { server: await server, raw, near };
}

/** A client's KEXINIT without signals, and otherwise as `change` makes it. */
function kexInit(change: Partial<KexInit> = {}): Uint8Array {
  const init = ourKexInit({
    role: "client",
    keyExchanges: ["curve25519-sha256"],
    macs: undefined,
    hostKeyAlgorithms: hostKey.algorithms,
    ciphers: { toServer: ["aes128-gcm@openssh.com"], toClient: ["aes128-gcm@openssh.com"] },
  });
  return encodeKexInit({ ...init, kex: ["curve25519-sha256"], ...change }, new Uint8Array(16));
}

function kexStart(value: Uint8Array): Uint8Array {
  return new SshWriter().byte(messageNumber.kexStart).string(value).done();
}
const basePoint = Buffer.concat([Buffer.of(9), Buffer.alloc(31)]);

async function told(raw: RawEnd): Promise<{ reason: number; description: string }> {
  const disconnect = decodeDisconnect(await raw.message(messageNumber.disconnect));
  await raw.ended();
  return disconnect;
}

async function closedWith(end: End, message: RegExp): Promise<void> {
  const error = await end.closed;
  assert.ok(error instanceof GatehouseError);
  assert.equal(error.code, "protocol");
  assert.equal(error.op, "ssh.transport");
  assert.match(error.message, message);
}

test("a ping is answered with its data, an unknown message with its number, notes with nothing", async () => {
  const { server, raw } = await established();
  raw.sendNow(ignore);
  raw.sendNow(Buffer.from([messageNumber.debug, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
  raw.sendNow(Buffer.from([messageNumber.unimplemented, 0, 0, 0, 9]));
  raw.sendNow(Buffer.from([messageNumber.pong, 0, 0, 0, 0]));
  raw.sendNow(Buffer.from([messageNumber.ping, 0, 0, 0, 2, 7, 8]));
  raw.sendNow(Buffer.from([150]));
  raw.sendNow(data);
  assert.deepEqual(
    await raw.message(messageNumber.pong),
    Buffer.from([messageNumber.pong, 0, 0, 0, 2, 7, 8]),
  );
  // Strict key exchange began to count anew after NEWKEYS: it is the sixth packet.
  assert.deepEqual(
    await raw.message(messageNumber.unimplemented),
    Buffer.from([messageNumber.unimplemented, 0, 0, 0, 5]),
  );
  assert.deepEqual(await server.packets(1), [data]);
  raw.destroy();
});

test("the server's extensions are the first packet under the first keys", async () => {
  const { raw } = await established();
  const extInfo = await raw.message(messageNumber.extInfo);
  const numbers = raw.payloads.map((payload) => payload[0]);
  assert.deepEqual(numbers, [
    messageNumber.kexInit,
    messageNumber.kexReply,
    messageNumber.newKeys,
    messageNumber.extInfo,
  ]);
  const reader = new SshReader(extInfo, 1);
  const names: string[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    names.push(reader.text());
    reader.string();
  }
  reader.end("extensions");
  assert.deepEqual(names, ["server-sig-algs", "ping@openssh.com", "publickey-hostbound@openssh.com"]);
  raw.destroy();
});

describe("strict key exchange", () => {
  test("has KEXINIT first", async () => {
    const { server, raw } = serverAndRaw();
    raw.sendNow(ignore);
    raw.keyExchange.start();
    assert.match((await told(raw)).description, /before KEXINIT/);
    await assert.rejects(server, { code: "protocol" });
  });
  test("has nothing else in between", async () => {
    for (const stray of [ignore, Buffer.from([messageNumber.debug, 0, 0, 0, 0, 0, 0, 0, 0, 0]), data]) {
      const { server, raw } = serverAndRaw();
      raw.keyExchange.start();
      raw.sendNow(stray);
      assert.deepEqual(await told(raw), {
        reason: 2,
        description: `message ${stray[0]} during the strict key exchange`,
      });
      await assert.rejects(server, { code: "protocol", op: "ssh.transport" });
    }
  });
  test("is asked of clients too", async () => {
    const { near, far } = memorySockets();
    const client = openClient(near);
    const raw = new RawEnd("server", far);
    raw.intercept = (payload) => {
      if (payload[0] === messageNumber.kexStart) raw.sendNow(ignore);
      return false;
    };
    await assert.rejects(client, { message: "message 2 during the strict key exchange" });
  });
  test("is not demanded: without it notes are allowed in between", async () => {
    const { raw } = serverAndRaw();
    raw.intercept = () => true;
    raw.sendNow(ignore);
    raw.sendNow(kexInit());
    raw.sendNow(ignore);
    raw.sendNow(kexStart(basePoint));
    await raw.message(messageNumber.newKeys);
    raw.destroy();
  });
});

test("a wrong guess is dropped, a right one is taken", async () => {
  for (const kex of [["unknown-kex", "curve25519-sha256"], ["curve25519-sha256"]]) {
    const { raw } = serverAndRaw({ keyExchanges: ["curve25519-sha256"] });
    raw.intercept = () => true;
    raw.sendNow(kexInit({ kex, guessFollows: true }));
    if (kex.length > 1) raw.sendNow(Buffer.from([messageNumber.kexStart, 1, 2, 3]));
    raw.sendNow(kexStart(basePoint));
    await raw.message(messageNumber.kexReply);
    raw.destroy();
  }
});

describe("the server refuses", () => {
  const cases: [name: string, act: (raw: RawEnd) => void, reason: number, message: RegExp][] = [
    ["data before there are keys", (raw) => raw.sendNow(data), 2, /message 94 during the key exchange/],
    ["an answer where a question belongs", (raw) => raw.sendNow(Buffer.of(31)), 2, /message 31/],
    ["NEWKEYS out of turn", (raw) => raw.sendNow(Buffer.of(messageNumber.newKeys)), 2, /message 21/],
    [
      "a second KEXINIT",
      (raw) => {
        raw.sendNow(kexInit());
        raw.sendNow(kexInit());
      },
      2,
      /message 20/,
    ],
    [
      "a point of small order",
      (raw) => {
        raw.sendNow(kexInit());
        raw.sendNow(kexStart(Buffer.alloc(32)));
      },
      3,
      /X25519/,
    ],
    [
      "a value of another length",
      (raw) => {
        raw.sendNow(kexInit());
        raw.sendNow(kexStart(Buffer.alloc(31, 9)));
      },
      3,
      /31 bytes/,
    ],
    ["a KEXINIT that ends early", (raw) => raw.sendNow(kexInit().subarray(0, 60)), 2, /truncated/],
    [
      "a KEXINIT that goes on",
      (raw) => raw.sendNow(Buffer.concat([kexInit(), Buffer.of(1)])),
      2,
      /1 bytes after/,
    ],
    ["nothing in common", (raw) => raw.sendNow(kexInit({ kex: ["x"] })), 3, /no common key exchange/],
    [
      "no compression in common",
      (raw) => raw.sendNow(kexInit({ compressionToServer: ["zlib"] })),
      3,
      /compression/,
    ],
    ["a length of 4 GiB", (raw) => raw.sendRaw(Buffer.alloc(16, 0xff)), 2, /bad length/],
    [
      "more than it needs before the keys",
      (raw) => raw.sendRaw(Buffer.from("0000fffc", "hex")),
      2,
      /bad length/,
    ],
    ["a length off the block", (raw) => raw.sendRaw(Buffer.from("0000000d00000000", "hex")), 2, /bad length/],
    [
      "too little padding",
      (raw) => raw.sendRaw(Buffer.from("0000000c030200000000000000000000", "hex")),
      2,
      /padding/,
    ],
    [
      "only padding",
      (raw) => raw.sendRaw(Buffer.from("0000000c0b0200000000000000000000", "hex")),
      2,
      /padding/,
    ],
    [
      "more padding than packet",
      (raw) => raw.sendRaw(Buffer.from("0000000cff0200000000000000000000", "hex")),
      2,
      /padding/,
    ],
    [
      "a chatterer",
      (raw) => {
        for (let i = 0; i < 65; i++) raw.sendNow(ignore);
      },
      2,
      /too many packets/,
    ],
  ];
  for (const [name, act, reason, message] of cases)
    test(name, async () => {
      const { server, raw } = serverAndRaw();
      raw.intercept = () => true;
      act(raw);
      const disconnect = await told(raw);
      assert.equal(disconnect.reason, reason);
      assert.match(disconnect.description, message);
      await assert.rejects(server, { code: "protocol" });
    });

  test("what is no SSH", async () => {
    for (const [text, message] of [
      ["GET / HTTP/1.1\r\n", /does not speak SSH/],
      ["SSH-1.5-old\r\n", /version 2/],
      ["SSH-2.0-\u0000\r\n", /printable/],
      [`SSH-2.0-${"x".repeat(300)}`, /too long/],
      ["x".repeat(300), /too long/],
    ] as const) {
      const { near, far } = memorySockets();
      const server = openServer(far);
      near.resume();
      near.write(text);
      await assert.rejects(server, { code: "protocol", message });
    }
  });
});

describe("after the first keys", () => {
  test("a rekey lets nothing else pass", async () => {
    const { server, raw } = await established();
    raw.keyExchange.start();
    raw.sendNow(data);
    assert.match((await told(raw)).description, /message 94 during the key exchange/);
    await closedWith(server, /message 94/);
    assert.deepEqual(server.received, []);
  });

  test("data that the peer sent before it saw our KEXINIT is taken", async () => {
    const clock = new TestClock();
    const { server, raw } = await established({ clock, rekeyIntervalMs: 1000 });
    raw.intercept = (payload) => {
      // Late: data first, then the peer's part of the exchange.
      if (payload[0] === messageNumber.kexInit) raw.sendNow(data);
      return false;
    };
    clock.advance(1000);
    server.transport.send(Buffer.from([95, 1]));
    assert.deepEqual(await server.packets(1), [data]);
    assert.deepEqual(await raw.message(95), Buffer.from([95, 1]));
    const numbers = raw.payloads.map((payload) => payload[0]);
    // What was sent during the exchange came after its NEWKEYS; there is no second EXT_INFO.
    assert.deepEqual(numbers.slice(4), [20, 31, 21, 95]);
    raw.destroy();
  });

  test("a forged packet says only that it was one", async () => {
    const { server, raw } = await established();
    raw.sendRaw(Buffer.concat([Buffer.from([0, 0, 0, 32]), Buffer.alloc(48, 7)]));
    assert.deepEqual(await told(raw), { reason: 5, description: "a packet failed authentication" });
    await closedWith(server, /failed authentication/);
  });

  test("a peer that asks and never reads is cut off", async () => {
    const { server, raw, near } = await established();
    near.pause();
    const ping = Buffer.concat([Buffer.from([messageNumber.ping, 0, 1, 0, 0]), Buffer.alloc(65_536)]);
    // Twice what is allowed to wait.
    for (let i = 0; i < 256; i++) {
      raw.sendNow(ping);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closedWith(server, /not read/);
    raw.destroy();
  });

  test("the end of the stream within a packet is no orderly end", async () => {
    const { server, raw, near } = await established();
    raw.sendRaw(Buffer.from([0, 0, 0, 32, 1, 2]));
    await new Promise((resolve) => setImmediate(resolve));
    near.end();
    const error = await server.closed;
    assert.ok(error instanceof GatehouseError);
    assert.equal(error.code, "unavailable");
  });

  test("the end between packets is one", async () => {
    const { server, near } = await established();
    near.end();
    assert.equal(await server.closed, undefined);
  });
});

describe("the client refuses", () => {
  const cases: [name: string, change: (reply: Buffer) => Buffer, message: RegExp][] = [
    ["a wrong signature", (reply) => flipped(reply, reply.length - 1), /signature is wrong/],
    ["another host key", (reply) => flipped(reply, 1 + 4 + 4 + 11 + 4 + 3), /signature is wrong/],
    ["a host key of another type", (reply) => flipped(reply, 1 + 4 + 4 + 5), /not of the agreed type/],
    ["an answer that goes on", (reply) => Buffer.concat([reply, Buffer.of(0)]), /1 bytes after/],
  ];
  for (const [name, change, message] of cases)
    test(name, async () => {
      const { near, far } = memorySockets();
      let asked = false;
      const client = openClient(near, { verifyHostKey: () => void (asked = true) });
      const raw = new RawEnd("server", far);
      const sendNow = raw.sendNow.bind(raw);
      raw.sendNow = (payload) =>
        sendNow(payload[0] === messageNumber.kexReply ? change(Buffer.from(payload)) : payload);
      await assert.rejects(client, { code: "protocol", message });
      assert.equal(asked, false, "the key's owner was not proven");
    });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}
