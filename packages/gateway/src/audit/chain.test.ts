import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type ChainLink, ChainWalk, genesisHash, hashOf, linkAfter, linkInLine } from "./chain.ts";

function chainOf(events: readonly Record<string, unknown>[]): ChainLink[] {
  const links: ChainLink[] = [];
  for (const event of events) links.push(linkAfter(links.at(-1), event));
  return links;
}
function faultsOf(links: readonly ChainLink[], known?: { index: number; hash: string }[]) {
  const walk = new ChainWalk(known);
  for (const link of links) walk.step(link);
  walk.finish();
  return walk.faults.map(({ kind, index }) => `${kind} ${index}`);
}
const five = chainOf([0, 1, 2, 3, 4].map((n) => ({ event: "e", n })));
const at = (n: number) => five[n] as ChainLink;

test("the hash is over the previous hash's bytes and the canonical JSON", () => {
  const [first, second] = five as [ChainLink, ChainLink];
  assert.equal(first.body, `{"event":"e","index":0,"n":0,"prev_hash":"${genesisHash}"}`);
  assert.equal(first.hash, createHash("sha256").update(Buffer.alloc(32)).update(first.body).digest("hex"));
  assert.equal(second.prevHash, first.hash);
  assert.equal(
    second.hash,
    createHash("sha256").update(Buffer.from(first.hash, "hex")).update(second.body).digest("hex"),
  );
});

test("an untouched chain has no fault, also against a known head", () => {
  assert.deepEqual(faultsOf(five), []);
  assert.deepEqual(faultsOf(five, [at(4), at(2)]), []);
  assert.deepEqual(faultsOf([]), []);
});

test("each kind of tampering is found and named", () => {
  const altered = { ...at(2), body: at(2).body.replace('"n":2', '"n":9') };
  assert.deepEqual(faultsOf([at(0), at(1), altered, at(3), at(4)]), ["altered 2"]);
  const rehashed = { ...altered, hash: hashOf(altered.prevHash, altered.body) };
  assert.deepEqual(faultsOf([at(0), at(1), rehashed, at(3), at(4)]), ["broken 3"]);
  assert.deepEqual(faultsOf([at(0), at(1), at(3), at(4)]), ["missing 2"]);
  assert.deepEqual(faultsOf([at(0), at(3), at(4)]), ["missing 1"]);
  assert.deepEqual(faultsOf([at(1), at(2), at(3), at(4)]), ["missing 0"]);
  assert.deepEqual(faultsOf([at(0), { ...at(3), index: 1 }, at(2), { ...at(1), index: 3 }, at(4)]), [
    "moved 1",
    "broken 2",
    "moved 3",
    "broken 4",
  ]);
  assert.deepEqual(faultsOf([at(0), at(2), at(1), at(3), at(4)]), ["missing 1", "moved 1", "missing 2"]);
  assert.deepEqual(faultsOf([at(0), at(1), at(2)]), [], "alone, a chain that was cut off is a chain");
  assert.deepEqual(faultsOf([at(0), at(1), at(2)], [at(4)]), ["truncated 3"]);
  assert.deepEqual(faultsOf([], [at(4)]), ["truncated 0"]);
  const anew = chainOf([0, 1, 2, 3, 5].map((n) => ({ event: "e", n })));
  assert.deepEqual(faultsOf(anew), []);
  assert.deepEqual(faultsOf(anew, [at(4)]), ["replaced 4"]);
});

test("columns that do not say what the event says are found", () => {
  const walk = new ChainWalk();
  walk.step(at(0), { event: "e", n: 0, absent: null });
  walk.step(at(1), { event: "other", n: 7 });
  assert.deepEqual(walk.faults, [
    { kind: "altered", index: 1, message: "event 1 was altered: event, n in its row" },
  ]);
});

test("any change to any chain is found when its head is known", () => {
  const changes = fc.oneof(
    fc.record({ how: fc.constant("drop" as const), where: fc.nat() }),
    fc.record({ how: fc.constant("swap" as const), where: fc.nat(), other: fc.nat() }),
    fc.record({ how: fc.constant("edit" as const), where: fc.nat(), to: fc.jsonValue() }),
    fc.record({ how: fc.constant("double" as const), where: fc.nat() }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.stringMatching(/^f_[a-z]{1,8}$/), fc.jsonValue()), {
        minLength: 1,
        maxLength: 12,
      }),
      changes,
      (events, change) => {
        const links = chainOf(events);
        const head = links.at(-1) as ChainLink;
        assert.deepEqual(faultsOf(links, [head]), []);
        assert.deepEqual(
          faultsOf(
            links.map((link) =>
              linkInLine(JSON.stringify({ ...(JSON.parse(link.body) as object), hash: link.hash })),
            ),
          ),
          [],
        );
        const where = change.where % links.length;
        const changed = [...links];
        const picked = links[where] as ChainLink;
        switch (change.how) {
          case "drop":
            changed.splice(where, 1);
            break;
          case "swap": {
            const other = change.other % links.length;
            if (other === where) return;
            changed[where] = { ...(links[other] as ChainLink), index: where };
            changed[other] = { ...picked, index: other };
            break;
          }
          case "edit": {
            const body = JSON.stringify({ ...(JSON.parse(picked.body) as object), edited: change.to });
            changed[where] = { ...picked, body, hash: hashOf(picked.prevHash, body) };
            break;
          }
          case "double":
            changed.splice(where, 0, picked);
            break;
        }
        assert.notDeepEqual(faultsOf(changed, [head]), []);
      },
    ),
  );
});

test("a line that is no event is a fault, not a failure", () => {
  for (const line of ["", "x", "[]", "null", "{}", '{"index":0}', '{"index":0,"hash":"zz","prev_hash":"zz"}'])
    assert.notDeepEqual(faultsOf([linkInLine(line)]), [], line);
});
