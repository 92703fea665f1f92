/**
 * Real OpenSSH for tests: a server as a process of its own on a free loopback port, and its client's tools.
 */
import { type ChildProcess, type SpawnOptions, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { systemRandom } from "@gatehouse/kernel";
import {
  generateKey,
  parsePrivateKey,
  writePrivateKey,
} from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";

const serverProgram = "/usr/sbin/sshd";
const programs = [
  serverProgram,
  "/usr/bin/ssh",
  "/usr/bin/ssh-keygen",
  "/usr/bin/ssh-agent",
  "/usr/lib/openssh/sftp-server",
];

/** Throws with the command to run when OpenSSH is not on this machine. */
export function installed(): void {
  const missing = programs.filter((program) => !existsSync(program));
  if (missing.length > 0)
    throw new Error(
      `these tests need ${missing.join(", ")}; run: apt-get install -y --no-install-recommends openssh-server openssh-client openssh-sftp-server`,
    );
}

export type SshdOptions = {
  /** Private key files' texts. Default: one new Ed25519 key. */
  hostKeys?: readonly string[];
  /** Lines of host certificates, for the keys above. */
  hostCertificates?: readonly string[];
  /** Lines of `authorized_keys`. */
  authorizedKeys?: readonly string[];
  /** The public key line of a user CA. */
  trustedUserCa?: string;
  /** Lines of sshd_config; they come first, so they win. */
  extraConfig?: readonly string[];
};

export type Sshd = {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** The account that runs the tests: `authorizedKeys` are for it. */
  readonly user: string;
  readonly hostKeyBlobs: readonly Uint8Array[];
  /** What the server wrote to its log, at VERBOSE. */
  log(): string;
  close(): Promise<void>;
};

/** Starts sshd, and resolves when it listens. Every account may log in, with a key only unless `extraConfig` says else. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  installed();
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-sshd-"));
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        return await startOnce(options, directory);
      } catch (error) {
        // Between the choice of the port and its use somebody else may have taken it.
        if (attempt === 4 || !(error instanceof Error) || !error.message.includes("in use")) throw error;
      }
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startOnce(options: SshdOptions, directory: string): Promise<Sshd> {
  // sshd as root insists on its privilege separation directory, which only a boot would make.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  chmodSync(directory, 0o755);
  const file = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content.endsWith("\n") ? content : `${content}\n`, { mode: 0o600 });
    return path;
  };
  const hostKeys = options.hostKeys ?? [writePrivateKey(generateKey("ed25519"), { random: systemRandom })];
  const port = await freePort();
  const authorizedKeys = file("authorized_keys", (options.authorizedKeys ?? []).join("\n"));
  chmodSync(authorizedKeys, 0o644);
  const config = [
    ...(options.extraConfig ?? []),
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...hostKeys.map((text, i) => `HostKey ${file(`host_key_${i}`, text)}`),
    ...(options.hostCertificates ?? []).map(
      (line, i) => `HostCertificate ${file(`host_key_${i}-cert.pub`, line)}`,
    ),
    `AuthorizedKeysFile ${authorizedKeys}`,
    ...(options.trustedUserCa === undefined
      ? []
      : [`TrustedUserCAKeys ${file("user_ca.pub", options.trustedUserCa)}`]),
    "PidFile none",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    `UsePAM ${process.getuid?.() === 0 ? "yes" : "no"}`,
    "UseDNS no",
    "PrintMotd no",
    "PrintLastLog no",
    "MaxStartups 1000",
    "MaxSessions 1000",
    "AcceptEnv LANG LC_* GATEHOUSE_*",
    "Subsystem sftp /usr/lib/openssh/sftp-server",
    "LogLevel VERBOSE",
  ];
  const child = spawn(serverProgram, ["-D", "-e", "-f", file("sshd_config", config.join("\n"))], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr?.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`sshd ended with ${code}: ${log}`)));
    child.stderr?.on("data", (text: string) => {
      // Enough for any assertion, and no more than a day's test can fill.
      log = (log + text).slice(-1_000_000);
      if (log.includes("Server listening on")) resolve();
    });
  });
  child.removeAllListeners("exit");
  return {
    host: "127.0.0.1",
    port,
    user: userInfo().username,
    hostKeyBlobs: hostKeys.map((text) => parsePrivateKey(text).public.blob),
    log: () => log,
    async close() {
      await endTree(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Each connection's sshd is a session of its own, with the person's programs below it: the whole tree goes. */
function endTree(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => {
      // Whoever inherited the other end must not keep this process waiting.
      child.stderr?.destroy();
      resolve();
    });
    for (const pid of [child.pid, ...descendants(child.pid)]) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself in between.
      }
    }
  });
}

function descendants(pid: number): number[] {
  const found = childrenOf(pid);
  // The list grows as it is walked: children of children follow.
  for (const child of found) found.push(...childrenOf(child));
  return found;
}
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(),
      );
    });
  });
}

/** Options for `ssh`, `scp` and `sftp` that leave the account's own configuration, keys and known hosts alone. */
export const plainClient: readonly string[] = [
  "BatchMode=yes",
  "IdentitiesOnly=yes",
  "GlobalKnownHostsFile=/dev/null",
  "UserKnownHostsFile=/dev/null",
  "StrictHostKeyChecking=no",
  "LogLevel=ERROR",
].reduce((args, option) => args.concat("-o", option), ["-F", "none"]);

export type Ran = { code: number | null; signal: NodeJS.Signals | null; stdout: Buffer; stderr: string };

/** Runs a program to its end with `input` on its stdin, and returns what it said. Never throws for its exit code. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: Uint8Array | string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const settings: SpawnOptions = {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: "SIGKILL",
      ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    };
    const child = spawn(program, args, settings);
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }));
    child.stdin?.on("error", () => undefined); // the program may end before it read everything
    child.stdin?.end(options.input ?? "");
  });
}

/** `ssh-keygen` to its end; throws with its words when it fails. */
export function sshKeygen(...args: string[]): string {
  return execFileSync("/usr/bin/ssh-keygen", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
