import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import { PacketSplitter, encodePacket, packetBytesMax } from "./packets.ts";

/** A splitter that wants messages whole that begin with `w`, and counts those with `r`; and all that it gave out. */
function open(wholeBytesMax = 100) {
  const given: string[] = [];
  const counted: Uint8Array[] = [];
  const forwarded: Uint8Array[] = [];
  const boundaries: boolean[] = [];
  const splitter = new PacketSplitter({
    op: "mysql.test",
    wholeBytesMax,
    sink: {
      begins(first, bytes, sequence) {
        given.push(`${first === -1 ? "-" : String.fromCharCode(first)}${bytes}#${sequence}`);
        return first === 0x77 ? "whole" : first === 0x72 ? "count" : "pass";
      },
      whole(payload, raw, sequence) {
        given.push(`${Buffer.from(payload.subarray(0, 20)).toString()}#${sequence}`);
        forwarded.push(raw);
      },
      pass(raw, _sequence, inside, isCounted) {
        forwarded.push(Uint8Array.from(raw));
        if (isCounted) counted.push(Uint8Array.from(raw));
        boundaries.push(inside);
      },
    },
  });
  return {
    splitter,
    given,
    boundaries,
    forwarded: () => Buffer.concat(forwarded),
    counted: () => Buffer.concat(counted),
  };
}
const packet = (sequence: number, text: string) => encodePacket(sequence, Buffer.from(text));

test("messages are the same wherever the chunks are split, and the bytes go on as they came", () => {
  const bytes = Buffer.concat([
    packet(0, "row one"),
    packet(1, "whole"),
    packet(2, ""),
    packet(3, "row two"),
    packet(4, "w"),
    packet(5, "whole again"),
    packet(255, "last row"),
  ]);
  for (let cut = 1; cut < bytes.length; cut++)
    for (const step of [cut, 1]) {
      const { splitter, given, boundaries, forwarded, counted } = open();
      for (let at = 0; at < bytes.length; at += step) splitter.feed(bytes.subarray(at, at + step));
      assert.deepEqual(
        given,
        ["r7#0", "w5#1", "whole#1", "-0#2", "r7#3", "w1#4", "w#4", "w11#5", "whole again#5", "l8#255"],
        `cut at ${cut}`,
      );
      assert.deepEqual(forwarded(), bytes);
      assert.deepEqual(counted(), Buffer.concat([packet(0, "row one"), packet(3, "row two")]));
      assert.equal(boundaries.at(-1), false);
      assert.equal(splitter.heldBytes, 0);
      assert.equal(splitter.givenAtBoundary, true);
    }
});

test("a message of several packets is one: gathered without its headers, or passed as it comes", () => {
  for (const first of ["w", "r"]) {
    const payload = Buffer.alloc(packetBytesMax * 2 + 5, first);
    const bytes = encodePacket(254, payload);
    const { splitter, given, forwarded } = open(0x300_0000);
    for (let at = 0; at < bytes.length; at += 65_537) splitter.feed(bytes.subarray(at, at + 65_537));
    splitter.feed(packet(0, "next"));
    const head = `${first}${packetBytesMax}#254`;
    assert.deepEqual(given, first === "w" ? [head, `${"w".repeat(20)}#0`, "n4#0"] : [head, "n4#0"]);
    assert.deepEqual(forwarded(), Buffer.concat([bytes, packet(0, "next")]));
  }
});

test("one of exactly the longest packet ends with an empty one", () => {
  const bytes = encodePacket(0, Buffer.alloc(packetBytesMax, "w"));
  assert.equal(bytes.length, packetBytesMax + 8);
  const { splitter, given } = open(0x200_0000);
  splitter.feed(bytes.subarray(0, -4));
  assert.equal(given.length, 1);
  splitter.feed(bytes.subarray(-4));
  assert.deepEqual(given, [`w${packetBytesMax}#0`, `${"w".repeat(20)}#1`]);
});

test("a claim beyond the limit is refused by its header, before anything is kept", () => {
  const tooLarge = (error: unknown) => isGatehouseError(error, "too_large");
  const one = open(100);
  assert.throws(() => one.splitter.feed(Buffer.from([101, 0, 0, 0, 0x77])), tooLarge);
  assert.equal(one.splitter.heldBytes, 0);
  // The limit is of the whole message: each of its packets is below it.
  const many = open(packetBytesMax + 100);
  const first = encodePacket(0, Buffer.alloc(packetBytesMax + 10, "w"));
  many.splitter.feed(first.subarray(0, packetBytesMax + 4));
  assert.throws(() => many.splitter.feed(Buffer.from([200, 0, 0, 1])), tooLarge);
});
