import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock, isGatehouseError } from "@gatehouse/kernel";
import { cipherNames } from "./cipher-suites.ts";
import { type End, openClient, openServer } from "./testing/ends.ts";
import { type Shape, memorySockets } from "./testing/memory-socket.ts";

/** Flips one bit of the byte at `at` of all that passes. */
function flip(at: number, bit: number): Shape {
  let seen = 0;
  return (bytes) => {
    const here = at - seen;
    seen += bytes.length;
    if (here < 0 || here >= bytes.length) return [bytes];
    const copy = Buffer.from(bytes);
    copy[here] = (copy[here] as number) ^ (1 << bit);
    return [copy];
  };
}

const settings = { keyExchanges: ["curve25519-sha256"], identification: "SSH-2.0-A" };
const sent = [1, 2, 3].map((i) => Buffer.concat([Buffer.of(94), Buffer.alloc(i * 40, i)]));

/** A whole connection with one damaged byte; says how many bytes each way it would have had. */
async function damaged(fields: { cipher: string; toServer?: Shape; toClient?: Shape }) {
  const { cipher, toServer = (b: Buffer) => [b], toClient = (b: Buffer) => [b] } = fields;
  const length = { toServer: 0, toClient: 0 };
  const { near, far } = memorySockets({
    near: (bytes) => ((length.toServer += bytes.length), toServer(bytes)),
    far: (bytes) => ((length.toClient += bytes.length), toClient(bytes)),
  });
  const clock = new TestClock();
  const options = { ...settings, clock, ciphers: [cipher] };
  const opening: Promise<End>[] = [openServer(far, options), openClient(near, options)];
  const ends: End[] = [];
  const errors: unknown[] = [];
  const live = opening.map((open) =>
    open.then(
      (end) => {
        ends.push(end);
        for (const payload of sent) end.transport.send(payload);
        return end.closed.then((error) => void (error && errors.push(error)));
      },
      (error: unknown) => void errors.push(error),
    ),
  );
  // All turns that anything needs; then the time that a peer waits for bytes which never come.
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  const handshake = { ...length };
  clock.advance(20_000);
  for (const end of ends) end.transport.disconnect(11, "done");
  clock.advance(5_000);
  near.destroy();
  far.destroy();
  await Promise.all(live);
  return { ends, errors, length: handshake };
}

/** What came is a beginning of what was sent, and every error is one of ours. */
function checkHarm({ ends, errors }: Awaited<ReturnType<typeof damaged>>): void {
  for (const end of ends) assert.deepEqual(end.received, sent.slice(0, end.received.length));
  for (const error of errors)
    assert.ok(
      isGatehouseError(error) && ["protocol", "timeout", "unavailable"].includes(error.code),
      String(error),
    );
}

for (const cipher of cipherNames)
  test(`a flipped bit never passes on ${cipher}`, async () => {
    const { length, ends } = await damaged({ cipher });
    assert.deepEqual(
      ends.map((end) => end.received.length),
      [3, 3],
    );
    for (const [direction, bytes] of Object.entries(length)) {
      // Every byte that is encrypted is tried by the fuzzer's longer run, here the last packets and a sample.
      const every = process.env["FUZZ_RUNS"] === undefined ? 61 : 1;
      for (let at = bytes - 1; at >= 0; at -= at > bytes - 60 ? Math.min(every, 5) : every) {
        const shape = flip(at, at % 8);
        const harm = await damaged(
          direction === "toServer" ? { cipher, toServer: shape } : { cipher, toClient: shape },
        );
        checkHarm(harm);
        const whole = harm.ends.length === 2 && harm.ends.every((end) => end.received.length === sent.length);
        // Only the random padding of the packets before the keys is protected by nothing (RFC 4253 §6).
        if (at >= bytes - 60) assert.ok(!whole, `byte ${at} of ${bytes} ${direction} was flipped unnoticed`);
      }
    }
  });
