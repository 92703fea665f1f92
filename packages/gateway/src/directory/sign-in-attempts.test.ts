import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "./testing/temporary.ts";

const about = (name: string, free: number) => ({
  about: name,
  shutMs: (failures: number) => (failures < free ? 0 : 1000 * 2 ** (failures - free)),
});

test("attempts are counted before they are made, many at once too, and shut what failed too often", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { signInAttempts: attempts } = directory;
  const jane = about("jane", 3);
  const at = clock.nowMs();
  const together = await Promise.all(Array.from({ length: 6 }, () => attempts.take([jane])));
  assert.equal(together.filter((one) => one === undefined).length, 3);
  assert.deepEqual(
    together.find((one) => one !== undefined),
    { shutUntilMs: at + 1000 },
  );
  assert.equal(await attempts.take([about("otto", 3)]), undefined, "nobody else waits");
  clock.advance(1000);
  assert.equal(await attempts.take([jane]), undefined);
  assert.deepEqual(await attempts.take([jane]), { shutUntilMs: clock.nowMs() + 2000 });
  await attempts.forget("jane");
  assert.equal(await attempts.take([jane]), undefined);
});

test("where one is shut, nothing is counted for the other", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { signInAttempts: attempts } = directory;
  await attempts.take([about("address", 1)]);
  for (let i = 0; i < 5; i++)
    assert.deepEqual(await attempts.take([about("jane", 2), about("address", 1)]), {
      shutUntilMs: clock.nowMs() + 1000,
    });
  assert.equal(await attempts.take([about("jane", 2)]), undefined, "the first attempt of jane's");
});

test("one success takes back one attempt, and a day of quiet all", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { signInAttempts: attempts } = directory;
  const office = about("office", 2);
  await attempts.take([office]);
  await attempts.take([office]);
  await attempts.giveBack("office");
  assert.equal(await attempts.take([office]), undefined);
  assert.ok(await attempts.take([office]), "one failure was left");
  clock.advance(24 * 3_600_000);
  assert.equal(await attempts.take([office]), undefined);
  assert.equal(await attempts.take([about("office", 3)]), undefined, "counted from one again");
});
