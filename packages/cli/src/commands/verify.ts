import type { RecordingSource, Verification } from "@gatehouse/recording";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { SilentExit, createProgress, exitCodes, formatBytes } from "../output/mod.ts";
import type { IdentityOptions } from "../source/mod.ts";
import type { AuditFileVerdict } from "./audit-file.ts";
import { type OutputOptions, printerFor, usage, withIdentity, withOutput } from "./options.ts";
import { type TrustedKeyOptions, trustedKeysOf, withTrustedKey } from "./public-key.ts";

type Options = OutputOptions & IdentityOptions & TrustedKeyOptions & { head?: string; audit?: string };

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
    .option("--audit <file>", "an export of the audit log, to hold the bundle's audit events to")
    .option("--head <sha256>", "the head that the audit log carries for this session");
  withOutput(withIdentity(withTrustedKey(command)))
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} verify session.tar --trusted-key gateway.pem
  $ ${cli.command} verify ./session/ -i identity.txt --json

Exit codes: 0 it verifies, 1 it does not, 2 the command line was wrong, 4 there is no such file`,
    )
    .action(async (what: string, options: Options) => {
      const trustedKeys = await trustedKeysOf(options, cli.workingDirectory);
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
      const { source } = place;
      async function logBeside(file: string): Promise<LogBeside> {
        const { compareWithLog, verifyAuditFile } = await import("./audit-file.ts");
        const sessionId = verification.recordingId;
        const { verdict, ofSession } = await verifyAuditFile(file, { trustedKeys, sessionId }, cli);
        const faults = [...verdict.faults, ...(await compareWithLog(source, ofSession))];
        return { ...verdict, ok: faults.length === 0, compared: ofSession.size, faults };
      }
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
      const log = options.audit === undefined ? undefined : await logBeside(options.audit);
      say(verification, log, options, cli);
      if (!verification.ok || log?.ok === false) throw new SilentExit(exitCodes.failed);
    });
}

/** What the audit log says of the bundle's events. */
type LogBeside = AuditFileVerdict & { compared: number };

function say(verification: Verification, log: LogBeside | undefined, options: Options, cli: Cli): void {
  const printer = printerFor(cli, options);
  const { facts, signer, findings, findingsCount, decrypted, audit } = verification;
  const fingerprint = signer && `${signer.keyId} (${signer.publicKey})`;
  const frames =
    decrypted.withheld === undefined
      ? `${verification.frames} declared; nothing decrypted, for no identity or key service was given`
      : `${decrypted.frames} decrypted and checked of ${verification.frames}${decrypted.withheld.length > 0 ? `; no key to the ${decrypted.withheld.join(" and ")} lane` : ""}`;
  const isGood = verification.ok && log?.ok !== false;
  printer.thing(log ? { ...verification, ok: isGood, log } : verification, [
    ["result", isGood ? "verified" : "NOT VERIFIED"],
    ["session", verification.recordingId],
    ["person", facts && `${facts.user.name}, ${facts.login} at ${facts.target.name}`],
    ["started", facts && printer.time(facts.startedAt)],
    ["state", verification.state],
    ["segments", `${verification.segments}, ${formatBytes(verification.bytes)}`],
    ["frames", frames],
    ["head", verification.headSha256],
    ["opens for", decrypted.withheld?.length === 0 ? undefined : verification.recipients.join("\n")],
    ["audit events", audit && `${audit.events}, ${vouchedFor(audit, log)}`],
    ["signed by", fingerprint && `${fingerprint}${signer.trusted ? ", which you trust" : ""}`],
  ]);
  if (printer.format !== "text") return;
  for (const { frames, reason } of verification.breaks)
    printer.line(`- stated as lost by the gateway, ${frames} frames: ${reason}`);
  for (const finding of findings) printer.line(`- ${finding.code}: ${finding.message}`);
  for (const fault of log?.faults ?? []) printer.line(`- audit log: ${fault}`);
  if (findingsCount > findings.length) printer.line(`- and ${findingsCount - findings.length} more`);
  if (signer && !signer.trusted && !options.trustedKey)
    cli.stderr.write(
      `note: no trusted key was given. One key, ${signer.keyId}, signed all of it; compare it with the gateway's own before you rely on this.\n`,
    );
}

function vouchedFor({ signer }: NonNullable<Verification["audit"]>, log: LogBeside | undefined): string {
  const signed = signer ? `signed by ${signer.keyId}` : "signed by nobody";
  if (!log) return signed;
  return log.ok ? `${signed}, and as the log has them` : `${signed}, and not as the log has them`;
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
