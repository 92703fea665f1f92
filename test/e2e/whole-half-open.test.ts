import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { test } from "node:test";
import { sshOptions } from "../parts/gateway.ts";
import { eventually } from "../parts/sessions.ts";
import { startStage } from "../parts/stage.ts";

const attempts = 10_000;
/** As many at a time as this process may have open. */
const atOnce = 500;

const residentBytes = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

test(`${attempts} connections that never authenticate: sessions go on, new ones begin, and nothing is left of them`, async () => {
  const stage = await startStage();
  const { gateway } = stage;
  const sockets = new Set<Socket>();
  const neighbour = spawn("ssh", [...sshOptions(gateway, stage.person), stage.address, "cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let got = "";
  neighbour.stdout.on("data", (chunk: Buffer) => (got += chunk.toString()));
  const echoes = async () => {
    const word = `${randomBytes(8).toString("hex")}\n`;
    neighbour.stdin.write(word);
    await eventually("the echo", () => got.includes(word) || undefined);
  };
  try {
    await echoes();
    const before = residentBytes(gateway.pid);
    let closed = 0;
    const knock = (i: number) =>
      new Promise<void>((resolve) => {
        const socket = connect({
          port: gateway.sshPort,
          host: "127.0.0.1",
          // From two addresses, neither of them the neighbour's: one alone is held back by its own limit.
          localAddress: `127.0.0.${2 + (i % 2)}`,
        });
        sockets.add(socket);
        socket.on("error", () => undefined); // turned away
        socket.once("close", () => {
          closed++;
          sockets.delete(socket);
          resolve();
        });
        socket.once("connect", () => socket.write("SSH-2.0-slow\r\n", () => resolve()));
      });
    for (let i = 0; i < attempts; i += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, k) => knock(i + k)));
      if (i % 2_500 === 0) await echoes();
    }
    const ran = await stage.ssh([stage.address, "echo still let in"]);
    assert.equal(ran.stdout.toString(), "still let in\n", ran.stderr);
    const grownMiB = (residentBytes(gateway.pid) - before) / 1024 / 1024;
    assert.ok(grownMiB < 200, `the gateway grew by ${grownMiB.toFixed(0)} MiB`);
    // The gate holds a few hundred of them at most, whatever comes.
    await eventually("those that were turned away to be gone", () => sockets.size <= 256 || undefined);
    for (const socket of sockets) socket.destroy();
    await eventually("all of them to be gone", () => closed === attempts || undefined);
    await echoes();
    assert.match(gateway.output(), /turned away before they authenticated/);
  } finally {
    for (const socket of sockets) socket.destroy();
    neighbour.kill();
    await stage.close();
  }
});
