import type { RewrapStart, Rewrapping } from "@gatehouse/contracts/rest";
import {
  type Clock,
  equalBytes,
  GatehouseError,
  isGatehouseError,
  messageOf,
  type Random,
} from "@gatehouse/kernel";
import {
  type KeyOpener,
  type KeyWrappers,
  type RecordingSigner,
  keysName,
  keysNumbers,
  manifestName,
  openRecording,
  planRewrap,
  recipientNames,
  rewrapKeys,
  storeSource,
} from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { type ObjectStore, objectPrefix } from "@gatehouse/recording/pipeline";
import type { AuditLog } from "../audit/mod.ts";
import type { Directory, SessionEntries, SessionEntry } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import type { LegalHolds } from "./legal-holds.ts";

type By = { subject: { name: string }; remoteAddress: string };

export type RewrapperOptions = {
  store: Pick<ObjectStore, "list" | "read" | "create" | "retention">;
  sessions: Pick<SessionEntries, "byId" | "list">;
  /** What opens recordings, this gateway's own key and services, or what a person has brought along. */
  openers: readonly KeyOpener[];
  trustedKeys: readonly Uint8Array[];
  wrappers: KeyWrappers;
  signer: RecordingSigner;
  holds: Pick<LegalHolds, "apply">;
  settings: Pick<Directory["settings"], "get" | "set">;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  random: Pick<Random, "bytes">;
  log: Pick<Log, "error" | "info">;
  gatewayId: string;
  /** Whether other gateways' recordings are in the list too: what those have signed is theirs to wrap again. */
  shared: boolean;
};

export type Rewrapper = {
  rewrap(by: By, how: RewrapStart): Promise<Rewrapping>;
  rewrapping(): Rewrapping;
  /** Goes on with what a stop or a crash has cut off. */
  resume(): Promise<void>;
  /** Resolves when what is under way has ended. */
  ended(): Promise<Rewrapping>;
  stop(): Promise<void>;
};

/** Each is a few requests to the store and to a key service; more would be felt by sessions that begin meanwhile. */
const workers = 4;
const faultsMax = 100;
const pageLimit = 200;
/** Of two gateways that wrap the same recording again at once one has the number. */
const triesMax = 3;
/** What is to be removed within this is left to the sweeper. */
const endingMs = 3_600_000;

const resting = new Set(["stored", "held", "corrupt"]);

/** How it stands where nobody has asked for it yet. */
export function notRewrapped(): Rewrapping {
  return {
    state: "idle",
    dryRun: false,
    by: null,
    startedAt: null,
    endedAt: null,
    recipients: [],
    seen: 0,
    wrapped: 0,
    partly: 0,
    same: 0,
    withheld: 0,
    failed: 0,
    detail: null,
    faults: [],
  };
}

/**
 * Wraps recordings' keys again for the recipients that are configured now, where they are wrapped for others. Nothing but the store
 * says what is done already, so it may be killed anywhere and begun again: what was written is whole, and is not written twice.
 */
export function createRewrapper(options: RewrapperOptions): Rewrapper {
  const { store, sessions, openers, wrappers, audit, settings, clock, log } = options;
  const unfinished = `custody.rewrap.${options.gatewayId}`;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let words = notRewrapped();
  const now = () => new Date(clock.nowMs()).toISOString();

  /** Whether all recipients can be wrapped for, and what they are called in a wrap: only a key service knows its keys' full names. */
  async function recipients(): Promise<string[]> {
    const secret = options.random.bytes(50);
    const wraps = (lane: keyof KeyWrappers) => Promise.all(wrappers[lane].map((one) => one.wrap(secret)));
    return recipientNames({ main: await wraps("main"), input: await wraps("input") });
  }

  async function one(entry: SessionEntry, how: { dryRun: boolean; by: By }): Promise<void> {
    const { facts } = entry;
    const prefix = `${objectPrefix(facts)}/`;
    const source = storeSource(store, prefix);
    for (let tries = 1; ; tries++) {
      // Before the recording is opened: what another writes meanwhile is then seen, or has the number.
      const n = ((await keysNumbers(source)).at(-1) ?? 0) + 1;
      const recording = await openRecording({
        source,
        openers,
        zstd: nodeZstd,
        trustedKeys: options.trustedKeys,
      });
      const plan = planRewrap(recording, wrappers);
      const lanes = new Set([plan.main, plan.input]);
      if (!lanes.has("due")) {
        if (lanes.has("withheld")) words.withheld++;
        else words.same++;
        return;
      }
      if (!how.dryRun) {
        const { signer } = options;
        const bytes = await rewrapKeys({ recording, plan, wrappers, n, at: now(), signer });
        const { untilMs } = await store.retention(prefix + manifestName);
        await audit.append({
          event: "session.recording.rewrap",
          user: how.by.subject.name,
          success: true,
          ...(how.by.remoteAddress !== "" && { remoteAddress: how.by.remoteAddress }),
          serverId: facts.target.id,
          sessionId: facts.sessionId,
          fields: {
            owner: facts.user.name,
            number: n,
            recipients: words.recipients,
            output: plan.main === "due",
            input: plan.input === "due",
          },
        });
        const key = prefix + keysName(n);
        try {
          await store.create(key, bytes, { retainUntilMs: untilMs });
        } catch (error) {
          if (isGatehouseError(error, "conflict") && tries < triesMax) continue;
          throw error;
        }
        if (!equalBytes(await store.read(key), bytes))
          throw new GatehouseError({
            code: "corrupt",
            op: "custody.rewrap",
            message: `${keysName(n)} is not in the store as it was written`,
          });
        if (entry.hold) await options.holds.apply(facts.sessionId);
      }
      words.wrapped++;
      if (lanes.has("withheld")) words.partly++;
      return;
    }
  }

  async function* entries({ from, to }: RewrapStart): AsyncGenerator<SessionEntry> {
    const range = {
      ...(from !== undefined && { fromMs: Date.parse(from) }),
      ...(to !== undefined && { toMs: Date.parse(to) }),
    };
    for (let after: string | undefined; ;) {
      const page = await sessions.list(range, { limit: pageLimit, ...(after !== undefined && { after }) });
      for (const entry of page.items) {
        if (!resting.has(entry.recordingState)) continue;
        if (options.shared && entry.facts.gatewayId !== options.gatewayId) continue;
        if (!entry.hold && (entry.retainUntilMs ?? Number.POSITIVE_INFINITY) < clock.nowMs() + endingMs)
          continue;
        yield entry;
      }
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  async function run(by: By, how: RewrapStart): Promise<void> {
    const dryRun = how.dryRun ?? false;
    const all = entries(how);
    const work = async () => {
      for await (const entry of { [Symbol.asyncIterator]: () => ({ next: () => all.next() }) }) {
        if (stopping.signal.aborted) return;
        words.seen++;
        try {
          await one(entry, { dryRun, by });
        } catch (error) {
          words.failed++;
          const detail = messageOf(error);
          log.error("a recording's keys could not be wrapped again", {
            session: entry.facts.sessionId,
            error: detail,
          });
          if (words.faults.length < faultsMax)
            words.faults.push({ sessionId: entry.facts.sessionId, detail });
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: workers }, work));
      const isCut = stopping.signal.aborted;
      words.state = isCut ? "stopped" : "done";
      if (!dryRun && !isCut) await settings.set(unfinished, "");
    } catch (error) {
      words.state = "failed";
      words.detail = messageOf(error);
      log.error("recordings' keys could not be wrapped again", { error: words.detail });
    }
    words.endedAt = now();
    const { seen, wrapped, same, withheld, failed } = words;
    log.info(
      `recordings' keys: of ${seen} recordings ${wrapped} wrapped again, ${same} as they should be, ${withheld} that no key here opens, ${failed} failed`,
    );
  }

  async function begin(by: By, how: RewrapStart): Promise<void> {
    if (running)
      throw new GatehouseError({
        code: "conflict",
        op: "custody.rewrap",
        message: "recordings' keys are being wrapped again already",
        hint: "See how far it is, and ask again when it has ended.",
      });
    const { promise, resolve } = Promise.withResolvers<void>();
    running = promise;
    let work: Promise<void> | undefined;
    try {
      const names = await recipients();
      const dryRun = how.dryRun ?? false;
      if (!dryRun) {
        await audit.append({
          event: "recordings.rewrap",
          user: by.subject.name,
          success: true,
          ...(by.remoteAddress !== "" && { remoteAddress: by.remoteAddress }),
          fields: {
            recipients: names,
            ...(how.from !== undefined && { from: how.from }),
            ...(how.to !== undefined && { to: how.to }),
          },
        });
        await settings.set(unfinished, JSON.stringify({ by: by.subject.name, how }));
      }
      words = {
        ...notRewrapped(),
        state: "running",
        dryRun,
        by: by.subject.name,
        startedAt: now(),
        recipients: names,
      };
      work = run(by, how);
    } finally {
      void (work ?? Promise.resolve()).then(() => {
        running = undefined;
        resolve();
      });
    }
  }

  const rewrapping = () => ({ ...words, faults: [...words.faults] });
  return {
    rewrapping,
    async rewrap(by, how) {
      await begin(by, how);
      return rewrapping();
    },
    async resume() {
      const text = await settings.get(unfinished);
      if (text === undefined || text === "") return;
      const { by, how } = JSON.parse(text) as { by: string; how: RewrapStart };
      // A key service that does not answer now is no reason not to start; the mark stays for the next start.
      await begin({ subject: { name: by }, remoteAddress: "" }, how).catch((error: unknown) =>
        log.error("wrapping recordings' keys again could not go on", { error: messageOf(error) }),
      );
    },
    async ended() {
      await running;
      return rewrapping();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
