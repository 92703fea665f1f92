/**
 * What the gate costs: OpenSSH's client to a real sshd, direct and through the gate with recording on, in one run,
 * interleaved; medians, and ratios to direct. Nothing else should run on the machine.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publicKeyLine } from "../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { addPerson, addTarget, sshOptions, startGateway } from "../test/parts/gateway.ts";
import { startSshd } from "../test/parts/openssh.ts";
import { cpuMs } from "./ways.ts";

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5);
const bulkBytes = Number(process.env["BENCH_BULK_MIB"] ?? 512) * 1024 * 1024;
const echoes = Number(process.env["BENCH_ECHOES"] ?? 2000);
const idleSessions = Number(process.env["BENCH_IDLE"] ?? 200);

const gateway = await startGateway({ config: { recording: { journal: { capacity: "512 MiB" } } } });
const person = await addPerson(gateway, "ann");
const sshd = await startSshd({
  trustedUserCa: await gateway.admin.ca.sshUser(),
  authorizedKeys: [publicKeyLine(person.key.public.blob)],
});
await addTarget(gateway, sshd);
const file = join(gateway.dataDir, "bulk");
writeFileSync(file, randomBytes(bulkBytes));

type Route = "direct" | "gate";
const routes: readonly Route[] = ["direct", "gate"];

try {
  // First, while the gateway has not been stretched by anything else.
  await idle();
  for (const cipher of ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"])
    await bulk(cipher);
  await echo();
  await setUp();
} finally {
  rmSync(file);
  await gateway.close();
  await sshd.close();
}

async function bulk(cipher: string): Promise<void> {
  const seconds: Record<string, number[]> = {};
  let cpuSeconds = 0;
  for (let round = 0; round < rounds; round++)
    for (const direction of ["down", "up"] as const)
      for (const route of routes) {
        const before = cpuOf(gateway.pid);
        const took = await timed(() => transfer(route, direction, cipher));
        (seconds[`${direction} ${route}`] ??= []).push(took);
        if (route === "gate") cpuSeconds += cpuOf(gateway.pid) - before;
      }
  for (const direction of ["down", "up"]) {
    const direct = median(seconds[`${direction} direct`] ?? []);
    const gate = median(seconds[`${direction} gate`] ?? []);
    const speed = (s: number) => `${Math.round(bulkBytes / 1e6 / s)} MB/s`;
    print(
      `bulk ${direction}, ${cipher}`,
      speed(direct),
      speed(gate),
      `${(direct / gate).toFixed(2)} of direct`,
    );
  }
  print(
    `gateway CPU, ${cipher}`,
    "",
    `${(cpuSeconds / ((bulkBytes * rounds * 2) / 1e9)).toFixed(2)} s/GB`,
    "",
  );
}

function transfer(route: Route, direction: "down" | "up", cipher: string): Promise<void> {
  const args = ["-c", cipher, ...destination(route)];
  if (direction === "down") return ssh([...args, `cat ${file}`], "ignore");
  const input = openSync(file, "r");
  return ssh([...args, "cat > /dev/null"], input).finally(() => closeSync(input));
}

async function echo(): Promise<void> {
  const taken: Record<Route, number[]> = { direct: [], gate: [] };
  const typists = { direct: await typist("direct"), gate: await typist("gate") };
  // Blocks in turn, so that the machine's drift touches both alike.
  const block = 100;
  for (let n = 0; n < echoes; n += block)
    for (const route of routes) for (let i = 0; i < block; i++) taken[route].push(await typists[route].key());
  for (const route of routes) typists[route].close();
  for (const q of [0.5, 0.99]) {
    const direct = quantile(taken.direct, q);
    const gate = quantile(taken.gate, q);
    print(
      `echo p${q * 100}`,
      `${direct.toFixed(2)} ms`,
      `${gate.toFixed(2)} ms`,
      `+${(gate - direct).toFixed(2)} ms`,
    );
  }
}

/** A terminal on which one key is pressed at a time and its echo awaited. */
async function typist(route: Route): Promise<{ key(): Promise<number>; close(): void }> {
  const child = spawn("/usr/bin/ssh", ["-tt", ...destination(route), "stty raw -echo; echo ready; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let arrived: () => void = () => {};
  let seen = "";
  await new Promise<void>((resolve) =>
    child.stdout.on("data", (chunk: Buffer) => {
      seen = (seen + chunk.toString()).slice(-64);
      if (seen.includes("ready")) resolve();
      arrived();
    }),
  );
  return {
    key() {
      const start = performance.now();
      return new Promise((resolve) => {
        arrived = () => resolve(performance.now() - start);
        child.stdin.write("x");
      });
    },
    close: () => void child.kill(),
  };
}

async function setUp(): Promise<void> {
  const taken: Record<Route, number[]> = { direct: [], gate: [] };
  const before = cpuOf(gateway.pid);
  for (let round = 0; round < rounds * 6; round++)
    for (const route of routes)
      taken[route].push(await timed(() => ssh([...destination(route), "true"], "ignore")));
  const direct = median(taken.direct) * 1000;
  const gate = median(taken.gate) * 1000;
  print(
    "connection, command, end",
    `${direct.toFixed(0)} ms`,
    `${gate.toFixed(0)} ms`,
    `${(direct / gate).toFixed(2)} of direct`,
  );
  print(
    "gateway CPU per connection",
    "",
    `${(((cpuOf(gateway.pid) - before) * 1000) / (rounds * 6)).toFixed(1)} ms`,
    "",
  );
}

/** What a session that does nothing holds: the growth from the first tens of them, which warm the gateway up, to all. */
async function idle(): Promise<void> {
  const open: { close(): void }[] = [];
  // In tens: sshd and this machine, not the gate, are what a stampede would measure.
  const openUpTo = async (count: number) => {
    while (open.length < count)
      open.push(...(await Promise.all(Array.from({ length: 10 }, () => typist("gate")))));
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    return rssOf(gateway.pid);
  };
  const warm = 50;
  const before = await openUpTo(warm);
  const each = ((await openUpTo(warm + idleSessions)) - before) / idleSessions / 1024;
  print(`RSS per idle session at ${idleSessions}`, "", `${each.toFixed(0)} KiB`, "");
  for (const typing of open) typing.close();
}

function destination(route: Route): string[] {
  const options = sshOptions(gateway, person);
  if (route === "gate") return [...options, `${sshd.user}+web-01@127.0.0.1`];
  return [
    ...options
      .filter((option) => !option.startsWith("Port="))
      .filter((option, i, all) => !(option === "-o" && (all[i + 1] === undefined || all[i + 1] === "-o"))),
    "-p",
    String(sshd.port),
    `${sshd.user}@127.0.0.1`,
  ];
}

function ssh(args: readonly string[], stdin: "ignore" | number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/usr/bin/ssh", args, { stdio: [stdin, "ignore", "inherit"] });
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`ssh ended with ${code}`))));
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Seconds of processor time. */
function cpuOf(pid: number): number {
  return cpuMs(pid) / 1000;
}
function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
function print(what: string, direct: string, gate: string, ratio: string): void {
  process.stdout.write(`${what.padEnd(42)} ${direct.padStart(10)} ${gate.padStart(10)}  ${ratio}\n`);
}
