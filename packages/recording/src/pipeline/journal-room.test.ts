import assert from "node:assert/strict";
import { test } from "node:test";
import { JournalRoom } from "./journal-room.ts";

test("a reserve is its session's alone; what is common goes to whoever comes first", () => {
  const space = { freeBytes: 100, capacityBytes: 100 };
  const room = new JournalRoom(space, 1_000);
  const [a, b] = [room.sit(30), room.sit(30)];
  assert.ok(a && b);
  assert.equal(room.sit(50), undefined, "only 40 are left");
  assert.equal(room.heldBytes, 60);
  // 30 of its own, 40 that are common, and nothing of the other's.
  assert.ok(a.take(70));
  space.freeBytes = 30;
  assert.equal(a.take(1), false);
  assert.ok(b.take(30));
  space.freeBytes = 0;
  assert.equal(b.take(1), false);
  a.give(70);
  space.freeBytes = 70;
  assert.ok(b.take(40), "30 are held for the other again");
  space.freeBytes = 30;
  assert.equal(b.take(1), false);
  a.leave();
  space.freeBytes = 30;
  assert.ok(b.take(30));
  b.give(100);
  b.leave();
  assert.equal(room.heldBytes, 0);
  assert.equal(room.takenBytes, 0);
});

test("memory has a limit of its own, and both are pressed before they are full", () => {
  const room = new JournalRoom({ freeBytes: 1_000_000, capacityBytes: 1_000_000 }, 1_000);
  const seat = room.sit(100);
  assert.ok(seat);
  assert.ok(seat.take(700));
  assert.equal(room.pressed, false);
  assert.ok(seat.take(100));
  assert.equal(room.pressed, true);
  assert.equal(seat.take(300), false);
  assert.equal(new JournalRoom({ freeBytes: 24, capacityBytes: 100 }, 1_000).pressed, true);
});
