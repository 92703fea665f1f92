import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "@gatehouse/kernel";
import type { KeyWrap, KeyWrapper } from "@gatehouse/recording";
import { type KeyService, createKeyServiceWatch, kmsWrapper } from "./mod.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const wrap: KeyWrap = { type: "kms", provider: "vault", key: "k", data: "" };

test("key services are asked at a pace, sooner once one failed, and what sessions find counts at once", async () => {
  const clock = new TestClock();
  const told: string[] = [];
  const log = { warn: (text: string) => void told.push(text), info: (text: string) => void told.push(text) };
  const watch = createKeyServiceWatch({ clock, log });
  let asked = 0;
  let down = false;
  const wrapper: KeyWrapper = {
    covers: () => true,
    async wrap() {
      asked++;
      if (down) throw new Error("vault: no answer");
      return wrap;
    },
  };
  const watched = watch.watched({ provider: "vault", key: "k", lane: "main" }, wrapper);
  const strict = watch.watched(
    { provider: "aws", key: "s", lane: "input" },
    { ...wrapper, wrap: async () => wrap },
  );
  const none = { main: false, input: false };
  const reachable = () => watch.status().map((one) => one.reachable);
  assert.deepEqual([reachable(), watch.fault(none)], [[undefined, undefined], undefined]);
  watch.start();
  await settled();
  assert.deepEqual([reachable(), asked], [[true, true], 1]);
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n += 10) {
      clock.advance(10_000);
      await settled();
    }
  };
  await pass(50);
  assert.equal(asked, 1);
  await pass(10);
  assert.equal(asked, 2);

  down = true;
  await assert.rejects(watched.wrap(new Uint8Array(50)), { message: "vault: no answer" });
  assert.deepEqual(reachable(), [false, true]);
  assert.equal(watch.fault(none), "no key service wraps the keys of recordings: vault: no answer");
  assert.equal(watch.fault({ main: true, input: false }), undefined);
  const before = asked;
  await pass(30);
  assert.equal(asked, before + 3);
  assert.equal(watch.status()[0]?.failedForMs, 30_000);
  assert.deepEqual(told, ["a key service does not wrap"]);

  down = false;
  await watched.wrap(new Uint8Array(50));
  assert.deepEqual([reachable(), watch.fault(none)], [[true, true], undefined]);
  assert.deepEqual(watch.status()[0], { provider: "vault", key: "k", lane: "main", reachable: true });
  assert.equal(told.length, 2);
  assert.equal((await strict.wrap(new Uint8Array(50))).type, "kms");
  await watch.stop();
  const last = asked;
  await pass(120);
  assert.equal(asked, last);
});

test("a service that never answers is given up after eight seconds of the clock that is passed in", async () => {
  const clock = new TestClock();
  let told: AbortSignal | undefined;
  const silent: KeyService = {
    provider: "vault",
    owns: () => true,
    seal(_key, _secret, signal) {
      told = signal;
      return new Promise(() => {});
    },
    open: () => new Promise(() => {}),
    fault: (error) => ({ code: "unavailable", name: error instanceof Error ? error.message : "" }),
  };
  const wrapped = assert.rejects(kmsWrapper(silent, "k", { clock }).wrap(new Uint8Array(50)), {
    code: "unavailable",
    message: /no answer within 8 s/,
  });
  clock.advance(7_999);
  await settled();
  assert.equal(told?.aborted, false);
  clock.advance(1);
  await wrapped;
  assert.equal(told?.aborted, true);
});
