import type { Health } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type Printer, SilentExit, exitCodes, formatBytes } from "../output/mod.ts";
import { recordingStates } from "./recording-states.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

export function addStatus(program: Command, cli: Cli): void {
  withGateway(
    withOutput(
      program
        .command("status")
        .summary("is everything recorded, stored and delivered?")
        .description(
          "Asks the gateway who you are and how it is. Exit code 1 when it refuses sessions, 0 otherwise.",
        ),
    ),
  ).action(async (options: OutputOptions & GatewayOptions) => {
    const { client, where } = await connect(options, cli);
    const me = await client.auth.me();
    // Who may not ask still learns who they are.
    const health = me.may.includes("health.read") ? await client.health() : undefined;
    const printer = printerFor(cli, options);
    printer.thing({ where, me, health: health ?? null }, [
      ["gateway", `${me.gateway.id} ${me.gateway.version}, ${where}`],
      ["signed in as", `${me.name} (${me.roles.join(", ")})`],
      ["until", me.expiresAt === null ? undefined : printer.time(me.expiresAt)],
      ...(health ? healthFields(health, printer) : []),
    ]);
    if (health?.status === "refusing") throw new SilentExit(exitCodes.failed);
  });
}

function healthFields(health: Health, printer: Printer): [string, string | undefined][] {
  const { journal, shipping, store, recordings, audit } = health;
  const failed = (error: string | null) => (error === null ? "" : `; ${error}`);
  return [
    ["status", health.status],
    ["running since", printer.time(health.gateway.startedAt)],
    ["sessions", `${health.sessions.live} live`],
    [
      "journal",
      `${formatBytes(journal.usedBytes)} used and ${formatBytes(journal.reservedBytes)} reserved of ${formatBytes(journal.capacityBytes)}${failed(journal.failure)}`,
    ],
    [
      "shipping",
      `${shipping.waitingSegments} segments wait, ${formatBytes(shipping.waitingBytes)}${failed(shipping.lastError)}`,
    ],
    [
      "store",
      `${store.kind} ${store.location}, ${store.reachable ? "reachable" : "NOT REACHABLE"}${failed(store.lastError)}`,
    ],
    [
      "written once",
      `overwriting is refused by ${refuser(store.overwrite)}, early deletion by ${refuser(store.deletion)}`,
    ],
    ...health.keyServices.map(({ service, key, reachable, lastError }): [string, string] => [
      "key service",
      `${service} ${key}, ${reachable === null ? "not asked yet" : reachable ? "wraps keys" : "DOES NOT WRAP"}${failed(lastError)}`,
    ]),
    [
      "recordings",
      recordings
        ? recordingStates
            .filter((state) => recordings[state] > 0)
            .map((state) => `${recordings[state]} ${state}`)
            .join(", ") || "none"
        : "NOT COUNTED: the database does not answer",
    ],
    [
      "audit log",
      `${audit.events} events, ${audit.appendable ? "appendable" : "NOT APPENDABLE"}${failed(audit.lastError)}`,
    ],
    ...health.findings.map(({ level, message, hint }): [string, string] => [
      level,
      hint === null ? message : `${message}\n${hint}`,
    ]),
  ];
}

const refuser = (who: Health["store"]["overwrite"]): string =>
  ({ backend: "the store itself", gatehouse: "Gatehouse alone", none: "nobody" })[who];
