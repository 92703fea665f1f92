/**
 * What deciding costs: `node bench/access.bench.ts`. The pure function, about somebody with much standing in their way and about
 * somebody with nothing; then all that it takes to let a connection in (who somebody is now, the target, the decision) out of a
 * database of a thousand people, against a whole connection through the gate in the same run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import {
  type Action,
  type Question,
  type Resource,
  type Subject,
  decide,
} from "../packages/gateway/src/access/mod.ts";
import { openDirectory, targetResource } from "../packages/gateway/src/directory/mod.ts";
import { standingIn } from "../packages/gateway/src/identity/mod.ts";
import { startStage } from "../test/parts/stage.ts";

const seconds = Number(process.env["BENCH_SECONDS"] ?? 2);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 15);
const nowMs = Date.UTC(2026, 1, 9, 12);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const target = {
  id: "t1",
  name: "orders-7",
  protocol: "ssh",
  labels: { env: "prod", tier: "db", team: "orders", zone: "eu-1", os: "debian" },
  logins: ["root", "deploy", "app"],
  allowRoles: ["dba", "orders"],
  allowUsers: ["ann"],
  policy: {
    networks: ["10.0.0.0/8", "2001:db8::/32"],
    hours: { zone: "Europe/Berlin", windows: [{ days: ["mon" as const], from: "08:00", to: "18:00" }] },
  },
};
const bare: Subject = { id: "u1", name: "bob", roles: ["user"], leads: [] };
const laden: Subject = {
  id: "u2",
  name: "ann",
  roles: ["user", "team-lead", "own-0", "own-1", "own-2"],
  leads: ["team-1", "team-2"],
  statements: numbers(12).map((i) => ({
    role: `own-${i % 3}`,
    actions: ["session.open", "session.view", "recording.play"],
    targets: { env: ["test", `stage-${i}`], tier: ["web"] },
    logins: ["deploy"],
  })),
  grants: numbers(5).map((i) => ({
    requestId: `r${i}`,
    untilMs: nowMs + 60_000,
    kind: "target" as const,
    targetId: `t${i + 2}`,
    logins: ["root"],
  })),
  locks: numbers(20).map((i) => ({
    on: (["user", "role", "target", "login", "address"] as const)[i % 5] as "user",
    name: i % 5 === 4 ? `192.0.2.${i}` : `somebody-${i}`,
    reason: "drill",
  })),
};
const resource: Resource = { target, login: "app", ownerId: "u9", ownerTeams: ["team-9", "team-8"] };
const asked: readonly Action[] = ["session.open", "session.view", "recording.play", "session.join"];

function perSecond(subject: Subject): number {
  const context = { nowMs, remoteAddress: "10.1.2.3" };
  const questions: Question[] = asked.map((action) => ({ subject, action, resource, context }));
  let made = 0;
  const begun = performance.now();
  while (performance.now() - begun < seconds * 500)
    for (let i = 0; i < 250; i++)
      for (const question of questions) made += Number(decide(question) !== undefined);
  return made / ((performance.now() - begun) / 1000);
}

// The first time only warms up.
for (const subject of [bare, laden]) perSecond(subject);
const [few, many] = [perSecond(bare), perSecond(laden)];
const perMs = (rate: number) => `${Math.round(rate / 1000)} a millisecond`;
console.log(
  `decisions: nothing in the way ${perMs(few)}, 5 roles, 12 statements, 5 grants, 20 locks ${perMs(many)}, ratio ${(many / few).toFixed(2)}`,
);

const folder = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
const directory = await openDirectory({
  path: join(folder, "gatehouse.db"),
  clock: systemClock,
  random: systemRandom,
});
const stage = await startStage();
try {
  for (const i of numbers(20)) await directory.roles.set(`own-${i}`, { description: "", statements: [] });
  for (const i of numbers(1000))
    await directory.users.create({ name: `person-${i}`, roles: ["user", `own-${i % 20}`] });
  const owner = await directory.users.byName("person-7");
  const people = [{ userId: owner?.id ?? "", leads: true }];
  for (const i of numbers(20)) await directory.teams.create({ name: `team-${i}`, members: people });
  for (const i of numbers(500))
    await directory.targets.create({
      name: `host-${i}`,
      protocol: "ssh",
      host: "10.0.0.1",
      port: 22,
      labels: target.labels,
      allowed: { roles: ["own-7"], users: [] },
      logins: [{ login: "app", kind: "user_ca" }],
      policy: {},
      access: {},
      hostTrust: {},
    });
  for (const i of numbers(50))
    await directory.locks.create({ on: "user", name: `gone-${i}`, reason: "left", createdBy: "bench" });
  const standing = standingIn(directory);
  const whole = async (i: number) => {
    const user = await directory.users.byName("person-7");
    const goal = await directory.targets.byName(`host-${i % 500}`);
    if (!user || !goal) throw new Error("the bench made them");
    const subject = { id: user.id, name: user.name, ...(await standing(user)) };
    const { allowed } = decide({
      subject,
      action: "session.open",
      resource: targetResource(goal, "app"),
      context: { nowMs, remoteAddress: "10.1.2.3" },
    });
    if (!allowed) throw new Error("it is open to own-7");
  };
  const decidedMs: number[] = [];
  const connectedMs: number[] = [];
  for (const i of numbers(200)) await whole(i);
  for (const round of numbers(rounds)) {
    for (const i of numbers(50)) {
      const begun = performance.now();
      await whole(round * 50 + i);
      decidedMs.push(performance.now() - begun);
    }
    const begun = performance.now();
    await stage.ssh([stage.address, "true"]);
    connectedMs.push(performance.now() - begun);
  }
  const [decided, connected] = [median(decidedMs), median(connectedMs)];
  console.log(
    `a connection: who, where and whether ${decided.toFixed(2)} ms of ${Math.round(connected)} ms with OpenSSH's client, ratio ${(decided / connected).toFixed(4)}`,
  );
} finally {
  await stage.close();
  await directory.close();
  rmSync(folder, { recursive: true, force: true });
}
