import { type Clock, equalBytes, type Random, toHex } from "@gatehouse/kernel";
import type { StoreProbe } from "@gatehouse/recording/pipeline";
import type { ObjectService, StoreFinding } from "./object-service.ts";

/** No key of a recording begins with a dot, so no listing of recordings meets a probe. */
const probes = ".gatehouse-probe/";
const probeRetentionMs = 60_000;
const skewWarningMs = 5_000;
const skewProblemMs = 300_000;
/** Former probes that are removed by one probe. */
const sweepMax = 20;

/**
 * Writes an object with a short retention, reads it back, and does to it what nobody should be able to do. What is left
 * behind because the service keeps it is removed by a later probe.
 */
export async function probeService(options: {
  service: ObjectService;
  clock: Clock;
  random: Random;
}): Promise<{ probe: StoreProbe; refusesExisting: boolean }> {
  const { service, clock, random } = options;
  const machineMs = clock.nowMs();
  const key = `${probes}${String(machineMs).padStart(15, "0")}-${toHex(random.bytes(8))}`;
  const bytes = random.bytes(64);
  // An answer, so that its clock is known: a service refuses a retention that has ended by its own.
  if (service.clockAheadMs() === undefined) await service.versions(key);
  const nowMs = clock.nowMs() + (service.clockAheadMs() ?? 0);
  const retainUntilMs = nowMs + probeRetentionMs;

  await service.put(key, bytes, { retainUntilMs, onlyNew: true });
  const [first] = (await service.versions(key)).versions;
  if (!first) throw new Error("a probe object was taken and is not there");
  if (!equalBytes(await service.get(key, first), bytes))
    throw new Error("a probe object was read back with other bytes");

  const refused = (work: Promise<unknown>) => refusal(service, work);
  const again = { retainUntilMs };
  const refusesExisting = await refused(service.put(key, random.bytes(64), { ...again, onlyNew: true }));
  const refusesOverwrite =
    refusesExisting && (await refused(service.put(key, random.bytes(64), { ...again, onlyNew: false })));
  const keepsFirst = refusesOverwrite || (await isStill(service, key, bytes));

  const [target] = (await service.versions(key)).versions;
  const locked = target !== undefined && (await service.facts(key, target)).lockedUntilMs > nowMs;
  const refusesRemoval = target !== undefined && (await refused(service.remove(key, target.id)));
  const survived = keepsFirst && refusesRemoval && (await isStill(service, key, bytes));

  const overwrite = keepsFirst ? "backend" : "gatehouse";
  const deletion = survived && locked ? "backend" : "gatehouse";
  const settings = await service.inspect(`${key}-`);
  const findings = [
    overwriteFinding({ refusesExisting, refusesOverwrite, keepsFirst }),
    removalFinding({
      asked: service.asksRetention,
      locked,
      refusesRemoval,
      survived: survived || !keepsFirst,
    }),
    ...skewFindings(service.clockAheadMs()),
    ...settings,
    ...(await sweep(service, clock.nowMs(), key, survived)),
  ];
  const clockAheadMs = service.clockAheadMs();
  return {
    probe: { overwrite, deletion, findings, ...(clockAheadMs !== undefined && { clockAheadMs }) },
    refusesExisting,
  };
}

function overwriteFinding(seen: {
  refusesExisting: boolean;
  refusesOverwrite: boolean;
  keepsFirst: boolean;
}): StoreFinding {
  if (seen.refusesOverwrite) return { level: "ok", message: "the service refuses to overwrite an object" };
  const condition = seen.refusesExisting
    ? ""
    : "; it does not listen to the condition that a key be new, so Gatehouse looks before and after it writes";
  if (seen.keepsFirst)
    return {
      level: "ok",
      message: `an overwrite becomes a newer version; what was written first stays, and is what is read${condition}`,
    };
  return {
    level: "warning",
    message: `overwriting an object is refused by Gatehouse only: whoever has its credentials can do it${condition}`,
    hint: "Switch on versioning and a lock or retention policy for the bucket or container.",
  };
}

function removalFinding(seen: {
  asked: boolean;
  locked: boolean;
  refusesRemoval: boolean;
  survived: boolean;
}): StoreFinding {
  if (seen.refusesRemoval && !seen.survived)
    return {
      level: "problem",
      message: "the service refused to remove an object, and the object is gone",
      hint: "Do not keep recordings here.",
    };
  if (seen.locked && seen.refusesRemoval)
    return { level: "ok", message: "the service refuses to remove an object before its retention ends" };
  if (seen.asked && !seen.refusesRemoval)
    return {
      level: "problem",
      message: "the service takes an object with a retention date, and removes it all the same",
      hint: "It does not implement retention. Keep recordings elsewhere, or accept that only Gatehouse guards them.",
    };
  if (seen.refusesRemoval)
    return {
      level: "warning",
      message: "this account may not remove objects, but no retention holds them: another account may",
      hint: "Switch on a lock or retention policy for the bucket or container.",
    };
  return {
    level: "warning",
    message:
      "removing an object before its time is refused by Gatehouse only: whoever has its credentials can do it",
    hint: "Switch on a lock or retention policy for the bucket or container.",
  };
}

function skewFindings(aheadMs: number | undefined): StoreFinding[] {
  if (aheadMs === undefined) return [];
  const size = Math.abs(aheadMs);
  const seconds = Math.round(size / 1000);
  if (size < skewWarningMs)
    return [{ level: "ok", message: "the service's clock and this machine's agree within seconds" }];
  return [
    {
      level: size < skewProblemMs ? "warning" : "problem",
      message: `the service's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's; locks end by the service's`,
      hint: "Set this machine's clock by NTP.",
    },
  ];
}

/** Removes this probe where nothing keeps it, and former ones whose retention has ended. */
async function sweep(
  service: ObjectService,
  nowMs: number,
  own: string,
  kept: boolean,
): Promise<StoreFinding[]> {
  let count = 0;
  try {
    for await (const key of service.keys(probes, undefined)) {
      const writtenMs = Number(key.slice(probes.length).split("-")[0]);
      const mine = key.startsWith(own);
      // A minute for clocks that differ.
      const over = writtenMs + 2 * probeRetentionMs < nowMs;
      if (!over && !(mine && !kept)) continue;
      const { versions, markers } = await service.versions(key);
      for (const id of [...markers, ...versions.map((version) => version.id)]) await service.remove(key, id);
      if (++count >= sweepMax) break;
    }
    return [];
  } catch (error) {
    const fault = service.fault(error);
    if (fault.code === "not_found") return [];
    return [
      {
        level: "warning",
        message: `probe objects whose retention has ended could not be removed (${fault.name}): neither could expired recordings`,
        hint: "Let this account delete objects and versions; retention still holds what it holds.",
      },
    ];
  }
}

async function isStill(service: ObjectService, key: string, bytes: Uint8Array): Promise<boolean> {
  const [first] = (await service.versions(key)).versions;
  if (!first) return false;
  return equalBytes(await service.get(key, first), bytes);
}

/** Whether the service refuses it; anything else that goes wrong is not an answer. */
async function refusal(service: ObjectService, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    const { code } = service.fault(error);
    if (code === "conflict" || code === "denied") return true;
    throw error;
  }
}
