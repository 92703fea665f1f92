import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "./testing/temporary.ts";

const began = { method: "link", remoteAddress: "192.0.2.1", userAgent: "curl" };

test("a link lets one person in, once, until it expires", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { users, loginLinks } = directory;
  const { id: userId } = await users.create({ name: "jane", roles: [] });
  const expiresAtMs = clock.nowMs() + 60_000;
  await loginLinks.create({ hash: "h1", userId, expiresAtMs });
  await loginLinks.create({ hash: "h2", userId, expiresAtMs });
  const both = await Promise.all([loginLinks.consume("h1"), loginLinks.consume("h1")]);
  assert.deepEqual(both, [userId, undefined]);
  assert.equal(await loginLinks.consume("other"), undefined);
  clock.advance(60_000);
  assert.equal(await loginLinks.consume("h2"), undefined);
});

test("a web session is good until it expires or is revoked", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { users, webSessions } = directory;
  const { id: userId } = await users.create({ name: "jane", roles: [] });
  const expiresAtMs = clock.nowMs() + 60_000;
  const session = await webSessions.create({ hash: "a", userId, expiresAtMs, ...began });
  for (const hash of ["b", "c"]) await webSessions.create({ hash, userId, expiresAtMs, ...began });
  clock.advance(1000);
  await webSessions.seen("a");
  assert.deepEqual(await webSessions.byHash("a"), { ...session, lastSeenAtMs: clock.nowMs() });
  await webSessions.revoke("a");
  assert.equal(await webSessions.byHash("a"), undefined);
  assert.ok(await webSessions.byHash("b"));
  await webSessions.revokeOfUser(userId);
  assert.equal(await webSessions.byHash("b"), undefined);
  await webSessions.create({ hash: "d", userId, expiresAtMs, ...began });
  clock.advance(60_000);
  assert.equal(await webSessions.byHash("d"), undefined);
});
