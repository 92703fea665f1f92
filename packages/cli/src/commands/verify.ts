import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { GatehouseError, fromBase64, fromHex, toBase64 } from "@gatehouse/kernel";
import type { RecordingSource, Verification } from "@gatehouse/recording";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { SilentExit, createProgress, exitCodes, formatBytes } from "../output/mod.ts";
import type { IdentityOptions } from "../source/mod.ts";
import { type OutputOptions, again, printerFor, usage, withIdentity, withOutput } from "./options.ts";

type Options = OutputOptions & IdentityOptions & { trustedKey?: string[]; head?: string };

export function addVerify(program: Command, cli: Cli): void {
  const command = program
    .command("verify")
    .summary("check a recording offline")
    .description(
      "Checks a recording that lies on this machine: every segment, the chain, the signatures, and with a key every " +
        "frame. It needs no gateway, no database and no network, and names each thing that is wrong.\n\n" +
        "Without --trusted-key it shows that one key signed everything, and which; whose key that is you must compare yourself.",
    )
    .argument("<recording>", "a bundle (.tar), or a directory with a manifest and its segments")
    .option(
      "-k, --trusted-key <key>",
      "the gateway's public key: a PEM file, 32 bytes in base64 or hexadecimal; may be given again",
      again,
    )
    .option("--key <key>", "the same as --trusted-key")
    .option("--head <sha256>", "the head that the audit log carries for this session");
  withOutput(withIdentity(command))
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} verify session.tar --trusted-key gateway.pem
  $ ${cli.command} verify ./session/ -i identity.txt --json

Exit codes: 0 it verifies, 1 it does not, 2 the command line was wrong, 4 there is no such file`,
    )
    .action(async (what: string, options: Options & { key?: string }) => {
      const keys = [...(options.trustedKey ?? []), ...(options.key === undefined ? [] : [options.key])];
      const trustedKeys = await Promise.all(keys.map((key) => publicKeyOf(key, cli.workingDirectory)));
      if (options.head !== undefined && !/^[0-9a-f]{64}$/.test(options.head))
        throw usage("--head expects a SHA-256 of 64 hexadecimal digits");
      // Loaded here: reading recordings brings cryptography that no other command waits for.
      const { noSuch, openersOf, placeOf } = await import("../source/mod.ts");
      const { verifyRecording } = await import("@gatehouse/recording");
      const { nodeZstd } = await import("@gatehouse/recording/node");
      const openers = await openersOf(options, cli);
      const place = await placeOf(what, cli.workingDirectory);
      if (!place) throw noSuch(what);
      if (place.kind === "asciicast")
        throw usage(`${what} is an asciicast, which carries no proof`, "Verify the bundle it was made from.");
      const progress = createProgress({
        label: "verifying",
        totalBytes: undefined,
        clock: cli.clock,
        stderr: cli.stderr,
      });
      const verification = await verifyRecording(counted(place.source, progress.moved), {
        ...(trustedKeys.length > 0 && { trustedKeys }),
        ...(openers.length > 0 && { openers }),
        zstd: nodeZstd,
        ...(options.head !== undefined && { expected: { headSha256: options.head } }),
      });
      progress.done();
      say(verification, options, cli);
      if (!verification.ok) throw new SilentExit(exitCodes.failed);
    });
}

function say(verification: Verification, options: Options, cli: Cli): void {
  const printer = printerFor(cli, options);
  const { facts, signer, findings, findingsCount, decrypted } = verification;
  const fingerprint = signer && `${signer.keyId} (${signer.publicKey})`;
  const frames =
    decrypted.withheld === undefined
      ? `${verification.frames} declared; nothing decrypted, for no identity or key service was given`
      : `${decrypted.frames} decrypted and checked of ${verification.frames}${decrypted.withheld.length > 0 ? `; no key to the ${decrypted.withheld.join(" and ")} lane` : ""}`;
  printer.thing(verification, [
    ["result", verification.ok ? "verified" : "NOT VERIFIED"],
    ["session", verification.recordingId],
    ["person", facts && `${facts.user.name}, ${facts.login} at ${facts.target.name}`],
    ["started", facts && printer.time(facts.startedAt)],
    ["state", verification.state],
    ["segments", `${verification.segments}, ${formatBytes(verification.bytes)}`],
    ["frames", frames],
    ["head", verification.headSha256],
    ["opens for", decrypted.withheld?.length === 0 ? undefined : verification.recipients.join("\n")],
    ["signed by", fingerprint && `${fingerprint}${signer.trusted ? ", which you trust" : ""}`],
  ]);
  if (printer.format !== "text") return;
  for (const { frames, reason } of verification.breaks)
    printer.line(`- stated as lost by the gateway, ${frames} frames: ${reason}`);
  for (const finding of findings) printer.line(`- ${finding.code}: ${finding.message}`);
  if (findingsCount > findings.length) printer.line(`- and ${findingsCount - findings.length} more`);
  if (signer && !signer.trusted && !options.trustedKey)
    cli.stderr.write(
      `note: no trusted key was given. One key, ${signer.keyId}, signed all of it; compare it with the gateway's own before you rely on this.\n`,
    );
}

/** A PEM file, base64 or hexadecimal of the 32 bytes of an Ed25519 public key. Public, so it may stand in the command line. */
async function publicKeyOf(text: string, workingDirectory: string): Promise<Uint8Array> {
  if (/^[0-9a-f]{64}$/i.test(text)) return fromHex(text.toLowerCase());
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return fromBase64(text);
  const pem = await readFile(resolve(workingDirectory, text), "utf8").catch((cause: unknown) => {
    throw new GatehouseError({
      code: "invalid",
      op: "cli.usage.key",
      message: `${text} is neither a public key nor a file that can be read`,
      hint: "Expected the path of a PEM file, or 32 bytes in base64 or hexadecimal.",
      cause,
    });
  });
  const base64 = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(pem)?.[1];
  const der = base64 === undefined ? undefined : fromBase64(base64.replaceAll(/\s/g, ""));
  // RFC 8410 §4: 12 bytes say that it is Ed25519, 32 are the key.
  if (der?.length !== 44 || toBase64(der.subarray(0, 12)) !== "MCowBQYDK2VwAyEA")
    throw usage(`${text} is not the PEM of an Ed25519 public key`);
  return der.subarray(12);
}

function counted(source: RecordingSource, moved: (bytes: number) => void): RecordingSource {
  return {
    list: () => source.list(),
    async read(name, bytesMax) {
      const bytes = await source.read(name, bytesMax);
      moved(bytes.length);
      return bytes;
    },
  };
}
