import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { TestClock, utf8 } from "@gatehouse/kernel";
import {
  ChannelLog,
  connectionPair,
  ignoring,
  sessionPair,
  settled,
} from "../../../../../../test/parts/ssh-connections.ts";
import { encodeChannelRequest, encodeDataHead, encodeRecipient, messageNumber } from "./messages.ts";
import { type Channel, type ChannelOpening, type GlobalRequest, openFailure, openReason } from "./mod.ts";

const none = new Uint8Array();

test("data, EOF, requests and close pass in order, both ways", async () => {
  const { near, far } = await sessionPair(connectionPair());
  assert.equal(await near.channel.request("exec", utf8("command")), true);
  assert.deepEqual(Buffer.from(far.requests[0]?.payload ?? none).toString(), "command");
  near.channel.write(utf8("input"));
  near.channel.eof();
  await settled();
  far.channel.write(utf8("out"));
  far.channel.write(utf8("err"), 1);
  far.channel.write(utf8("put"));
  far.channel.notify("exit-status", none);
  far.channel.eof();
  far.channel.close();
  await Promise.all([near.ended, far.ended]);
  assert.deepEqual(near.events, ["data 0", "data 1", "data 0", "exit-status", "eof", "closed"]);
  assert.deepEqual([near.text(0), near.text(1), far.text(0)], ["output", "err", "input"]);
  assert.deepEqual(far.events, ["exec", "data 0", "eof", "closed"]);
  assert.deepEqual([near.channel.bytesIn, near.channel.bytesOut, far.channel.bytesIn], [9, 5, 5]);
});

test("what comes before attach is delivered then, and nothing is lost", async () => {
  const { client, server } = connectionPair();
  let accepted: Channel | undefined;
  server.attach({ ...ignoring, channel: (opening) => (accepted = opening.accept()) });
  const channel = await client.openChannel("session", none);
  const near = new ChannelLog(channel);
  channel.attach(near);
  const answer = assert.rejects(channel.request("exec", none), { code: "cancelled" });
  for (let i = 0; i < 1000; i++) channel.write(Uint8Array.of(i & 0xff));
  channel.eof();
  channel.close();
  await settled();
  const far = new ChannelLog(accepted as Channel);
  far.channel.attach(far);
  await near.ended;
  assert.deepEqual(far.events, ["exec", "data 0", "eof", "closed"]);
  assert.deepEqual(
    Buffer.concat(far.streams.get(0) ?? []),
    Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff)),
  );
  await answer;
});

test("a consumer that does not consume stops the sender at the window", async () => {
  const limits = { windowBytes: 64 * 1024, packetBytesMax: 8 * 1024 };
  const pair = connectionPair({ server: { limits } });
  const { near, far } = await sessionPair(pair, false);
  const sent = randomBytes(200 * 1024);
  assert.equal(near.channel.write(sent), false);
  await settled();
  assert.equal(far.channel.bytesIn, 64 * 1024);
  assert.equal(near.channel.queuedBytes, 136 * 1024);
  assert.equal(near.channel.writable, false);

  far.channel.consumed(31 * 1024);
  await settled();
  assert.equal(far.channel.bytesIn, 64 * 1024, "less than half a window is not given back yet");
  far.channel.consumed(1024);
  await settled();
  assert.equal(far.channel.bytesIn, 96 * 1024);
  let drained = false;
  void near.channel.drained().then(() => (drained = true));
  far.channel.consumed(64 * 1024);
  await settled();
  assert.equal(drained, false);
  far.channel.consumed(64 * 1024);
  await settled();
  assert.equal(drained, true);
  assert.ok(near.events.includes("drain"));
  assert.deepEqual(Buffer.concat(far.streams.get(0) ?? []), sent);
});

test("a socket that does not drain holds the writer, and every channel gets its turn after", async () => {
  const pair = connectionPair();
  pair.clientTransport.highMarkBytes = 100_000;
  const { near: one, far } = await sessionPair(pair);
  const two = new ChannelLog(await pair.client.openChannel("session", none));
  two.channel.attach(two);
  pair.clientTransport.hold(true);
  const bulk = randomBytes(1_000_000);
  assert.equal(one.channel.write(bulk), false);
  assert.ok(pair.clientTransport.backlogBytes < 200_000);
  assert.equal(two.channel.write(utf8("key stroke")), false);
  assert.equal(two.channel.queuedBytes, 10);
  pair.clientTransport.hold(false);
  await one.channel.drained();
  await two.channel.drained();
  await settled();
  assert.equal(
    createHash("sha256")
      .update(Buffer.concat(far.streams.get(0) ?? []))
      .digest("hex"),
    createHash("sha256").update(bulk).digest("hex"),
  );
  const order = pair.clientTransport.sent.filter((payload) => payload[0] === messageNumber.channelData);
  const turn = order.findIndex((payload) => payload.length < 30);
  assert.ok(turn < 10, `the small write left as packet ${turn}`);
});

test("the queue of a channel is bounded", async () => {
  const pair = connectionPair({
    client: { limits: { queueBytesMax: 1000 } },
    server: { limits: { windowBytes: 10 } },
  });
  const { near } = await sessionPair(pair, false);
  near.channel.write(new Uint8Array(1010));
  assert.throws(() => near.channel.write(new Uint8Array(1)), { code: "too_large", op: "ssh.channel.write" });
});

test("close after a queue waits for it, abort does not", async () => {
  for (const way of ["close", "abort"] as const) {
    const pair = connectionPair({ server: { limits: { windowBytes: 10 } } });
    const { near, far } = await sessionPair(pair, false);
    near.channel.write(utf8("0123456789abcdef"));
    near.channel.eof();
    near.channel[way]();
    await settled();
    if (way === "close") {
      assert.deepEqual(far.events, ["data 0"]);
      far.channel.consumed(10);
    }
    await near.ended;
    assert.equal(far.text(), way === "close" ? "0123456789abcdef" : "0123456789");
    assert.equal(pair.client.channelCount + pair.server.channelCount, 0);
  }
});

test("replies leave in the order of the requests, whatever the order of the decisions", async () => {
  const { near, far } = await sessionPair(connectionPair(), false);
  const answers = ["one", "two", "three"].map((type) => near.channel.request(type, none));
  await settled();
  const [one, two, three] = far.requests;
  three?.reply(true);
  one?.reply(false);
  two?.reply(true);
  two?.reply(false);
  assert.deepEqual(await Promise.all(answers), [false, true, true]);
});

test("global requests are answered in order, with data; what the room answers itself keeps its place", async () => {
  const { client, server } = connectionPair();
  const requests: GlobalRequest[] = [];
  server.attach({ ...ignoring, globalRequest: (request) => requests.push(request) });
  const forward = client.globalRequest("tcpip-forward", utf8("where"));
  const keepalive = client.globalRequest("keepalive@openssh.com", none);
  await settled();
  assert.deepEqual(
    requests.map(({ type, payload }) => [type, Buffer.from(payload).toString()]),
    [["tcpip-forward", "where"]],
  );
  requests[0]?.reply(true, Uint8Array.of(0, 0, 31, 144));
  assert.deepEqual(await forward, { ok: true, payload: Uint8Array.of(0, 0, 31, 144) });
  assert.deepEqual(await keepalive, { ok: false, payload: none });
});

test("a refused channel says why", async () => {
  const { client, server } = connectionPair();
  server.attach({
    ...ignoring,
    channel: (opening) => opening.refuse(openReason.connectFailed, "Connection\x1b[2J refused"),
  });
  const error = await client.openChannel("direct-tcpip", none).then(
    () => assert.fail("opened"),
    (reason: unknown) => reason,
  );
  assert.deepEqual(openFailure(error), { reason: 2, description: "Connection [2J refused" });
});

test("openings before attach wait, and their number is bounded", async () => {
  const { client, server } = connectionPair({ server: { limits: { channelsMax: 3 } } });
  const opens = [1, 2, 3].map(() => client.openChannel("session", none));
  await assert.rejects(client.openChannel("session", none), {
    details: { reason: 4, description: "no more than 3 channels at a time" },
  });
  const seen: ChannelOpening[] = [];
  server.attach({ ...ignoring, channel: (opening) => seen.push(opening) });
  assert.equal(seen.length, 3);
  for (const opening of seen) opening.accept();
  assert.equal((await Promise.all(opens)).length, 3);
});

test("no-more-sessions holds for sessions and for nothing else", async () => {
  const { client, server } = connectionPair();
  server.attach({ ...ignoring, channel: (opening) => opening.accept() });
  await client.openChannel("session", none);
  await client.globalRequest("no-more-sessions@openssh.com", none);
  await assert.rejects(client.openChannel("session", none), {
    details: { reason: 1, description: "no more sessions on this connection" },
  });
  await client.openChannel("direct-tcpip", none);
});

test("keepalives: answers keep a connection, silence ends it", async () => {
  const clock = new TestClock();
  const pair = connectionPair({
    clock,
    client: { limits: { keepaliveIntervalMs: 1000, keepaliveCountMax: 2 } },
  });
  const { near } = await sessionPair(pair);
  for (let i = 0; i < 10; i++) {
    clock.advance(1000);
    await settled();
  }
  assert.equal(pair.client.closed, false);
  pair.clientTransport.hold(true);
  clock.advance(4000);
  await near.ended;
  assert.equal(pair.client.closed, true);
  assert.match(near.error?.message ?? "", /did not answer 2 keepalives/);
});

test("abort tells every waiting party, and the peer no more than its own fault", async () => {
  const pair = connectionPair();
  const { near, far } = await sessionPair(pair, false);
  const waiting = [near.channel.request("shell", none), pair.client.openChannel("session", none)];
  const told = Promise.all(waiting.map((promise) => assert.rejects(promise, /journal full/)));
  pair.client.abort(new Error("journal full"));
  await told;
  await far.ended;
  assert.equal(near.error?.message, "journal full");
  assert.deepEqual(pair.clientTransport.disconnected, { reason: 11, message: "the connection was ended" });
});

test("what a peer may not do ends the connection with its name", async () => {
  const head = new Uint8Array(13);
  const data = (recipient: number, bytes: Uint8Array) =>
    Buffer.concat([encodeDataHead(head, recipient, 0, bytes.length), bytes]);
  const faults: [string, Uint8Array[], RegExp][] = [
    [
      "window",
      [data(0, new Uint8Array(90)), data(0, new Uint8Array(11))],
      /11 bytes sent into a window of 10/,
    ],
    ["packet", [data(0, new Uint8Array(97))], /a data packet of 97 bytes, 96 were allowed/],
    ["after EOF", [encodeRecipient(96, 0), data(0, none)], /data after the end/],
    ["EOF twice", [encodeRecipient(96, 0), encodeRecipient(96, 0)], /EOF after the end/],
    ["no channel", [data(9, none)], /channel 9, which is not open/],
    ["no request", [encodeRecipient(99, 0)], /an answer to no request/],
    ["no global request", [Uint8Array.of(81)], /an answer to no global request/],
    ["no opening", [encodeRecipient(92, 5)], /truncated|not asked for/],
    ["number", [Uint8Array.of(200)], /message number 200/],
    ["trailing", [Uint8Array.of(96, 0, 0, 0, 0, 1)], /1 bytes after/],
    ["window size", [Uint8Array.of(93, 0, 0, 0, 0, 255, 255, 255, 255)], /window beyond/],
    [
      "requests",
      Array.from({ length: 5 }, () =>
        encodeChannelRequest({ recipient: 0, type: "x", wantReply: true, payload: none }),
      ),
      /more than 4 requests/,
    ],
  ];
  for (const [name, payloads, message] of faults) {
    const limits = { windowBytes: 100, packetBytesMax: 96, requestsMax: 4 };
    const pair = connectionPair({ server: { limits } });
    const { far } = await sessionPair(pair, false);
    for (const payload of payloads) pair.clientTransport.send(payload);
    await far.ended;
    assert.match(pair.serverTransport.disconnected?.message ?? "", message, name);
    assert.equal(pair.serverTransport.disconnected?.reason, 2, name);
    assert.ok(pair.server.closed);
  }
});

test("a consumer that throws ends its own connection only", async () => {
  const pair = connectionPair();
  const { client, server } = pair;
  const closed = new Promise<Error | undefined>((resolve) =>
    server.attach({
      ...ignoring,
      closed: resolve,
      channel: (opening) => {
        const log = new ChannelLog(opening.accept());
        log.channel.attach({
          data: () => assert.fail("broken consumer"),
          eof() {},
          request() {},
          closed() {},
        });
      },
    }),
  );
  const channel = await client.openChannel("session", none);
  channel.write(utf8("x"));
  assert.match((await closed)?.message ?? "", /broken consumer/);
});
