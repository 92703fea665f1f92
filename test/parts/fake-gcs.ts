/**
 * fake-gcs-server for tests, where it is installed (`go install github.com/fsouza/fake-gcs-server@v1.56.1`, minutes of
 * compiling, so no test does it). In memory, on a free loopback port.
 *
 * What it does not do, so that no test of ours claims it: it keeps no retention, and takes an object with a wrong CRC32C.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { freePort } from "./free-port.ts";

const program = "fake-gcs-server";

function programPath(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Why it cannot be started here; undefined where it can. */
export function fakeGcsMissing(): string | undefined {
  return programPath() === undefined
    ? `${program} is not on the PATH; run: go install github.com/fsouza/fake-gcs-server@v1.56.1`
    : undefined;
}

export type FakeGcs = { endpoint: string; close(): Promise<void> };

export async function startFakeGcs(bucket: string): Promise<FakeGcs> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = ["-backend=memory", "-scheme=http", "-host=127.0.0.1", `-port=${port}`];
  const child = spawn(
    programPath() as string,
    [...args, `-external-url=${endpoint}`, `-public-host=127.0.0.1:${port}`],
    { stdio: "ignore" },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const body = JSON.stringify({ name: bucket, versioning: { enabled: true } });
  for (let tries = 0; ; tries++) {
    const made = await fetch(`${endpoint}/storage/v1/b?project=none`, { method: "POST", body }).catch(
      () => undefined,
    );
    if (made?.ok) break;
    if (tries > 200 || child.exitCode !== null) throw new Error(`${program} did not begin to answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    endpoint,
    async close() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
