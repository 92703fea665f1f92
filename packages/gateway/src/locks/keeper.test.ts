import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, TestClock } from "@gatehouse/kernel";
import { facts } from "../../../recording/src/testing/facts.ts";
import type { AccessRequest, LockEntry, SessionAccess } from "../directory/mod.ts";
import { createLockKeeper } from "./keeper.ts";

const lockOn = (id: string, name: string): LockEntry => ({
  id,
  on: "user",
  name,
  reason: "lost laptop",
  createdBy: "otto",
  createdAtMs: 0,
});

const granted = { id: "request-1" } as AccessRequest;

function stand({ shared, access }: { shared: boolean; access?: SessionAccess }) {
  const clock = new TestClock();
  const inForce: LockEntry[] = [];
  const ended: string[] = [];
  const log: string[] = [];
  const fault = { database: false, audit: false };
  const away = () => new GatehouseError({ code: "unavailable", op: "test", message: "it is away" });
  const keeper = createLockKeeper({
    locks: { inForce: async () => (fault.database ? Promise.reject(away()) : [...inForce]) },
    users: { list: async () => ({ items: [] }) },
    accessRequests: { openOfRole: async (role) => (role === "dba" ? [granted] : []) },
    live: {
      list: () => [],
      async terminate(which, { by, reason }) {
        assert.ok(typeof which === "function");
        if (!which(facts, access)) return [];
        ended.push(`${by.name}: ${reason}`);
        if (fault.audit) throw away();
        return [facts.sessionId];
      },
    },
    shared,
    clock,
    log: { error: (message) => void log.push(message) },
  });
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  return { keeper, inForce, ended, log, fault, pass };
}

test("a lock that another gateway set ends what is live here, once, in its maker's name", async () => {
  const at = stand({ shared: true });
  await at.pass(3);
  at.inForce.push(lockOn("1", facts.user.name), lockOn("2", "somebody else"));
  await at.pass(10);
  assert.deepEqual(at.ended, [`otto: user ${facts.user.name} is locked: lost laptop`]);
  await at.keeper.stop();
});

test("what could not be looked for or told is tried again", async () => {
  const at = stand({ shared: true });
  at.fault.database = true;
  at.inForce.push(lockOn("1", facts.user.name));
  await at.pass(4);
  assert.deepEqual(at.ended, []);
  assert.ok(at.log.length > 0);
  at.fault.database = false;
  at.fault.audit = true;
  await at.pass(4);
  assert.ok(at.ended.length > 1, "an end that the log did not take is asked for again");
  at.fault.audit = false;
  await at.pass(2);
  const before = at.ended.length;
  await at.pass(6);
  assert.equal(at.ended.length, before);
  await at.keeper.stop();
});

test("a locked role ends what lives by it for a time, and not what stands on another right", async () => {
  const lock: LockEntry = { ...lockOn("1", "dba"), on: "role" };
  const by = { id: "o", name: "otto" };
  const byRole = stand({ shared: false, access: { rule: "role-dba", requestId: granted.id } });
  assert.deepEqual(await byRole.keeper.enforce(lock, by), [facts.sessionId]);
  const byRight = stand({ shared: false, access: { rule: "target-allows-person" } });
  assert.deepEqual(await byRight.keeper.enforce(lock, by), []);
  for (const { keeper } of [byRole, byRight]) await keeper.stop();
});

test("a lock of one's own is enforced at once, and alone nothing is looked for", async () => {
  const at = stand({ shared: false });
  at.inForce.push(lockOn("1", facts.user.name));
  await at.pass(5);
  assert.deepEqual(at.ended, []);
  assert.deepEqual(await at.keeper.enforce(lockOn("1", facts.user.name), { id: "o", name: "otto" }), [
    facts.sessionId,
  ]);
  await at.keeper.stop();
});
