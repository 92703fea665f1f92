/** Two gateways with one PostgreSQL: the same people and targets, each with sessions of its own, and one audit log. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, after, before, test } from "node:test";
import { startGcsContract } from "../parts/gcs-contract.ts";
import { type Gateway, addPerson, addTarget, sshOptions, startGateway } from "../parts/gateway.ts";
import { run, startSshd } from "../parts/openssh.ts";
import { type Postgres, startPostgres } from "../parts/postgres.ts";
import { eventually } from "../parts/sessions.ts";

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.close());

function start(gatewayId: string, dataDir?: string, config: Record<string, unknown> = {}): Promise<Gateway> {
  const { port, user, password } = postgres;
  const url = `postgres://${user}@127.0.0.1:${port}/postgres?sslmode=no-verify`;
  return startGateway({
    config: { gateway_id: gatewayId, database: { url }, ...config },
    env: { PGPASSWORD: password },
    ...(dataDir !== undefined && { dataDir }),
  });
}

/** A new data directory with the keys of another gateway, as an operator would copy them. */
function withKeysOf(gateway: Gateway, context: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "gatehouse-second-"));
  context.after(() => rmSync(dataDir, { recursive: true, force: true }));
  cpSync(join(gateway.dataDir, "keys"), join(dataDir, "keys"), { recursive: true });
  return dataDir;
}

test("a second gateway knows everybody, leaves the first one's sessions alone, and shares the audit log", async (context) => {
  const first = await start("gate-1");
  context.after(() => first.close());
  const person = await addPerson(first, "ann");
  const sshd = await startSshd({ trustedUserCa: await first.admin.ca.sshUser() });
  context.after(() => sshd.close());
  const target = await addTarget(first, sshd);
  const address = `${sshd.user}+${target.name}@127.0.0.1`;

  const child = spawn("ssh", [...sshOptions(first, person), address, "echo began; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  await eventually("the session on the first gateway", () => shown.includes("began") || undefined);

  const second = await start("gate-2", withKeysOf(first, context));
  context.after(() => second.close());
  assert.deepEqual(
    (await second.admin.targets.list({})).items.map(({ name }) => name),
    ["web-01"],
  );
  const live = await second.admin.sessions.list({ state: "live" });
  assert.deepEqual(
    live.items.map(({ gatewayId, user }) => [gatewayId, user.name]),
    [["gate-1", "ann"]],
  );
  const ran = await run("ssh", [...sshOptions(second, person), address, "echo through the second"]);
  assert.equal(ran.stdout.toString(), "through the second\n", ran.stderr);
  child.stdin.end("and on\n");
  await eventually("the first session's end", () => shown.includes("and on") || undefined);

  const { items } = await eventually("both sessions' ends", async () => {
    const page = await first.admin.audit.list({ event: "session.end" });
    return page.items.length === 2 ? page : undefined;
  });
  assert.deepEqual(
    items.map(({ fields }) => fields["reason"]),
    ["closed", "closed"],
  );
  for (const gateway of [first, second]) {
    const verdict = await gateway.admin.audit.verify();
    assert.deepEqual([verdict.ok, verdict.firstFault], [true, null]);
  }
});

test("a lock that is set on one gateway ends what is live on another", async (context) => {
  const first = await start("gate-3");
  context.after(() => first.close());
  const person = await addPerson(first, "bea");
  const sshd = await startSshd({ trustedUserCa: await first.admin.ca.sshUser() });
  context.after(() => sshd.close());
  const target = await addTarget(first, sshd, { name: "web-02" });
  const second = await start("gate-4", withKeysOf(first, context));
  context.after(() => second.close());

  const address = `${sshd.user}+${target.name}@127.0.0.1`;
  const child = spawn("ssh", ["-tt", ...sshOptions(first, person), address, "echo began; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await eventually("the session on the first gateway", () => shown.includes("began") || undefined);

  const { ended: here } = await second.admin.locks.create({ on: "user", name: "bea", reason: "lost laptop" });
  assert.deepEqual(here, [], "nothing of hers is live on the second");
  await ended;
  assert.match(shown, /user bea is locked: lost laptop/);
  const event = await eventually("the event", async () => {
    const { items } = await first.admin.audit.list({ event: "session.terminate" });
    return items[0];
  });
  assert.deepEqual(
    [event.user, event.fields["reason"]],
    ["local-administrator", "user bea is locked: lost laptop"],
  );
});

test("two gateways that sweep at once remove each recording once, and say so once", async (context) => {
  const removals: string[] = [];
  const contract = await startGcsContract({
    bucket: "recordings",
    retention: true,
    versioning: false,
    async onRemove(name) {
      if (name.startsWith("recordings/")) removals.push(name);
      // Long enough for the other to come by.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return true;
    },
  });
  context.after(() => contract.close());
  const config = {
    store: { type: "gcs", bucket: "recordings", endpoint: contract.endpoint },
    recording: { journal: { capacity: "64 MiB" }, retention: "1s", sweep_every: "1s" },
    sessions: { max_duration: "2s", ending_grace: "100ms" },
  };
  const first = await start("gate-5", undefined, config);
  context.after(() => first.close());
  const person = await addPerson(first, "cai");
  const sshd = await startSshd({ trustedUserCa: await first.admin.ca.sshUser() });
  context.after(() => sshd.close());
  const target = await addTarget(first, sshd, { name: "web-05" });
  const second = await start("gate-6", withKeysOf(first, context), config);
  context.after(() => second.close());
  const address = `${sshd.user}+${target.name}@127.0.0.1`;
  await Promise.all(
    [first, second, first, second].map((gateway) =>
      run("ssh", [...sshOptions(gateway, person), address, "true"]),
    ),
  );
  const gone = await eventually("all four removed", async () => {
    const { items } = await first.admin.sessions.list({ user: "cai", recording: "expired" });
    const recordings = await Promise.all(items.map(({ id }) => second.admin.recordings.get(id)));
    const all = recordings.length === 4 && recordings.every(({ removedAt }) => removedAt !== null);
    return all ? items : undefined;
  });
  const { items } = await second.admin.audit.list({ event: "session.recording.expire" });
  assert.deepEqual(
    items.map(({ sessionId }) => sessionId ?? "").toSorted(),
    gone.map(({ id }) => id).toSorted(),
  );
  assert.equal(new Set(removals).size, removals.length, "no object was removed twice");
  assert.deepEqual(
    contract.names().filter((name) => name.startsWith("recordings/")),
    [],
  );
});
