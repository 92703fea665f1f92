import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TestClock, isGatehouseError } from "@gatehouse/kernel";
import fc from "fast-check";
import { type KexInit, encodeKexInit, messageNumber } from "./messages.ts";
import { PacketReader } from "./packet-reader.ts";
import { End, hostKey } from "./testing/ends.ts";
import { memorySockets } from "./testing/memory-socket.ts";
import { RawEnd } from "./testing/raw-end.ts";
import { openTransport } from "./transport.ts";
import { SshReader, SshWriter } from "./wire.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
/** A connection costs a key exchange: fewer of those. */
const connectionRuns = Math.max(20, Math.ceil(numRuns / 5));

/** What a peer does that knows some SSH and means no good. */
type Step =
  | { do: "bytes"; bytes: Uint8Array }
  | { do: "packet"; payload: Uint8Array }
  | { do: "lie"; length: number; bytes: Uint8Array }
  | { do: "init" }
  | { do: "rekey" }
  | { do: "turn" };

const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ minLength: 1000, maxLength: 3000 }));
const number = fc.oneof(
  fc.constantFrom(...Object.values(messageNumber)),
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(50, 52, 80, 90, 94),
);
/** Right at the start, anything later. */
const payload = fc
  .tuple(number, fc.array(fc.oneof(strings(), bytes), { maxLength: 8 }))
  .map(([first, parts]) => Buffer.concat([Buffer.of(first), ...parts]));
function strings(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    bytes.map((body) => new SshWriter(body.length + 4).string(body).done()),
    fc.nat().map((value) => new SshWriter(4).uint32(value).done()),
  );
}
const name = fc.constantFrom(
  "curve25519-sha256",
  "mlkem768x25519-sha256",
  "ssh-ed25519",
  "aes128-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "hmac-sha2-256",
  "none",
  "zlib",
  "",
  "kex-strict-c-v00@openssh.com",
  "kex-strict-s-v00@openssh.com",
  "ext-info-c",
);
const names = fc.array(name, { maxLength: 6 });
const kexInit: fc.Arbitrary<KexInit> = fc.record({
  kex: names,
  hostKey: names,
  cipherToServer: names,
  cipherToClient: names,
  macToServer: names,
  macToClient: names,
  compressionToServer: names,
  compressionToClient: names,
  guessFollows: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  bytes.map((b): Step => ({ do: "bytes", bytes: b })),
  payload.map((p): Step => ({ do: "packet", payload: p })),
  kexInit.map((init): Step => ({ do: "packet", payload: encodeKexInit(init, new Uint8Array(16)) })),
  fc
    .tuple(fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 40_000 })), bytes)
    .map(([length, b]): Step => ({ do: "lie", length, bytes: b })),
  fc.constantFrom<Step>({ do: "init" }, { do: "rekey" }, { do: "turn" }, { do: "turn" }),
);

/** Few enough for a turn to be short, enough for every promise and write in it. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** One change of one packet of the peer's part in the first key exchange. */
type Mutation = { packet: number; at: number; cut: boolean; insert: Uint8Array };

function mutate(payload: Uint8Array, { at, cut, insert }: Mutation): Buffer {
  const where = 1 + (at % payload.length);
  return Buffer.concat([
    payload.subarray(0, where),
    insert,
    cut ? new Uint8Array(0) : payload.subarray(where + insert.length),
  ]);
}

async function attack(
  role: "server" | "client",
  handshake: "honest" | "none" | Mutation,
  steps: readonly Step[],
): Promise<void> {
  const { near, far } = memorySockets();
  const clock = new TestClock();
  const end = new End();
  const common = { socket: far, events: end.events, clock };
  let outcome: "pending" | "open" | "refused" = "pending";
  const errors: unknown[] = [];
  const opened = (
    role === "server"
      ? openTransport({ ...common, role, hostKeys: [hostKey] })
      : openTransport({ ...common, role, hostKeyAlgorithms: hostKey.algorithms, verifyHostKey() {} })
  ).then(
    async () => {
      outcome = "open";
      errors.push(await end.closed);
    },
    (error: unknown) => {
      outcome = "refused";
      errors.push(error);
    },
  );
  const raw = new RawEnd(role === "server" ? "client" : "server", near);
  // Whatever our end answers is of no interest to this peer, even when it cannot read it any more.
  const own = (act: () => void) => {
    try {
      act();
    } catch (error) {
      assert.ok(isGatehouseError(error), String(error));
    }
  };
  const listener = near.listeners("data")[0] as (chunk: Buffer) => void;
  near.removeAllListeners("data");
  near.on("data", (chunk: Buffer) => own(() => listener(chunk)));
  if (handshake === "none") raw.intercept = () => true;
  else {
    if (handshake !== "honest") {
      const sendNow = raw.sendNow.bind(raw);
      let packet = 0;
      raw.sendNow = (sent) => sendNow(packet++ === handshake.packet ? mutate(sent, handshake) : sent);
    }
    own(() => raw.keyExchange.start());
    await turns(6);
    if (handshake === "honest") assert.equal(outcome, "open");
  }
  for (const one of steps) {
    switch (one.do) {
      case "bytes":
        raw.sendRaw(one.bytes);
        break;
      case "packet":
        if (one.payload.length > 0) own(() => raw.sendNow(one.payload));
        break;
      case "lie": {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(one.length);
        raw.sendRaw(Buffer.concat([length, one.bytes]));
        break;
      }
      case "init":
      case "rekey":
        own(() => raw.keyExchange.start());
        break;
      case "turn":
        await turns(1);
        break;
    }
  }
  await turns(3);
  // What still waits for the peer gives up in time.
  clock.advance(20_000);
  raw.destroy();
  await turns(2);
  clock.advance(5_000);
  await opened;
  for (const error of errors)
    assert.ok(
      error === undefined ||
        (isGatehouseError(error) && ["protocol", "timeout", "unavailable"].includes(error.code)),
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  assert.equal(far.destroyed, true);
}

for (const role of ["server", "client"] as const)
  describe(`our ${role} survives`, () => {
    test("whoever does not speak SSH", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(bytes, { maxLength: 10 }), async (chunks) => {
          const { near, far } = memorySockets();
          const clock = new TestClock();
          const end = new End();
          const common = { socket: far, events: end.events, clock };
          const opened =
            role === "server"
              ? openTransport({ ...common, role, hostKeys: [hostKey] })
              : openTransport({ ...common, role, hostKeyAlgorithms: hostKey.algorithms, verifyHostKey() {} });
          near.resume();
          const refused = assert.rejects(opened, (error) => isGatehouseError(error));
          for (const chunk of chunks) near.write(chunk);
          await turns(2);
          clock.advance(20_000);
          near.destroy();
          await refused;
        }),
        { numRuns },
      );
    });

    test("anything before the keys", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => attack(role, "none", steps)),
        { numRuns: connectionRuns },
      );
    });

    test("a changed packet of the key exchange", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            packet: fc.integer({ min: 0, max: 3 }),
            at: fc.nat(3000),
            cut: fc.boolean(),
            insert: fc.uint8Array({ maxLength: 8 }),
          }),
          (mutation) => attack(role, mutation, []),
        ),
        { numRuns: connectionRuns },
      );
    });

    test("anything after the keys", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => attack(role, "honest", steps)),
        { numRuns: connectionRuns },
      );
    });
  });

test("packets announced and never sent take no memory", () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 34_992 }), fc.array(bytes, { maxLength: 4 }), (length, chunks) => {
      const before = process.memoryUsage().arrayBuffers;
      const readers = Array.from({ length: 100 }, () => new PacketReader(() => undefined));
      const head = Buffer.alloc(4);
      head.writeUInt32BE(length - ((length + 4) % 8) + 8);
      for (const reader of readers) {
        try {
          reader.push(head);
          for (const chunk of chunks) reader.push(Buffer.from(chunk));
        } catch (error) {
          assert.ok(isGatehouseError(error, "protocol"));
        }
      }
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown < 100 * 2 * 65_536, `${grown} bytes`);
    }),
    { numRuns: Math.min(numRuns, 100) },
  );
});

test("the data types read back what was written, and refuse the rest as a protocol error", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 20 }),
      (wire, reads) => {
        const reader = new SshReader(wire);
        try {
          for (const read of reads) {
            const value = [
              () => reader.byte(),
              () => reader.bool(),
              () => reader.uint32(),
              () => reader.uint64(),
              () => reader.string(),
              () => reader.text(),
              () => reader.nameList(),
              () => reader.mpint(),
            ][read]?.();
            if (read === 4) assert.ok((value as Uint8Array).length <= wire.length);
          }
        } catch (error) {
          assert.ok(isGatehouseError(error, "protocol"), String(error));
        }
        assert.ok(reader.at <= wire.length);
      },
    ),
    { numRuns },
  );
});
