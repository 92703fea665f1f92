/**
 * Recordings while the store is away, after the database is lost, and when what is stored was damaged. GATEHOUSE_OUTAGE_SECONDS
 * makes the outage longer than the few seconds that it has here.
 */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Gateway, sshOptions, startGateway } from "../parts/gateway.ts";
import { run } from "../parts/openssh.ts";
import { awaitEvents, awaitSession, awaitStored, eventually, recorded } from "../parts/sessions.ts";
import { startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
const outageMs = Number(process.env["GATEHOUSE_OUTAGE_SECONDS"] ?? 3) * 1000;
// A gateway refuses a variable of its own prefix that it does not know, and these begin with this process's.
delete process.env["GATEHOUSE_OUTAGE_SECONDS"];
const config = {
  recording: { journal: { capacity: "64 MiB" }, segment: { age: "200ms" }, outage_tolerance: "1h" },
};

/** The gateway's own command line, on the machine that it runs on. */
const gatehouse = (gateway: Gateway, ...args: string[]) =>
  run(cli, args, {
    env: { ...process.env, GATEHOUSE_CONFIG: join(gateway.dataDir, "gatehouse.yaml") },
  });

test("an outage of the store, a lost database and a damaged object", async (t) => {
  const stage = await startStage({ gateway: { config } });
  let { gateway } = stage;
  const { dataDir } = gateway;
  const place = join(dataDir, "recordings");
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(dataDir, "resize"),
  );
  /** What each session showed, by its id. */
  const shown = new Map<string, string>();
  const compare = async (what: string) => {
    for (const [id, text] of shown) {
      const session = await awaitStored(gateway, (one) => one.id === id);
      const { bytes } = await recorded(gateway, session);
      assert.equal(bytes("output", "stdout").toString(), text, what);
    }
  };
  try {
    await t.test(
      "sessions go on and are admitted, and all of it is sent when the store is back",
      async () => {
        await terminal.shows(/ready>/);
        const live = await awaitSession(gateway, ({ state }) => state === "live");
        renameSync(place, `${place}.away`);
        writeFileSync(place, "not a directory");
        terminal.type("echo while-$((1+1))-away\r");
        await terminal.shows(/while-2-away[\s\S]*ready>/);
        const health = await eventually("an outage that is noticed", async () => {
          const now = await gateway.admin.health();
          return now.store.reachable ? undefined : now;
        });
        assert.equal(health.status, "degraded");
        const ran = await stage.ssh([stage.address, "echo admitted meanwhile"]);
        assert.deepEqual([ran.code, ran.stdout.toString()], [0, "admitted meanwhile\n"]);
        const other = await awaitSession(gateway, ({ track }) => track === "exec");
        const until = performance.now() + outageMs;
        for (let n = 0; performance.now() < until; n++) {
          terminal.type(`echo line-$((${n}+0))-\r`);
          await terminal.shows(new RegExp(`line-${n}-[\\s\\S]*ready>`));
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
        const waiting = await gateway.admin.health();
        assert.ok(waiting.shipping.waitingSegments >= 2, JSON.stringify(waiting.shipping));
        assert.match(JSON.stringify(waiting.findings), /still admitted/);
        rmSync(place);
        renameSync(`${place}.away`, place);
        const backMs = performance.now();
        terminal.type("exit\r");
        assert.equal(await terminal.exited, 0);
        // OpenSSH's client adds the last line itself.
        const text = terminal.shown().toString();
        shown.set(live.id, text.replace(/Connection to 127\.0\.0\.1 closed\.\r\n$/, ""));
        shown.set(other.id, ran.stdout.toString());
        // After a long outage it is looked for only every half minute.
        await eventually(
          "the store to be found again",
          async () => (await gateway.admin.health()).store.reachable || undefined,
          60_000,
        );
        await compare("after the outage");
        const took = ((performance.now() - backMs) / 1000).toFixed(1);
        t.diagnostic(
          `${outageMs / 1000} s away, ${waiting.shipping.waitingSegments} segments waited; all stored ${took} s after it was back`,
        );
        for (const id of shown.keys()) {
          assert.equal((await gateway.admin.recordings.verify(id)).ok, true);
          const { items } = await gateway.admin.audit.list({ session: id, event: "session.upload" });
          assert.equal(items.length, 1, "uploaded once, and said so only then");
        }
      },
    );

    await t.test("the list of sessions comes back from the store alone, however often", async () => {
      const kept = [...shown.keys()][1] as string;
      await gateway.admin.recordings.hold(kept, { reason: "case 7" });
      await gateway.kill("SIGTERM");
      for (const name of readdirSync(dataDir))
        if (name.startsWith("gatehouse.db")) rmSync(join(dataDir, name));
      for (const added of [2, 0]) {
        const recovered = await gatehouse(gateway, "recover", "--json");
        assert.equal(recovered.code, 0, recovered.stderr);
        assert.deepEqual(JSON.parse(recovered.stdout.toString()), {
          found: 2,
          added,
          corrected: 0,
          held: added / 2,
          faulty: 0,
          faults: [],
        });
      }
      gateway = await startGateway({ dataDir, config });
      const { items } = await gateway.admin.sessions.list({ limit: 10 });
      assert.deepEqual(
        items.map(({ id, state, user, login, end }) => [id, state, user.name, login, end?.reason]).sort(),
        [...shown.keys()].map((id) => [id, "ended", "ann", stage.sshd.user, "closed"]).sort(),
      );
      const { state, hold } = await gateway.admin.recordings.get(kept);
      assert.deepEqual([state, hold?.owner, hold?.by], ["held", "unknown", "system"]);
      await gateway.admin.recordings.release(kept, { reason: "seen to come back" });
      await compare("after the recovery");
      await eventually("both verified again", async () => {
        const { recordings, opened } = await gateway.admin.recordings.coverage();
        return (recordings.verified === 2 && opened === 2) || undefined;
      });
      const events = await gateway.admin.audit.list({ event: "recordings.recover" });
      assert.equal(events.items.length, 2);
    });

    await t.test("a damaged object is found by the checker, and told everywhere", async () => {
      await gateway.kill("SIGTERM");
      const id = [...shown.keys()][0] as string;
      const name = readdirSync(place, { recursive: true })
        .map(String)
        .find((path) => path.includes(id) && path.endsWith("000000.seg")) as string;
      const path = join(place, name);
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
      for (const file of readdirSync(dataDir))
        if (file.startsWith("gatehouse.db")) rmSync(join(dataDir, file));
      assert.equal((await gatehouse(gateway, "recover")).code, 0);
      gateway = await startGateway({ dataDir, config });
      const session = await eventually("a corrupt recording", async () => {
        const { items } = await gateway.admin.sessions.list({ recording: "corrupt" });
        return items[0];
      });
      assert.equal(session.id, id);
      assert.match(session.recording.detail ?? "", /^segment 0: the segment is not as it was written/);
      await awaitEvents(gateway, { event: "session.recording.corrupted", session: id });
      const { items } = await gateway.admin.audit.list({ event: "session.recording.corrupted" });
      assert.deepEqual(
        items.map((event) => event.sessionId),
        [id],
      );
      const health = await gateway.admin.health();
      assert.deepEqual([health.status, health.recordings?.corrupt], ["degraded", 1]);
      assert.match(gateway.output(), /a stored recording does not verify/);
      const alarms = async () => (await gateway.admin.recordings.alarms()).items;
      assert.deepEqual(
        (await alarms()).map(({ sessionId, user, detail }) => [sessionId, user, detail]),
        [[id, "ann", session.recording.detail]],
      );
      await gateway.admin.recordings.acknowledge(id, { reason: "this test did it" });
      assert.deepEqual(await alarms(), []);
      const coverage = await gatehouse(gateway, "recordings", "coverage", "--data-dir", dataDir);
      assert.equal(coverage.code, 1, coverage.stderr);
      assert.match(coverage.stdout.toString(), new RegExp(`fault\\s+${id}: segment 0: `));
    });
  } finally {
    terminal.kill();
    await gateway.close();
    await stage.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
