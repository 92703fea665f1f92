import { equalBytes, fromBase64, isGatehouseError, messageOf } from "@gatehouse/kernel";
import { type Recording, openRecording, storeSource } from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { type ObjectStore, type RecordingState, objectPrefix } from "@gatehouse/recording/pipeline";
import type { SessionEntries } from "../directory/mod.ts";
import type { LegalHolds } from "./legal-holds.ts";

export type RecoveryReport = {
  /** Recordings that the store holds. */
  found: number;
  /** Sessions that the list did not have. */
  added: number;
  /** Sessions that the list had otherwise. */
  corrected: number;
  /** Recordings that the store itself holds, and the list did not know to be held. */
  held: number;
  /** What is not whole, not trusted, or not readable; listed up to a thousand. */
  faults: { sessionId: string; detail: string }[];
  faulty: number;
};

type RecoveryOptions = {
  store: Pick<ObjectStore, "list" | "read" | "retention">;
  sessions: Pick<SessionEntries, "byId" | "insert" | "end" | "setRecording">;
  /** Ed25519 public keys of the gateways whose signatures count. */
  trustedKeys: readonly Uint8Array[];
  /** The store's own hold is all that is left of one. */
  holds: Pick<LegalHolds, "hold">;
  /** Told of each recording. */
  progress?: (found: number) => void;
};

const root = "recordings/";
const pageLimit = 1_000;
const faultsMax = 1_000;
const finder = { subject: { name: "system" }, remoteAddress: "" };
const unknownHold = {
  reason:
    "the store held it when the list of sessions was made anew; why, and for whom, was lost with the database",
  owner: "unknown",
};

/**
 * Makes the list of sessions what the store says: who, when, on what, how it ended, the head, and whether all objects are there
 * and the manifest is signed by one who is trusted; and what the store holds is held. Nothing is opened, so no key is needed. It may be done again, after a part of
 * it or after all of it, and then changes nothing. What each object holds is for the checker to verify.
 */
export async function recoverSessions(options: RecoveryOptions): Promise<RecoveryReport> {
  const report: RecoveryReport = { found: 0, added: 0, corrected: 0, held: 0, faults: [], faulty: 0 };
  const fault = (sessionId: string, detail: string) => {
    report.faulty++;
    if (report.faults.length < faultsMax) report.faults.push({ sessionId, detail });
  };
  for await (const { prefix, names } of recordingsIn(options.store)) {
    const sessionId = prefix.slice(0, -1).split("/").at(-1) as string;
    report.found++;
    options.progress?.(report.found);
    let recording: Recording;
    try {
      const source = storeSource(options.store, prefix);
      recording = await openRecording({ source, openers: [], zstd: nodeZstd });
      if (`${objectPrefix(recording.facts)}/` !== prefix)
        throw new Error(`what lies there is of session ${recording.facts.sessionId}`);
    } catch (error) {
      // A store that does not answer would make every session look lost.
      if (isGatehouseError(error, "unavailable")) throw error;
      fault(sessionId, messageOf(error));
      continue;
    }
    const { state, detail } = judge(recording, names, options.trustedKeys);
    if (detail !== undefined) fault(sessionId, detail);
    const change = await list(options.sessions, recording, state, detail);
    if (change !== undefined) report[change]++;
    const entry = await options.sessions.byId(sessionId);
    if (entry?.hold || entry?.recordingState === "expired") continue;
    if (!(await isHeldIn(options.store, prefix, names))) continue;
    await options.holds.hold(finder, sessionId, unknownHold);
    report.held++;
  }
  return report;
}

type Found = { prefix: string; names: ReadonlySet<string> };

/** By recording, in the order of the store. */
async function* recordingsIn(store: RecoveryOptions["store"]): AsyncGenerator<Found> {
  let current: { prefix: string; names: Set<string> } | undefined;
  for (let after: string | undefined; ;) {
    const keys = await store.list(
      root,
      after === undefined ? { limit: pageLimit } : { limit: pageLimit, after },
    );
    for (const key of keys) {
      const [, prefix, name] = /^(recordings\/\d{4}\/\d{2}\/\d{2}\/[^/]+\/)([^/]+)$/.exec(key) ?? [];
      if (prefix === undefined || name === undefined) continue;
      if (current && current.prefix !== prefix) yield current;
      if (current?.prefix !== prefix) current = { prefix, names: new Set() };
      current.names.add(name);
    }
    if (keys.length === 0) break;
    after = keys.at(-1) as string;
  }
  if (current) yield current;
}

/** Objects are held and let go in their order: who was cut off at either leaves the first or the last held. */
async function isHeldIn(
  store: Pick<ObjectStore, "retention">,
  prefix: string,
  names: ReadonlySet<string>,
): Promise<boolean> {
  const ordered = [...names];
  for (const name of new Set([ordered[0], ordered.at(-1)]))
    if (name !== undefined && (await store.retention(prefix + name)).held) return true;
  return false;
}

function judge(
  { manifest, signature }: Recording,
  names: ReadonlySet<string>,
  trustedKeys: readonly Uint8Array[],
): { state: RecordingState; detail?: string } {
  // The rest of it may still lie on the gateway that made it, whose next start sends it.
  if (!manifest) return { state: "interrupted" };
  const signer = fromBase64(manifest.signer.publicKey);
  const stated = manifest.breaks?.map(({ reason }) => reason).join("; ");
  const missing = manifest.segments.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  const detail =
    signature !== "valid"
      ? "the manifest's signature does not match its content"
      : !trustedKeys.some((key) => equalBytes(key, signer))
        ? `signed by ${manifest.signer.keyId}, a key that is not trusted here`
        : missing.length > 0
          ? (stated ?? `${missing.length} segments are absent, ${missing[0]} first`)
          : stated;
  return detail === undefined ? { state: "stored" } : { state: "corrupt", detail };
}

async function list(
  sessions: RecoveryOptions["sessions"],
  { facts, manifest }: Recording,
  state: RecordingState,
  detail: string | undefined,
): Promise<"added" | "corrected" | undefined> {
  const { sessionId } = facts;
  const entry = await sessions.byId(sessionId);
  const figures = manifest && {
    headSha256: manifest.headSha256,
    frames: manifest.frames,
    bytes: manifest.bytes,
  };
  // What the list says of a recording that rests is not for the bare objects to correct.
  const rests = entry && ["stored", "held", "expired", "corrupt"].includes(entry.recordingState);
  if (rests && entry.endedAtMs !== undefined) return undefined;
  if (!entry) await sessions.insert(facts);
  const lastTimeUs = manifest?.end.lastTimeUs ?? 0;
  const durationMs = Math.round(lastTimeUs / 1000);
  const ended = await sessions.end(sessionId, {
    state: manifest?.state === "complete" ? "closed" : "interrupted",
    endedAtMs: Date.parse(facts.startedAt) + durationMs,
    durationMs,
    reason: manifest?.end.reason ?? "interrupted",
    ...(manifest?.end.detail !== undefined && { detail: manifest.end.detail }),
    ...figures,
  });
  const isNews = entry?.recordingState !== state;
  if (isNews)
    await sessions.setRecording(sessionId, { state, ...(detail !== undefined && { detail }), ...figures });
  return entry ? (ended || isNews ? "corrected" : undefined) : "added";
}
