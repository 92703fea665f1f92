/** Recordings whose time is over, with a real gateway that is killed while it removes them. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Session } from "@gatehouse/contracts/rest";
import { type GcsContract, startGcsContract } from "../parts/gcs-contract.ts";
import { type Gateway, startGateway } from "../parts/gateway.ts";
import { startGrpcClient } from "../parts/grpc-client.ts";
import { run } from "../parts/openssh.ts";
import { awaitStored, eventually } from "../parts/sessions.ts";
import { sessionOf } from "../parts/signed-in.ts";
import { startStage } from "../parts/stage.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));

/** A store whose removals can be stopped on their way. */
async function stallingStore() {
  const removals: string[] = [];
  let stall: { at: (name: string) => boolean; reached: (name: string) => void } | undefined;
  let go: ((applied: boolean) => void) | undefined;
  const contract: GcsContract = await startGcsContract({
    bucket: "recordings",
    retention: true,
    versioning: false,
    async onRemove(name) {
      if (!name.startsWith("recordings/")) return true;
      if (stall?.at(name)) {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        go = resolve;
        stall.reached(name);
        stall = undefined;
        if (!(await promise)) return false;
      }
      removals.push(name);
      return true;
    },
  });
  return {
    contract,
    removals,
    /** Resolves with the object whose removal was asked for and waits. */
    stallAt: (at: (name: string) => boolean) =>
      new Promise<string>((resolve) => {
        stall = { at, reached: resolve };
      }),
    /** Lets it be removed, or not, when nobody waits for the answer any more. */
    go: (applied: boolean) => go?.(applied),
  };
}

test("what is over is removed, once and on record, however the gateway dies on the way; what is held stays", async (t) => {
  const { contract, removals, stallAt, go } = await stallingStore();
  const config = (sweepEvery: string) => ({
    store: { type: "gcs", bucket: "recordings", endpoint: contract.endpoint },
    recording: {
      journal: { capacity: "64 MiB" },
      segment: { age: "200ms" },
      retention: "2s",
      sweep_every: sweepEvery,
    },
    sessions: { max_duration: "2s", ending_grace: "100ms" },
    grpc: { listen: "127.0.0.1:0" },
  });
  // Only its start sweeps, so that it is here that it is decided when.
  const stage = await startStage({ gateway: { config: config("7d") } });
  const { dataDir } = stage.gateway;
  let gateway: Gateway = stage.gateway;
  t.after(async () => {
    // One that waits for the store would not end.
    await contract.close();
    await gateway.close();
    await stage.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const sessions: Session[] = [];
  for (const word of ["kept", "one", "two", "three"]) {
    await stage.ssh([stage.address, `echo ${word}`]);
    sessions.push(await awaitStored(gateway, ({ command }) => command === `echo ${word}`));
  }
  const [kept, ...going] = sessions.map(({ id }) => id) as [string, string, string, string];
  await gateway.admin.recordings.hold(kept, { reason: "case 7", owner: "legal" });
  const objectsOf = (id: string) => contract.names().filter((name) => name.includes(id));
  const report = await gateway.admin.recordings.retention({
    until: new Date(Date.now() + 3_600_000).toISOString(),
  });
  assert.equal(report.recordings, 3);
  assert.deepEqual(
    report.items.map(({ sessionId, held, state }) => [sessionId, held, state]),
    [[kept, true, "held"], ...going.map((id) => [id, false, "stored"])],
  );
  for (const id of sessions.map((one) => one.id)) assert.ok(objectsOf(id).length >= 2, "it is in the store");
  await gateway.kill("SIGTERM");
  // For what began last the store's own lock ends last: its retention, and the longest that a session may take.
  await eventually(
    "the end of the last lock",
    () => Date.now() > Date.parse(sessions.at(-1)?.endedAt ?? "") + 5_500 || undefined,
  );

  const again = async (sweepEvery: string) => startGateway({ dataDir, config: config(sweepEvery) });
  const expired = async () => (await gateway.admin.audit.list({ event: "session.recording.expire" })).items;
  // Killed at the first removal, in the middle of a recording, and at the last of another: not done, or done and not told.
  const stops: [at: (name: string) => boolean, applied: boolean][] = [
    [() => true, false],
    [(name) => !name.endsWith("manifest.json"), true],
    [(name) => name.endsWith("manifest.json"), true],
  ];
  for (const [at, applied] of stops) {
    const stalled = stallAt(at);
    gateway = await again("7d");
    const object = await stalled;
    const told = (await expired()).map(({ sessionId }) => sessionId);
    assert.ok(
      told.some((one) => one !== null && object.includes(one)),
      "told before the first is removed",
    );
    for (const name of removals)
      assert.ok(
        told.some((one) => one !== null && name.includes(one)),
        name,
      );
    await gateway.kill("SIGKILL");
    go(applied);
  }
  gateway = await again("1s");
  await eventually(
    "nothing of the three",
    () => going.every((id) => objectsOf(id).length === 0) || undefined,
  );
  const done = await eventually("the list to say so", async () => {
    const { items } = await gateway.admin.sessions.list({ recording: "expired" });
    return items.length === 3 ? items : undefined;
  });
  assert.deepEqual(done.map(({ id }) => id).toSorted(), going.toSorted());
  assert.deepEqual((await expired()).map(({ sessionId }) => sessionId).toSorted(), going.toSorted());
  assert.equal(new Set(removals).size, removals.length, "no object was removed twice");
  assert.ok(objectsOf(kept).length >= 2, "what is held is there");

  const [first] = going;
  const recording = await eventually("the moment of its removal", async () => {
    const known = await gateway.admin.recordings.get(first);
    return known.removedAt === null ? undefined : known;
  });
  assert.equal(recording.state, "expired");
  const shown = await run(cli, ["sessions", "show", first, "--data-dir", dataDir]);
  assert.match(shown.stdout.toString(), /^recording +expired$[\s\S]*^removed +/m);
  const { grpc } = JSON.parse(readFileSync(join(dataDir, "addresses.json"), "utf8")) as { grpc: string };
  const client = await startGrpcClient({
    folder: dataDir,
    address: grpc,
    certificate: await gateway.admin.ca.grpc(),
  });
  const token = await sessionOf(gateway, stage.person.id);
  const { messages } = await client.call(
    "gatehouse.v1.RecordingService",
    "GetRecording",
    { session_id: first },
    { token },
  ).ended;
  await client.close();
  const { state, removed_at } = (messages[0]?.["recording"] ?? {}) as Record<string, unknown>;
  assert.deepEqual([state, removed_at], ["expired", recording.removedAt]);

  await gateway.admin.recordings.release(kept, { reason: "closed" });
  await eventually("the held one to go", () => objectsOf(kept).length === 0 || undefined);
  await eventually("its event", async () => (await expired()).length === 4 || undefined);
  assert.deepEqual(
    contract.names().filter((name) => name.startsWith("recordings/")),
    [],
  );
  assert.equal((await gateway.admin.audit.verify()).ok, true);
});
