import assert from "node:assert/strict";
import { test } from "node:test";
import { GatehouseError, TestClock, isGatehouseError } from "@gatehouse/kernel";
import { createLocalAccounts } from "./local-accounts.ts";

/** Counted, not timed: what is asked of the database and of argon2 for one attempt. */
test("the same work is done for an unknown name, a wrong password, none at all and a shut account", async () => {
  const people = ["ann", "without", "gone"].map((name) => ({
    id: `id-${name}`,
    name,
    displayName: name,
    roles: ["user"],
    disabled: name === "gone",
    createdAtMs: 0,
  }));
  const work: string[] = [];
  const accounts = createLocalAccounts({
    users: {
      byId: async () => assert.fail("nobody is looked up by id"),
      async byName(name) {
        work.push("person");
        return people.find((one) => one.name === name);
      },
    },
    passwords: {
      async ofUser(id) {
        work.push("password");
        return id === "id-without" || id === "" ? undefined : { stored: "kept", changedAtMs: 0 };
      },
      set: async () => assert.fail(),
      rehash: async () => assert.fail(),
      remove: async () => assert.fail(),
    },
    webSessions: { revokeOfUser: async () => assert.fail() },
    hashes: {
      hash: async () => assert.fail(),
      async verify(stored, password) {
        work.push("argon2");
        return { ok: stored !== undefined && password === "right" };
      },
    },
    attempts: {
      async begin(account, address) {
        work.push(`attempt from ${address}${account === "" ? " of nobody" : ""}`);
        return { succeeded: async () => void work.push("no failure") };
      },
    },
    webSignIn: {
      async begin() {
        work.push("refused");
        throw new GatehouseError({ code: "denied", op: "test", message: "ann is locked" });
      },
      failed: async (_name, { error }) => void work.push(`audited: ${error}`),
    },
    audit: { append: async () => assert.fail() },
    clock: new TestClock(),
    passwordsOpen: true,
  });
  const done: string[][] = [];
  for (const [name, password] of [
    ["ann", "wrong"],
    ["without", "right"],
    ["gone", "right"],
    ["nobody", "right"],
    ["__proto__", "right"],
  ] as const) {
    work.length = 0;
    await assert.rejects(
      accounts.signInByPassword(name, password, { remoteAddress: "192.0.2.1", userAgent: "" }),
      (error) => isGatehouseError(error, "unauthenticated") && error.message === "wrong name or password",
    );
    done.push([...work]);
  }
  for (const one of done)
    assert.deepEqual(one, [
      "attempt from 192.0.2.1",
      "person",
      "password",
      "argon2",
      "audited: wrong name or password",
    ]);
  // Somebody locked who gives the right password has not guessed: the next one must not have to wait for it.
  work.length = 0;
  await assert.rejects(
    accounts.signInByPassword("ann", "right", { remoteAddress: "192.0.2.1", userAgent: "" }),
    (error) => isGatehouseError(error, "denied"),
  );
  assert.deepEqual(work.slice(-3), ["argon2", "no failure", "refused"]);
});
