/**
 * The whole gateway as its own process, as `npm start` runs it: configuration file, data directory, free ports.
 * Tests speak to it with real clients, and administer it over its socket.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@gatehouse/contracts/client";
import type { PersonCreate, TargetCreate } from "@gatehouse/contracts/rest";
import { unixFetch } from "@gatehouse/contracts/unix-fetch";
import { stringify } from "yaml";
import { systemRandom } from "@gatehouse/kernel";
import { gatewayNodeFlags } from "../../packages/gateway/src/config/mod.ts";
import {
  type PrivateKey,
  generateKey,
  publicKeyLine,
  writePrivateKey,
} from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import type { Sshd } from "./openssh.ts";

const main = fileURLToPath(new URL("../../packages/gateway/src/main.ts", import.meta.url));
/** Half of a start is reading sources; a test that starts many gateways reads them once. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

export type GatewayOptions = {
  /** Merged over the harness's own: free ports, short commit. Keys as in the configuration file. */
  config?: Record<string, unknown>;
  /** An existing data directory, to start again on what another process left. It is not removed then. */
  dataDir?: string;
  env?: Record<string, string>;
};

export type Gateway = {
  readonly dataDir: string;
  /** `http://127.0.0.1:port` */
  readonly web: string;
  readonly sshPort: number;
  /** The administrator's own socket. */
  readonly admin: Client;
  readonly pid: number;
  /** What it printed to standard output and error so far. */
  output(): string;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** Ends it in order and removes its data. */
  close(): Promise<void>;
};

/** Starts a gateway and resolves when it is open; rejects with what it printed when it exits instead. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "gatehouse-"));
  const config = {
    data_dir: dataDir,
    web: { listen: "127.0.0.1:0" },
    ssh: { listen: "127.0.0.1:0" },
    log: { format: "json" },
    recording: { journal: { capacity: "64 MiB" } },
    ...options.config,
  };
  const file = join(dataDir, "gatehouse.yaml");
  writeFileSync(file, stringify(config), { mode: 0o600 });
  const child = spawn(process.execPath, [...gatewayNodeFlags, main, "--config", file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...options.env },
  });
  let output = "";
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal ?? code ?? 1)),
  );
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Gatehouse is open")) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then((how) => reject(new Error(`the gateway ended at its start (${how}):\n${output}`)));
  });
  const addresses = JSON.parse(readFileSync(join(dataDir, "addresses.json"), "utf8")) as {
    web: string;
    ssh: string;
  };
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    dataDir,
    web: addresses.web,
    sshPort: Number(addresses.ssh.split(":").at(-1)),
    admin: createClient({ baseUrl: "http://admin", fetch: unixFetch(join(dataDir, "admin.sock")) }),
    pid: (child as ChildProcess & { pid: number }).pid,
    output: () => output,
    exited,
    kill,
    async close() {
      await kill("SIGTERM");
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type TestPerson = { id: string; name: string; key: PrivateKey; keyFile: string };

/** A person with a new key, its file beside the gateway's data. */
export async function addPerson(
  gateway: Gateway,
  name: string,
  roles: NonNullable<PersonCreate["roles"]> = ["user"],
): Promise<TestPerson> {
  const key = generateKey("ed25519");
  const keyFile = join(gateway.dataDir, `${name}.key`);
  writeFileSync(keyFile, writePrivateKey(key, { random: systemRandom }), { mode: 0o600 });
  const person = await gateway.admin.people.create({ name, roles });
  await gateway.admin.people.addSshKey(person.id, { publicKey: publicKeyLine(key.public.blob) });
  return { id: person.id, name, key, keyFile };
}

/** Registers a running sshd as a target that everybody may use, its shown host keys trusted as an administrator would. */
export async function addTarget(gateway: Gateway, sshd: Sshd, target: Partial<TargetCreate> = {}) {
  const created = await gateway.admin.targets.create({
    name: "web-01",
    host: sshd.host,
    port: sshd.port,
    logins: [sshd.user],
    allowRoles: ["user"],
    ...target,
  });
  const scan = await gateway.admin.targets.scanHostKeys(created.id);
  return gateway.admin.targets.trustHostKeys(created.id, {
    kind: "pinned",
    keys: scan.keys.map((key) => key.publicKey),
  });
}

/** Options that make `ssh` and its family go through the gate as this person, asking nothing. */
export function sshOptions(gateway: Gateway, person: TestPerson): string[] {
  return [
    "-F",
    "none",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    `IdentityFile=${person.keyFile}`,
    "-o",
    `Port=${gateway.sshPort}`,
  ];
}
