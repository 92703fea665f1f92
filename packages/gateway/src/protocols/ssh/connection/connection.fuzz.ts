import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isGatehouseError, systemClock } from "@gatehouse/kernel";
import { memoryTransports } from "../../../../../../test/parts/memory-transport.ts";
import { SshWriter } from "../transport/wire.ts";
import * as auth from "./auth-messages.ts";
import { ClientAuth } from "./client-auth.ts";
import { Connection } from "./connection.ts";
import type { Channel, ChannelEvents } from "./door.ts";
import * as messages from "./messages.ts";
import { ServerAuth } from "./server-auth.ts";
import * as requests from "./session-requests.ts";

/** The connection's own errors, or the one it was aborted with. */
function expected(error: unknown): void {
  assert.ok(
    isGatehouseError(error) || (error instanceof Error && error.message === endOfTest),
    String(error),
  );
}
const endOfTest = "end of test";
const numRuns = Number(process.env.FUZZ_RUNS ?? 300);

test("every decoder ends in a value or a typed error", () => {
  const decoders = [messages, auth, requests].flatMap((module) =>
    Object.entries(module).filter(([name]) => name.startsWith("decode") && name !== "decodePublicKeyFields"),
  ) as [string, (payload: Uint8Array) => unknown][];
  assert.ok(decoders.length > 25);
  fc.assert(
    fc.property(
      fc.constantFrom(...decoders),
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(64),
      ([, decode], bytes, small) => {
        // Random lengths are nearly always too long: small ones get further.
        const payload = Uint8Array.from(bytes);
        for (let at = 1; at + 3 < payload.length; at += small + 4) payload.set([0, 0, 0, small % 8], at);
        try {
          decode(payload);
        } catch (error) {
          assert.ok(isGatehouseError(error), String(error));
        }
      },
    ),
    { numRuns: numRuns * 3 },
  );
});

test("messages survive their own codecs", () => {
  const uint32 = fc.nat(0xffff_ffff);
  const bytes = fc.uint8Array({ maxLength: 50 });
  const name = fc.string({ maxLength: 60 });
  const open = fc.record({
    type: name,
    sender: uint32,
    windowBytes: uint32,
    packetBytesMax: uint32,
    payload: bytes,
  });
  const forwarded = fc.record({ host: name, port: uint32, originHost: name, originPort: uint32 });
  const size = { columns: uint32, rows: uint32, widthPixels: uint32, heightPixels: uint32 };
  const round = <T>(
    value: fc.Arbitrary<T>,
    encode: (value: T) => Uint8Array,
    decode: (payload: Uint8Array) => T,
  ) =>
    fc.assert(
      fc.property(value, (message) => assert.deepEqual(decode(encode(message)), Object.assign({}, message))),
      { numRuns: Math.ceil(numRuns / 5) },
    );
  round(open, messages.encodeChannelOpen, messages.decodeChannelOpen);
  round(
    fc.record({ type: name, wantReply: fc.boolean(), payload: bytes }),
    messages.encodeGlobalRequest,
    messages.decodeGlobalRequest,
  );
  round(
    fc.record({ recipient: uint32, type: name, wantReply: fc.boolean(), payload: bytes }),
    messages.encodeChannelRequest,
    messages.decodeChannelRequest,
  );
  round(
    fc.record({
      recipient: uint32,
      sender: uint32,
      windowBytes: uint32,
      packetBytesMax: uint32,
      payload: bytes,
    }),
    messages.encodeOpenConfirmation,
    messages.decodeOpenConfirmation,
  );
  round(fc.record({ term: name, ...size, modes: bytes }), requests.encodePty, requests.decodePty);
  round(fc.record(size), requests.encodeWindowChange, requests.decodeWindowChange);
  round(forwarded, requests.encodeForwarded, requests.decodeDirectTcpip);
  round(forwarded, requests.encodeForwarded, requests.decodeForwardedTcpip);
  round(
    fc.record({ signal: name, coreDumped: fc.boolean(), message: name }),
    requests.encodeExitSignal,
    requests.decodeExitSignal,
  );
});

/** Messages as a peer might send them in any order, sane ones and broken ones. */
const anyMessage = fc
  .record({
    number: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(80, 81, 82, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100) },
      { weight: 1, arbitrary: fc.nat(255) },
    ),
    channel: fc.nat(3),
    words: fc.array(fc.constantFrom(0, 1, 5, 100, 0xffff_ffff), { minLength: 2, maxLength: 4 }),
    text: fc.constantFrom(
      "session",
      "exec",
      "env",
      "direct-tcpip",
      "keepalive@openssh.com",
      "no-more-sessions@openssh.com",
    ),
    flag: fc.boolean(),
    data: fc.uint8Array({ maxLength: 60 }),
    cut: fc.option(fc.nat(40), { nil: undefined, freq: 15 }),
  })
  .map(({ number, channel, words, text, flag, data, cut }) => {
    const writer = new SshWriter().byte(number);
    const word = (i: number) => words[i % words.length] as number;
    switch (number) {
      case 80:
        writer.string(text).bool(flag).raw(data);
        break;
      case 90:
        writer.string(text).uint32(channel).uint32(word(0)).uint32(word(1)).raw(data);
        break;
      case 91:
        writer.uint32(channel).uint32(word(0)).uint32(word(1)).uint32(word(2)).raw(data);
        break;
      case 92:
        writer.uint32(channel).uint32(word(0)).string(text).string("");
        break;
      case 93:
        writer.uint32(channel).uint32(word(0));
        break;
      case 94:
        writer.uint32(channel).string(data);
        break;
      case 95:
        writer.uint32(channel).uint32(word(0)).string(data);
        break;
      case 98:
        writer.uint32(channel).string(text).bool(flag).raw(data);
        break;
      default:
        writer.uint32(channel);
    }
    return writer.done().slice(0, cut === undefined ? undefined : cut);
  });

/** What our own side does in between. */
const anyDeed = fc.record({
  deed: fc.constantFrom(
    "write",
    "eof",
    "close",
    "abort",
    "request",
    "notify",
    "attach",
    "open",
    "consume",
    "reply",
  ),
  channel: fc.nat(5),
  bytes: fc.nat(300),
});

test("no order of messages crashes the connection, loses its bounds or its books", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(anyMessage, anyDeed), { maxLength: 60 }), async (steps) => {
      const idle = { packet: () => undefined, closed: () => undefined };
      const [transport] = memoryTransports(idle, idle);
      const limits = {
        windowBytes: 200,
        packetBytesMax: 100,
        queueBytesMax: 1000,
        channelsMax: 5,
        requestsMax: 6,
      };
      const connection = new Connection({ role: "server", transport, limits, clock: systemClock });
      const channels: {
        channel: Channel;
        held: number;
        ended: number;
        eofs: number;
        attached: boolean;
        written: boolean;
      }[] = [];
      const replies: ((ok: boolean) => void)[] = [];
      let closes = 0;
      connection.attach({
        channel: (opening) => {
          if (opening.type === "direct-tcpip") return opening.refuse(1, "no");
          channels.push({
            channel: opening.accept(),
            held: 0,
            ended: 0,
            eofs: 0,
            attached: false,
            written: false,
          });
        },
        globalRequest: (request) => replies.push((ok) => request.reply(ok)),
        closed: () => closes++,
      });
      const pending: Promise<unknown>[] = [];
      for (const step of steps) {
        if (step instanceof Uint8Array) {
          connection.packet(step);
          continue;
        }
        const entry = channels[step.channel];
        if (step.deed === "open")
          pending.push(connection.openChannel("session", new Uint8Array()).catch(expected));
        if (step.deed === "reply") replies.shift()?.(true);
        if (!entry) continue;
        const { channel } = entry;
        const events: ChannelEvents = {
          data: (view) => (entry.held += view.length),
          eof: () => entry.eofs++,
          request: (request) => replies.push((ok) => request.reply(ok)),
          closed: () => entry.ended++,
        };
        switch (step.deed) {
          case "attach":
            if (!entry.attached) channel.attach(events);
            entry.attached = true;
            break;
          case "write":
            if (!entry.written && channel.queuedBytes + step.bytes <= 1000)
              channel.write(new Uint8Array(step.bytes), step.bytes & 1);
            break;
          case "eof":
            channel.eof();
            entry.written = true;
            break;
          case "consume":
            channel.consumed(entry.held);
            entry.held = 0;
            break;
          case "request":
            pending.push(channel.request("x", new Uint8Array()).catch(expected));
            break;
          case "notify":
            channel.notify("y", new Uint8Array(step.bytes));
            break;
          case "close":
          case "abort":
            channel[step.deed]();
            break;
          // These are the other side's.
          case "open":
          case "reply":
            break;
        }
        assert.ok(entry.held <= 200, "no more is given than the window");
        assert.ok(channel.queuedBytes <= 1000);
      }
      assert.ok(connection.channelCount <= 5);
      const sentFrom = transport.sent.length;
      connection.abort(new Error(endOfTest));
      assert.equal(closes, 1);
      for (const { channel, attached, ended, eofs } of channels) {
        assert.equal(ended, attached ? 1 : 0, "closed is said once");
        assert.ok(eofs <= 1);
        channel.close();
        channel.notify("late", new Uint8Array());
      }
      assert.equal(transport.sent.length, sentFrom, "nothing is sent after the end");
      await Promise.all(pending);
      // RFC 4254 §5.3: one EOF and one CLOSE a channel at most, and nothing after CLOSE. Numbers of the peer's may be
      // used again, so only our own count of channels bounds them.
      const closesSent = transport.sent.filter(([number]) => number === 97).length;
      assert.ok(closesSent <= channels.length + pending.length);
    }),
    {
      numRuns,
      // A channel that we ask for is confirmed with packets that may hold nothing: whoever waits for it is told.
      examples: [[[{ deed: "open", channel: 0, bytes: 0 }, Uint8Array.of(91, ...new Uint8Array(16))]]],
    },
  );
});

test("no order of messages gets in without a good signature, or crashes the authentication", async () => {
  const request = fc
    .record({
      number: fc.oneof({ weight: 6, arbitrary: fc.constant(50) }, { weight: 1, arbitrary: fc.nat(255) }),
      user: fc.constantFrom("alice", "alice", "alice", "bob"),
      method: fc.constantFrom("none", "publickey", "keyboard-interactive", "password", auth.hostBoundMethod),
      rest: fc.uint8Array({ maxLength: 100 }),
      cut: fc.option(fc.nat(60), { nil: undefined, freq: 10 }),
    })
    .map(({ number, user, method, rest, cut }) =>
      new SshWriter()
        .byte(number)
        .string(user)
        .string("ssh-connection")
        .string(method)
        .raw(rest)
        .done()
        .slice(0, cut === undefined ? undefined : cut),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (payloads) => {
      const idle = { packet: () => undefined, closed: () => undefined };
      const [transport] = memoryTransports(idle, idle);
      let failures = 0;
      const server = new ServerAuth({
        transport,
        hostKeyBlob: undefined,
        clock: systemClock,
        auth: {
          publicKey: () => Promise.resolve("accept"),
          keyboardInteractive: async ({ ask }) => {
            await ask("", "", [{ text: "?", echo: false }]);
            return "refuse";
          },
          firstMethods: ["publickey", "keyboard-interactive"],
        },
        succeeded: () => assert.fail("in without a signature"),
        failed: () => failures++,
      });
      server.packet(auth.encodeService(5, "ssh-userauth"));
      for (const [i, payload] of payloads.entries()) {
        server.packet(payload);
        if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => setImmediate(resolve));
      server.transportClosed(undefined);
      assert.equal(failures, 1, "the end is told once");
      assert.ok(!transport.sent.some(([number]) => number === 52));
    }),
    { numRuns },
  );
});

test("no server makes our client crash, hang on its own words, or give a password that was not asked for", async () => {
  const prompts = fc
    .array(fc.record({ text: fc.constantFrom("Password:", "Code:"), echo: fc.boolean() }), { maxLength: 3 })
    .map((asked) => auth.encodeInfoRequest("", "", asked));
  const failure = fc
    .tuple(fc.subarray(["publickey", "password", "keyboard-interactive"]), fc.boolean())
    .map(([methods, partial]) => auth.encodeAuthFailure(methods, partial));
  const answer = fc.oneof(
    prompts,
    failure,
    failure,
    fc.constant(auth.encodeBanner("hello")),
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc
      .tuple(fc.constantFrom(6, 51, 53, 60, 61), fc.uint8Array({ maxLength: 30 }))
      .map(([n, rest]) => Uint8Array.of(n, ...rest)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { maxLength: 20 }), async (payloads) => {
      const idle = { packet: () => undefined, closed: () => undefined };
      const [transport] = memoryTransports(idle, idle);
      let ends = 0;
      const client = new ClientAuth({
        transport,
        user: "u",
        credentials: [{ method: "password", password: "the secret" }],
        clock: systemClock,
        succeeded: () => ends++,
        failed: () => ends++,
      });
      client.packet(auth.encodeService(6, "ssh-userauth"));
      for (const payload of payloads) client.packet(payload);
      client.transportClosed(undefined);
      assert.equal(ends, 1, "the end is told once");
      const given = transport.sent.filter((payload) => Buffer.from(payload).includes("the secret"));
      assert.ok(given.length <= 1, "the password goes out once at most");
    }),
    { numRuns },
  );
});
