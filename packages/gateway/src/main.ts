import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GatehouseError, isGatehouseError, messageOf, systemClock, systemRandom } from "@gatehouse/kernel";
import { type Gatehouse, compose } from "./compose.ts";
import { type Config, checkConfig, formatAddress, formatFinding } from "./config/mod.ts";
import { configSections } from "./registry/mod.ts";
import { createLog } from "./telemetry/mod.ts";

const version = (
  JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8")) as {
    version: string;
  }
).version;
const pagesFolder = fileURLToPath(new URL("../../web/dist", import.meta.url));

/** Runs a gateway until it is told to stop. Resolves with the exit code: 0, 1 when it failed, 2 for a wrong configuration. */
export async function runGateway({ file }: { file: string | undefined }): Promise<number> {
  const checked = checkConfig({
    file,
    env: process.env,
    sections: configSections,
    ignoredVariables: ["GATEHOUSE_URL"],
  });
  if (!checked.ok) {
    for (const finding of checked.findings) process.stderr.write(`${formatFinding(finding)}\n`);
    return 2;
  }
  const { config } = checked;
  const log = createLog({
    level: config.log.level,
    format:
      config.log.format === "auto" ? (config.mode === "production" ? "json" : "text") : config.log.format,
    sink: process.stderr,
    nowMs: () => Date.now(),
  });
  const stopped = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stopped.resolve(signal));
  // A fault of ours that nobody caught leaves no known state: the journal recovers what was committed.
  process.on("uncaughtException", (error) => {
    log.error("uncaught", { error });
    process.exit(1);
  });
  let gatehouse: Gatehouse;
  try {
    mkdirSync(config.data_dir, { recursive: true, mode: 0o700 });
    gatehouse = await compose({
      config,
      clock: systemClock,
      random: systemRandom,
      log,
      version,
      pagesFolder: existsSync(join(pagesFolder, "index.html")) ? pagesFolder : undefined,
      demoKeys: config.demo.enabled ? publicKeysOf(join(homedir(), ".ssh")) : [],
    });
  } catch (error) {
    const known = isGatehouseError(error) ? error : undefined;
    process.stderr.write(`error: ${messageOf(error)}\n${known?.hint ? `hint: ${known.hint}\n` : ""}`);
    log.error("the gateway did not start", { error });
    return 1;
  }
  greet(gatehouse, config);
  const reason = await stopped.promise;
  process.stdout.write("\nClosing: sessions are told, recordings are sealed.\n");
  await gatehouse.stop(reason);
  return 0;
}

/** What a person needs to know first. The link is a secret: in production it goes to a file, not to a log collector. */
function greet(gatehouse: Gatehouse, config: Config<typeof configSections>): void {
  const lines = [
    "",
    "Gatehouse is open.",
    "",
    `  Web    ${gatehouse.web}`,
    `  API    ${gatehouse.web}/api/docs`,
    `  SSH    ${formatAddress(gatehouse.ssh)}  (host key ${gatehouse.hostKeyFingerprint})`,
    `  Data   ${config.data_dir}`,
  ];
  if (gatehouse.interrupted > 0)
    lines.push(
      "",
      `  ${gatehouse.interrupted} interrupted sessions were found and closed; their recordings are kept.`,
    );
  if (gatehouse.firstSignIn) {
    let where = gatehouse.firstSignIn.url;
    if (config.mode === "production") {
      where = join(config.data_dir, "first-sign-in.url");
      writeFileSync(where, `${gatehouse.firstSignIn.url}\n`, { mode: 0o600 });
    }
    lines.push("", "  Sign in for the first time, once, within a day:", `    ${where}`);
  }
  if (gatehouse.demo) {
    const { port } = gatehouse.ssh;
    lines.push("", "  Try it, from another terminal:");
    if (gatehouse.demo.keys.length === 0)
      lines.push("    ssh-keygen -t ed25519", "    npx gatehouse users keys add admin ~/.ssh/id_ed25519.pub");
    lines.push(`    ssh -p ${port} ${gatehouse.demo.target}@localhost`);
  }
  process.stdout.write(`${lines.join("\n")}\n\n`);
}

function publicKeysOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^id_[a-z0-9_]+\.pub$/.test(name))
      .map((name) => readFileSync(join(folder, name), "utf8").trim());
  } catch {
    return []; // no folder, no keys: the greeting says how to make one
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { config: { type: "string" } } });
  const file = values.config ?? process.env["GATEHOUSE_CONFIG"];
  if (file !== undefined && !existsSync(file))
    throw new GatehouseError({
      code: "not_found",
      op: "gateway.start",
      message: `there is no configuration file ${file}`,
    });
  process.exitCode = await runGateway({ file });
}
