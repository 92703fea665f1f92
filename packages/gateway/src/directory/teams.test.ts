import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import { temporaryDirectory } from "./testing/temporary.ts";

test("a team is found as it was created, with its members by name, and changed in parts", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const { teams, users } = directory;
  const zoe = await users.create({ name: "zoe", roles: [] });
  const adam = await users.create({ name: "adam", roles: [] });
  const web = await teams.create({
    name: "web",
    members: [
      { userId: zoe.id, leads: true },
      { userId: adam.id, leads: false },
    ],
  });
  assert.deepEqual(web, {
    id: web.id,
    name: "web",
    description: "",
    members: [
      { userId: adam.id, name: "adam", leads: false },
      { userId: zoe.id, name: "zoe", leads: true },
    ],
    createdAtMs: clock.nowMs(),
  });
  assert.deepEqual(await teams.byId(web.id), web);
  assert.deepEqual(await teams.byName("web"), web);
  assert.equal(await teams.byName("Web"), undefined);
  const described = await teams.update(web.id, { description: "Web servers" });
  assert.deepEqual(described, { ...web, description: "Web servers" });
  const handedOver = await teams.update(web.id, { members: [{ userId: adam.id, leads: true }] });
  assert.deepEqual(handedOver.members, [{ userId: adam.id, name: "adam", leads: true }]);
  assert.deepEqual(await teams.ofUser(zoe.id), []);
  await assert.rejects(teams.create({ name: "web" }), (error) => isGatehouseError(error, "conflict"));
  await assert.rejects(teams.update("none", {}), (error) => isGatehouseError(error, "not_found"));
});

test("a team with a member who is nobody, or twice there, is not made at all", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { teams, users } = directory;
  const { id } = await users.create({ name: "ann", roles: [] });
  for (const members of [
    [{ userId: "nobody", leads: false }],
    [
      { userId: id, leads: false },
      { userId: id, leads: true },
    ],
  ])
    await assert.rejects(teams.create({ name: "web", members }), (error) =>
      isGatehouseError(error, "conflict"),
    );
  assert.deepEqual(await teams.list(), { items: [] });
});

test("somebody's teams go with the team, and lists go by name", async (context) => {
  const { directory } = await temporaryDirectory(context);
  const { teams, users } = directory;
  const { id: userId } = await users.create({ name: "ann", roles: [] });
  const web = await teams.create({ name: "web", members: [{ userId, leads: true }] });
  const db = await teams.create({ name: "db", description: "Data", members: [{ userId, leads: false }] });
  assert.deepEqual(await teams.ofUser(userId), [
    { teamId: db.id, name: "db", leads: false },
    { teamId: web.id, name: "web", leads: true },
  ]);
  const first = await teams.list({}, { limit: 1 });
  assert.deepEqual(first.items, [db]);
  assert.deepEqual(await teams.list({}, { limit: 1, after: first.next as string }), { items: [web] });
  assert.deepEqual((await teams.list({ text: "DATA" })).items, [db]);
  assert.equal(await teams.remove(web.id), true);
  assert.equal(await teams.remove(web.id), false);
  assert.deepEqual(await teams.ofUser(userId), [{ teamId: db.id, name: "db", leads: false }]);
});
