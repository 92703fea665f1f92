/**
 * What a session meets that has begun when its recording fails: input stops, the reason is on the screen, the session ends
 * within the grace, and all that was shown is in the recording.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sshOptions, startGateway } from "../parts/gateway.ts";
import { awaitSession, awaitStored, eventually, recorded, recordedSession } from "../parts/sessions.ts";
import { startStage } from "../parts/stage.ts";
import { openTerminal } from "../parts/terminal.ts";

const grace = { sessions: { ending_grace: "2s" } };

/** A file system of so many MiB, or why there is none. */
function smallDisk(mebibytes: number): { path: string; grow(to: number): void; remove(): void } | string {
  const path = mkdtempSync(join(tmpdir(), "gatehouse-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path]);
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true });
    return `no tmpfs can be mounted here: ${mounted.stderr?.toString().trim()}`;
  }
  return {
    path,
    grow: (to) => void execFileSync("mount", ["-o", `remount,size=${to}m`, path]),
    remove() {
      execFileSync("umount", ["-l", path]);
      rmSync(path, { recursive: true });
    },
  };
}

test("a disk that fills while a target prints: the session ends, and nothing shown is missing", async (t) => {
  const disk = smallDisk(24);
  if (typeof disk === "string") return t.skip(disk);
  const config = { ...grace, recording: { journal: { capacity: "8 MiB" } } };
  const stage = await startStage({ gateway: { dataDir: disk.path, config } });
  let gateway = stage.gateway;
  try {
    // Noise, so that compression gains nothing, and marked, so that a hole would show.
    const client = spawn(
      "ssh",
      [
        ...sshOptions(gateway, stage.person),
        "-tt",
        stage.address,
        "stty raw -echo; n=0; while :; do n=$((n+1)); echo line $n; head -c 300000 /dev/urandom | base64; done",
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    const shownChunks: Buffer[] = [];
    client.stdout.on("data", (chunk: Buffer) => shownChunks.push(chunk));
    const ended = new Promise<number | null>((resolve) => client.once("close", (code) => resolve(code)));
    const session = await awaitSession(gateway, ({ track }) => track === "terminal");
    const code = await Promise.race([
      ended,
      new Promise<"late">((resolve) => setTimeout(() => resolve("late"), 60_000).unref()),
    ]);
    assert.notEqual(code, "late", "the session did not end");
    assert.equal(code, 255);
    const shown = Buffer.concat(shownChunks);
    const words = /\r\ngatehouse: recording cannot be guaranteed any longer[^\r\n]*\r\n/.exec(
      shown.toString("latin1"),
    );
    assert.ok(words, `no reason on the screen: ${shown.subarray(-300).toString("latin1")}`);

    // With room again, a start finishes what the full disk interrupted.
    await gateway.kill("SIGKILL");
    disk.grow(256);
    gateway = await startGateway({ dataDir: disk.path, config });
    const stored = await awaitStored(gateway, ({ id }) => id === session.id);
    assert.notEqual(stored.state, "live");
    const { bytes } = await recorded(gateway, stored);
    const output = bytes("output");
    const seen = shown.subarray(0, words.index);
    assert.ok(output.length >= seen.length, `${output.length} recorded, ${seen.length} shown`);
    assert.ok(output.subarray(0, seen.length).equals(seen), "the recording differs from what was shown");
    const verified = await gateway.admin.recordings.verify(session.id);
    assert.equal(verified.ok, true, verified.firstFault ?? "");
  } finally {
    await gateway.kill("SIGKILL");
    await stage.sshd.close();
    disk.remove();
  }
});

test("a database that locks: the session ends at the first thing that must be audited, and says why", async () => {
  const stage = await startStage({ gateway: { config: grace } });
  const { gateway } = stage;
  const terminal = openTerminal(
    ["ssh", "-tt", ...sshOptions(gateway, stage.person), stage.address, "PS1='ready>' exec sh -i"],
    join(gateway.dataDir, "resize"),
  );
  const other = new DatabaseSync(join(gateway.dataDir, "gatehouse.db"), { timeout: 10_000 });
  try {
    await terminal.shows(/ready>/);
    const live = await awaitSession(gateway, ({ state }) => state === "live");
    other.exec("begin immediate");
    terminal.resize(120, 40);
    await terminal.shows(/gatehouse: [^\r\n]*(cannot be guaranteed|cannot be written)[^\r\n]*\r\n/);
    assert.equal(await terminal.exited, 255);
    other.exec("rollback");
    const { bytes, session } = await recordedSession(gateway, ({ id }) => id === live.id);
    const shown = terminal.shown().toString();
    assert.ok(
      shown.startsWith(bytes("output").toString()),
      JSON.stringify([shown, bytes("output").toString()]),
    );
    await eventually("its end in the audit log", async () => {
      const { items } = await gateway.admin.audit.list({ session: session.id, event: "session.end" });
      return items.length > 0 || undefined;
    });
  } finally {
    terminal.kill();
    other.close();
    await stage.close();
  }
});
