import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";

export type StoreUnderTest = {
  store: ObjectStore;
  nowMs(): number;
  /** Moves time beyond a retention that the tests set; absent where the backend's own clock decides. */
  advance?(ms: number): void;
  cleanup(): Promise<void>;
};

export type StoreConformance = {
  name: string;
  make(): Promise<StoreUnderTest>;
  /** What the backend here must refuse by itself; what it merely may refuse is left out. */
  enforces?: { overwrite?: boolean; deletion?: boolean };
  /** Whether it keeps a hold by itself. */
  holds: "backend" | "gatehouse";
  /** Problems that a probe is right to find here, such as an emulator's. */
  problems?: readonly RegExp[];
  /** A reason not to run, such as a program that is not installed. */
  skip?: string;
};

const minuteMs = 60_000;
const coded = (code: string) => (error: unknown) => isGatehouseError(error) && error.code === code;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What every store must do. A backend calls this from its own test file. */
export function storeConformance(suite: StoreConformance): void {
  const check = (what: string, body: (under: StoreUnderTest) => Promise<void>): void =>
    void test(`${suite.name}: ${what}`, { skip: suite.skip ?? false }, async () => {
      const under = await suite.make();
      try {
        await body(under);
      } finally {
        await under.cleanup();
      }
    });
  const soon = (under: StoreUnderTest) => ({ retainUntilMs: under.nowMs() + minuteMs });

  check("what was created is read back, whole and in ranges", async (under) => {
    const { store } = under;
    for (const [key, length] of Object.entries({
      "a/empty": 0,
      "a/one": 1,
      "a/b/many": 3 * 1024 * 1024 + 7,
    })) {
      const bytes = Buffer.alloc(length, key);
      await store.create(key, bytes, soon(under));
      assert.deepEqual(Buffer.from(await store.read(key)), bytes);
      assert.deepEqual(await store.stat(key), { bytes: length, sha256: sha256(bytes) });
    }
    const many = Buffer.alloc(3 * 1024 * 1024 + 7, "a/b/many");
    for (const [start, end] of [
      [0, 10],
      [1024 * 1024 - 3, 2 * 1024 * 1024 + 5],
      [many.length - 1, many.length],
      [many.length - 5, many.length + 100],
    ] as const)
      assert.deepEqual(Buffer.from(await store.read("a/b/many", { start, end })), many.subarray(start, end));
  });

  check("the caller's buffer is its own again afterwards", async (under) => {
    const bytes = Buffer.from("first");
    await under.store.create("k", bytes, soon(under));
    bytes.fill(0);
    assert.equal(Buffer.from(await under.store.read("k")).toString(), "first");
  });

  check("an existing key is a conflict and its object unchanged", async (under) => {
    const { store } = under;
    await store.create("a/key", Buffer.from("first"), soon(under));
    await assert.rejects(store.create("a/key", Buffer.from("second"), soon(under)), coded("conflict"));
    await assert.rejects(store.create("a/key", Buffer.from("first"), soon(under)), coded("conflict"));
    assert.equal(Buffer.from(await store.read("a/key")).toString(), "first");
  });

  check("of many who create one key at once, one succeeds", async (under) => {
    const { store } = under;
    const texts = Array.from({ length: 8 }, (_, i) => `writer ${i}`);
    const results = await Promise.allSettled(
      texts.map((text) => store.create("race", Buffer.from(text), soon(under))),
    );
    const winners = texts.filter((_, i) => results[i]?.status === "fulfilled");
    assert.equal(winners.length, 1);
    for (const result of results)
      if (result.status === "rejected") assert.ok(coded("conflict")(result.reason));
    assert.equal(Buffer.from(await store.read("race")).toString(), winners[0]);
  });

  check("what is not there is not found", async ({ store }) => {
    await assert.rejects(store.read("a/none"), coded("not_found"));
    await assert.rejects(store.read("a/none", { start: 0, end: 1 }), coded("not_found"));
    await assert.rejects(store.stat("a/none"), coded("not_found"));
    await assert.rejects(store.remove("a/none"), coded("not_found"));
    assert.deepEqual(await store.list("a/none/"), []);
  });

  check("a listing is complete, in order, and continues where it stopped", async (under) => {
    const { store } = under;
    const keys = [
      "r/2026/01/s1/000000.seg",
      "r/2026/01/s1/000001.seg",
      "r/2026/01/s1.x",
      "r/2026/01/s10/m",
      "r/2025/z",
      "rx",
      "q",
    ];
    for (const key of keys) await store.create(key, Buffer.from(key), soon(under));
    const sorted = [...keys].sort();
    assert.deepEqual(await store.list(""), sorted);
    assert.deepEqual(
      await store.list("r/"),
      sorted.filter((key) => key.startsWith("r/")),
    );
    assert.deepEqual(
      await store.list("r/2026/01/s1"),
      sorted.filter((key) => key.startsWith("r/2026/01/s1")),
    );
    const paged: string[] = [];
    for (;;) {
      const after = paged.at(-1);
      const page = await store.list("", after === undefined ? { limit: 2 } : { limit: 2, after });
      assert.ok(page.length <= 2);
      if (page.length === 0) break;
      paged.push(...page);
    }
    assert.deepEqual(paged, sorted);
  });

  check("keys that are none are refused, by every call", async (under) => {
    const { store } = under;
    const bad = [
      "",
      "/",
      "/a",
      "a/",
      "a//b",
      "../a",
      "a/../b",
      "a/./b",
      ".hidden",
      "a b",
      "a\\b",
      "ä",
      "a\0b",
      "x".repeat(600),
    ];
    for (const key of bad) {
      await assert.rejects(store.create(key, Buffer.from("x"), soon(under)), coded("invalid"), key);
      await assert.rejects(store.read(key), coded("invalid"), key);
      await assert.rejects(store.stat(key), coded("invalid"), key);
      await assert.rejects(store.remove(key), coded("invalid"), key);
    }
    for (const prefix of ["../", "/", "a/../", "a//"])
      await assert.rejects(store.list(prefix), coded("invalid"), prefix);
  });

  check("nothing is removed before its retention has ended", async (under) => {
    const { store } = under;
    await store.create("kept", Buffer.from("kept"), soon(under));
    await assert.rejects(store.remove("kept"), coded("denied"));
    assert.equal(Buffer.from(await store.read("kept")).toString(), "kept");
    if (!under.advance) return;
    under.advance(minuteMs + 1);
    await store.remove("kept");
    await assert.rejects(store.read("kept"), coded("not_found"));
    assert.deepEqual(await store.list(""), []);
  });

  check("what is held is not removed, also after its retention, until it is let go", async (under) => {
    const { store } = under;
    await store.create("a/held", Buffer.from("held"), { retainUntilMs: under.nowMs() - 1000 });
    await store.create("a/free", Buffer.from("free"), { retainUntilMs: under.nowMs() - 1000 });
    await assert.rejects(store.hold("a/none", true), coded("not_found"));
    await assert.rejects(store.retention("a/none"), coded("not_found"));
    await assert.rejects(store.hold("../a", true), coded("invalid"));
    const kept = await store.hold("a/held", true);
    assert.equal(kept, suite.holds);
    // Twice is once.
    assert.equal(await store.hold("a/held", true), suite.holds);
    assert.equal((await store.retention("a/free")).held, false);
    if ((await store.retention("a/held")).held) {
      await assert.rejects(store.remove("a/held"), coded("denied"));
      assert.equal(Buffer.from(await store.read("a/held")).toString(), "held");
    } else assert.equal(kept, "gatehouse");
    await store.remove("a/free");
    await store.hold("a/held", false);
    await store.hold("a/held", false);
    assert.equal((await store.retention("a/held")).held, false);
    assert.deepEqual(await store.list(""), ["a/held"]);
    await store.remove("a/held");
    await assert.rejects(store.retention("a/held"), coded("not_found"));
  });

  check("it is told until when an object is kept", async (under) => {
    const { store } = under;
    const untilMs = under.nowMs() + minuteMs;
    await store.create("kept", Buffer.from("kept"), { retainUntilMs: untilMs });
    const found = await store.retention("kept");
    assert.equal(found.held, false);
    // Some keep whole seconds; none keeps it for less than was asked.
    assert.ok(found.untilMs >= untilMs && found.untilMs < untilMs + 1000, `${found.untilMs} for ${untilMs}`);
  });

  check("a probe says what is enforced and leaves nothing among the recordings", async ({ store }) => {
    const probe = await store.probe();
    assert.notEqual(probe.overwrite, "none");
    if (suite.enforces?.overwrite) assert.equal(probe.overwrite, "backend");
    if (suite.enforces?.deletion) assert.equal(probe.deletion, "backend");
    const problems = probe.findings.filter((finding) => finding.level === "problem");
    const expected = suite.problems ?? [];
    const unexpected = problems.filter(({ message }) => !expected.some((pattern) => pattern.test(message)));
    assert.deepEqual(unexpected, []);
    assert.equal(problems.length, expected.length);
    assert.deepEqual(await store.list("recordings/"), []);
  });
}
