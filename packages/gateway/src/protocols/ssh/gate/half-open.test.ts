import assert from "node:assert/strict";
import { test } from "node:test";
import { HalfOpen } from "./half-open.ts";

test("when all places are taken the longest waiting makes room", () => {
  const room = new HalfOpen(2, 10);
  const dropped: string[] = [];
  room.admit("a", () => dropped.push("first"));
  const second = room.admit("b", () => dropped.push("second"));
  second?.release();
  room.admit("c", () => dropped.push("third"));
  assert.equal(dropped.length, 0);
  room.admit("d", () => dropped.push("fourth"));
  room.admit("e", () => dropped.push("fifth"));
  assert.deepEqual(dropped, ["first", "third"]);
  assert.equal(room.count, 2);
  assert.equal(room.takeTurnedAway(), 2);
  assert.equal(room.takeTurnedAway(), 0);
});

test("one address cannot take all places, and gets its own back", () => {
  const room = new HalfOpen(10, 2);
  const never = () => assert.fail("nobody has to leave");
  const first = room.admit("a", never);
  assert.ok(first && room.admit("a", never));
  assert.equal(room.admit("a", never), undefined);
  assert.ok(room.admit("b", never));
  first.release();
  first.release();
  assert.ok(room.admit("a", never));
  assert.equal(room.admit("a", never), undefined);
});
