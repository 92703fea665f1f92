import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { GatehouseError, fromBase64, fromUtf8 } from "@gatehouse/kernel";
import { type RecordingSource, bundleNames, formatLimits, signerKeyId } from "@gatehouse/recording";
import type { Cli } from "../cli.ts";
import { createProgress } from "../output/mod.ts";

/** An export of the audit log that lies on this machine, judged. */
export type AuditFileVerdict = {
  ok: boolean;
  events: number;
  headHash: string | null;
  /** Who signed where it ends, and when. */
  signedBy: string | null;
  signedAt: string | null;
  faults: string[];
};

/** What was read of one session's events in it: their canonical JSON by index. */
export type SessionEvents = ReadonlyMap<number, string>;

/** Needs nothing but the file and, to know whose it is, the gateway's public key. */
export async function verifyAuditFile(
  name: string,
  options: {
    trustedKeys: readonly Uint8Array[];
    head?: { index: number; hash: string } | undefined;
    sessionId?: string | undefined;
  },
  cli: Cli,
): Promise<{ verdict: AuditFileVerdict; ofSession: SessionEvents }> {
  const path = resolve(cli.workingDirectory, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile())
    throw new GatehouseError({
      code: "not_found",
      op: "cli.audit.file",
      message: `there is no file ${name}`,
      hint: `\`${cli.command} audit export > audit.jsonl\` makes one.`,
    });
  const { verifyExport } = await import("@gatehouse/gateway/audit");
  const { trustedKeys, head, sessionId } = options;
  const ofSession = new Map<number, string>();
  const progress = createProgress({
    label: "verifying",
    totalBytes: found.size * (trustedKeys.length > 0 ? 1 : 2),
    clock: cli.clock,
    stderr: cli.stderr,
  });
  const outcome = await verifyExport(
    () => {
      const stream = createReadStream(path);
      stream.on("data", (chunk) => progress.moved(chunk.length));
      return createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    },
    {
      ...(trustedKeys.length > 0 && { trustedKeys }),
      ...(head && { known: [head] }),
      each({ index, body }) {
        if (sessionId === undefined || !body.includes(sessionId)) return;
        const event = JSON.parse(body) as { session_id?: unknown };
        if (event.session_id === sessionId) ofSession.set(index, body);
      },
    },
  ).finally(() => progress.done());
  const { ok, events, signed, faults } = outcome;
  const verdict = {
    ok,
    events,
    headHash: outcome.head?.hash ?? null,
    signedBy: signed ? await signerKeyId(fromBase64(signed.publicKey)) : null,
    signedAt: signed?.at ?? null,
    faults: faults.map(({ message }) => message),
  };
  return { verdict, ofSession };
}

/** What of a bundle's audit events is not as the log has it. */
export async function compareWithLog(source: RecordingSource, log: SessionEvents): Promise<string[]> {
  const names = await source.list();
  if (!names.includes(bundleNames.auditEvents)) return ["the bundle carries no audit events to compare"];
  const bytes = await source.read(bundleNames.auditEvents, formatLimits.auditEventsBytesMax);
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const line of fromUtf8(bytes).split("\n").filter(Boolean)) {
    const index = indexIn(line);
    if (index === undefined) faults.push("the bundle carries an event that is none");
    else if (!log.has(index)) faults.push(`event ${index} of the bundle is not in the log`);
    else if (log.get(index) !== line) faults.push(`event ${index} is another in the log`);
    if (index !== undefined) seen.add(index);
  }
  const upTo = Math.max(-1, ...seen);
  for (const index of log.keys())
    if (index <= upTo && !seen.has(index)) faults.push(`event ${index} of the log is missing in the bundle`);
  return faults;
}

function indexIn(line: string): number | undefined {
  try {
    const { index } = JSON.parse(line) as { index?: unknown };
    return typeof index === "number" ? index : undefined;
  } catch {
    return undefined;
  }
}
