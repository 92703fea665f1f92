import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock, isGatehouseError, seededRandom } from "@gatehouse/kernel";
import type { AuditRecord } from "../../audit/mod.ts";
import { credentialsIn } from "../../credentials/mod.ts";
import { sealingKey } from "../../credentials/envelope.ts";
import { temporaryDirectory } from "../../directory/testing/temporary.ts";
import { localAdministrator } from "../../identity/mod.ts";
import { sshTargets } from "../../protocols/ssh/targets/administration.ts";
import { generateKey, publicKeyLine } from "../../protocols/ssh/keys/mod.ts";
import { createTargets } from "./targets.ts";

const ann = { id: "u1", name: "ann", roles: ["user" as const], leads: [] };
const administrator = {
  subject: localAdministrator,
  via: "admin-socket" as const,
  channel: "cli" as const,
  remoteAddress: "",
};
const target = { name: "web-01", host: "10.0.0.5", port: 22, logins: ["root"], allowRoles: ["user"] };

test("targets are listed and shown to whom they are open, and to administrators all of them", async (context) => {
  const { doors, names } = await rooms(context);
  await doors.create(administrator, target);
  await doors.create(administrator, { ...target, name: "db-01", allowRoles: [], allowUsers: ["bob"] });
  await doors.create(administrator, { ...target, name: "app-01", logins: [] });
  assert.deepEqual(await names("all"), ["app-01", "db-01", "web-01"]);
  assert.deepEqual(await names({ subject: ann }), ["web-01"]);
  assert.deepEqual(await names({ subject: { ...ann, id: "u2", name: "bob" } }), ["db-01", "web-01"]);
  const [hidden] = (await doors.list({ limit: 50, q: "db-01" }, "all")).items;
  assert.ok(hidden);
  await assert.rejects(doors.get(hidden.id, { subject: ann }), (error) =>
    isGatehouseError(error, "not_found"),
  );
});

test("a page of targets is never empty while there are more", async (context) => {
  const { doors } = await rooms(context);
  for (const name of ["a", "b", "c"]) await doors.create(administrator, { ...target, name, allowRoles: [] });
  await doors.create(administrator, { ...target, name: "z" });
  const page = await doors.list({ limit: 1 }, { subject: ann });
  assert.deepEqual(
    page.items.map((item) => item.name),
    ["z"],
  );
});

test("a role that there is not opens nothing: by a slip it would be open to nobody, or one day to strangers", async (context) => {
  const { doors } = await rooms(context);
  const people = { roles: ["dba"], users: [] };
  const strange = [
    { allowRoles: ["user", "dba"] },
    { access: { requests: { askers: people } } },
    { access: { playback: { reviewers: people } } },
  ];
  const { id } = await doors.create(administrator, target);
  for (const change of strange) {
    const refused = { code: "invalid", message: "there is no role dba", hint: /gatehouse roles ls/ };
    await assert.rejects(doors.update(administrator, id, change), refused);
    await assert.rejects(doors.create(administrator, { ...target, name: "db-01", ...change }), refused);
  }
});

test("a secret is checked, sealed, never shown, and told to the audit log without itself", async (context) => {
  const { doors, events } = await rooms(context);
  const { id } = await doors.create(administrator, target);
  await assert.rejects(
    doors.setCredential(administrator, id, "root", { kind: "private-key", privateKey: "not a key" }),
    (error) => isGatehouseError(error, "invalid"),
  );
  await doors.setCredential(administrator, id, "root", { kind: "password", password: "hunter2" });
  const shown = await doors.get(id, "all");
  assert.equal(shown.logins[0]?.credential, "password");
  assert.equal(JSON.stringify([shown, events]).includes("hunter2"), false);
  assert.deepEqual(events.at(-1)?.event, "credential.create");
  await doors.removeCredential(administrator, id, "root");
  assert.equal((await doors.get(id, "all")).logins[0]?.credential, "certificate");
});

test("trust in a host key is an act that the audit log has", async (context) => {
  const { doors, events } = await rooms(context);
  const { id } = await doors.create(administrator, target);
  assert.equal((await doors.get(id, "all")).hostTrust.kind, "none");
  const key = publicKeyLine(generateKey("ed25519").public.blob);
  const trusted = await doors.trustHostKeys(administrator, id, { kind: "pinned", keys: [key] });
  assert.equal(trusted.hostTrust.kind, "pinned");
  const event = events.at(-1);
  assert.equal(event?.event, "target.trust");
  assert.equal(event?.fields?.["key_fingerprint"], trusted.hostTrust.keys[0]?.fingerprint);
});

async function rooms(context: Parameters<typeof temporaryDirectory>[0]) {
  const { directory } = await temporaryDirectory(context);
  const clock = new TestClock();
  const random = seededRandom(3);
  const events: AuditRecord[] = [];
  const doors = createTargets({
    targets: directory.targets,
    roles: directory.roles,
    credentials: credentialsIn({
      sealed: directory.sealedCredentials,
      keys: [sealingKey(random.bytes(32))],
      clock,
      random,
    }),
    protocols: [sshTargets({ random, scan: () => Promise.resolve([]), prove: () => Promise.resolve() })],
    audit: { append: async (record) => void events.push(record), admissible: () => Promise.resolve() },
    clock,
  });
  const names = async (scope: Parameters<typeof doors.list>[1]) =>
    (await doors.list({ limit: 50 }, scope)).items.map((item) => item.name);
  return { doors, events, names };
}
