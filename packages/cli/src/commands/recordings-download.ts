import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Client } from "@gatehouse/contracts/client";
import { GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { Verification } from "@gatehouse/recording";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, createProgress, exitCodes, formatBytes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { type TrustedKeyOptions, publicKeyIn, trustedKeysOf, withTrustedKey } from "./public-key.ts";
import { requireFree, writeTo } from "./write-whole.ts";

type Options = OutputOptions &
  GatewayOptions &
  TrustedKeyOptions & { output?: string; force?: boolean; verify: boolean };

/** So often it goes on by itself, as long as something came each time. */
const breaksMax = 5;

export function addDownload(recordings: Command, cli: Cli): void {
  withGateway(
    withOutput(
      withTrustedKey(
        recordings
          .command("download")
          .summary("take a recording's bundle away, and check it")
          .description(
            "Takes the sealed bundle of a recording, which proves itself, and checks it here when it is whole. What breaks off goes on where it was, by itself or when the command is run again. Without --trusted-key the key is the one that the gateway names. Exit code 1 when it does not verify.",
          )
          .argument("<session-id>")
          .option("-o, --output <file>", "where to. Left out: the name that the gateway gives it")
          .option("--force", "write over a file that is there")
          .option("--no-verify", "do not check it"),
      ),
    ),
  )
    .addHelpText(
      "after",
      `
Example:
  $ ${cli.command} recordings download 0199c0de-0000-7000-8000-000000000001 --trusted-key gateway.pem`,
    )
    .action(async (id: string, options: Options) => {
      const given = await trustedKeysOf(options, cli.workingDirectory);
      const { client } = await connect(options, cli);
      const path = resolve(cli.workingDirectory, options.output ?? `${id}.tar`);
      await requireFree(path, options.force === true);
      const bytes = await download(client, id, path, cli);
      const printer = printerFor(cli, options);
      if (!options.verify) {
        printer.done({ file: path, bytes }, `${path}: ${formatBytes(bytes)}, not checked`);
        return;
      }
      const trustedKeys = given.length > 0 ? given : [publicKeyIn(await client.ca.recordings())];
      const verification = await verified(path, id, trustedKeys, cli);
      const { ok, headSha256, signer, segments, audit, findings } = verification;
      printer.thing({ file: path, bytes, verification }, [
        ["result", ok ? "verified" : "NOT VERIFIED"],
        ["file", `${path}, ${formatBytes(bytes)}`],
        ["segments", String(segments)],
        ["head", headSha256],
        ["audit events", audit && String(audit.events)],
        [
          "signed by",
          signer && `${signer.keyId}, ${given.length > 0 ? "which you trust" : "as the gateway says"}`,
        ],
        ...findings.map(({ code, message }) => [code, message] as const),
      ]);
      if (!ok) throw new SilentExit(exitCodes.failed);
    });
}

/** Resolves with its length when it is whole and in its place. What is there of it stays beside it until then. */
async function download(client: Client, id: string, path: string, cli: Cli): Promise<number> {
  const part = `${path}.part`;
  // By it the gateway knows of what they are the beginning.
  const tagFile = `${path}.part.tag`;
  const progress = createProgress({
    label: "downloading",
    totalBytes: (await client.recordings.get(id)).bytes ?? undefined,
    clock: cli.clock,
    stderr: cli.stderr,
  });
  try {
    for (let breaks = 0; ;) {
      const has = await begun(part, tagFile);
      const { chunks, tag, isPart } = await client.recordings
        .export(id, "bundle", { signal: cli.signal, ...(has && { part: has }) })
        .catch(async (error: unknown) => {
          // Who may not have it keeps no beginning of it either.
          if (isGatehouseError(error, "denied") || isGatehouseError(error, "not_found"))
            await forget(part, tagFile);
          throw error;
        });
      if (tag === undefined) await rm(tagFile, { force: true });
      else await writeFile(tagFile, tag, { mode: 0o600 });
      if (isPart && breaks === 0) progress.moved(has?.from ?? 0);
      let came = 0;
      try {
        await writeTo(part, isPart ? "a" : "w", chunks, (bytes) => {
          came += bytes;
          progress.moved(bytes);
        });
        break;
      } catch (error) {
        if (cli.signal.aborted) throw error;
        if (came === 0 || ++breaks > breaksMax || tag === undefined) throw brokeOff(cli, error);
      }
    }
  } finally {
    progress.done();
  }
  await rename(part, path);
  await rm(tagFile, { force: true });
  return (await stat(path)).size;
}

async function begun(part: string, tagFile: string): Promise<{ from: number; tag: string } | undefined> {
  const [found, tag] = await Promise.all([
    stat(part).catch(() => undefined),
    readFile(tagFile, "utf8").catch(() => undefined),
  ]);
  return found && tag !== undefined && found.size > 0 ? { from: found.size, tag } : undefined;
}

async function forget(...files: string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}

async function verified(
  path: string,
  recordingId: string,
  trustedKeys: readonly Uint8Array[],
  cli: Cli,
): Promise<Verification> {
  const { placeOf } = await import("../source/mod.ts");
  const { verifyRecording } = await import("@gatehouse/recording");
  const { nodeZstd } = await import("@gatehouse/recording/node");
  const place = await placeOf(path, cli.workingDirectory);
  if (place?.kind !== "recording") throw brokeOff(cli, new Error("what came is no bundle"));
  return verifyRecording(place.source, { trustedKeys, zstd: nodeZstd, expected: { recordingId } });
}

function brokeOff(cli: Cli, cause: unknown): GatehouseError {
  return new GatehouseError({
    code: "unavailable",
    op: "cli.download",
    message: `the download broke off: ${messageOf(cause)}`,
    hint: `Run \`${cli.command} recordings download\` again: it goes on where it was.`,
    cause,
  });
}
