/**
 * Azurite for tests: Microsoft's own emulator of Azure Blob Storage, in memory, on a free loopback port.
 *
 * What it does not do, so that no test of ours claims it: it keeps no versions, answers 501 to immutability policies and
 * legal holds, and takes an upload with an immutability policy and then lets the blob be removed.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

/** The emulator's well-known account; not a secret. */
const account = "devstoreaccount1";
const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export type Azurite = {
  /** `http://127.0.0.1:port/devstoreaccount1` */
  accountUrl: string;
  /** For a server at this address, such as a proxy. */
  connectionString(accountUrl?: string): string;
  close(): Promise<void>;
};

export async function startAzurite(): Promise<Azurite> {
  const port = await freePort();
  const main = fileURLToPath(import.meta.resolve("azurite/dist/src/blob/main.js"));
  const child = spawn(
    process.execPath,
    [
      main,
      "--blobHost=127.0.0.1",
      `--blobPort=${port}`,
      "--inMemoryPersistence",
      "--disableTelemetry",
      "--skipApiVersionCheck",
      "--silent",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (/successfully listen/i.test(output)) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then(() => reject(new Error(`azurite ended at its start:\n${output}`)));
  });
  const own = `http://127.0.0.1:${port}/${account}`;
  return {
    accountUrl: own,
    connectionString: (accountUrl = own) =>
      `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${accountUrl};`,
    async close() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
