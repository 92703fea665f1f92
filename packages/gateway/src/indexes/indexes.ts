import { type Clock, GatehouseError, type Timer, isGatehouseError, messageOf } from "@gatehouse/kernel";
import {
  type KeyOpener,
  type Recording,
  type SessionFacts,
  openRecording,
  storeSource,
} from "@gatehouse/recording";
import {
  type RecordingIndex,
  indexMaker,
  indexName,
  indexNamePattern,
  openIndex,
} from "@gatehouse/recording/index";
import { nodeZstd } from "@gatehouse/recording/node";
import { filterVersion } from "@gatehouse/recording/passages";
import { type ObjectStore, objectPrefix } from "@gatehouse/recording/pipeline";
import type { RecordingIndexes, SearchFilters, SessionEntries } from "../directory/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { LiveIndexes } from "./live-indexes.ts";
import { makeIndex } from "./making.ts";
import type { SearchKeys } from "./search-keys.ts";

type IndexesOptions = {
  store: Pick<ObjectStore, "create" | "list" | "read" | "remove">;
  /** None on a gateway that only writes: it makes no index and opens none. */
  openers: readonly KeyOpener[];
  trustedKeys: readonly Uint8Array[];
  sessions: Pick<SessionEntries, "byId">;
  rows: RecordingIndexes;
  filters: Pick<SearchFilters, "put" | "has" | "remove">;
  searchKeys: SearchKeys;
  /** Of whose recordings; left out: all in the database. */
  gatewayId?: string;
  /** Of each thread that makes one. */
  threadMegabytes?: number;
  clock: Clock;
  log: Pick<Log, "info" | "warn" | "error">;
};

export type IndexMade = { name: string; bytes: number; keyframes: number; isNew: boolean };

export type Indexes = {
  start(): void;
  /** A recording was stored just now. */
  wake(): void;
  /** Makes the index of a recording; with `anew` also where there is one. One at a time, whoever asks. */
  make(sessionId: string, options: { anew: boolean }): Promise<IndexMade>;
  /**
   * The newest index of an open recording, opened; undefined where there is none that fits it. Of one that is not closed, one is made of
   * what is stored so far, unless `made` asks for those alone that were made before.
   */
  open(recording: Recording, which?: "made"): Promise<RecordingIndex | undefined>;
  /** Resolves when nothing is being made; what was begun is left. */
  stop(): Promise<void>;
};

/** One terminal, one segment and the index itself, several times over. */
const threadMegabytes = 768;
const lookEveryMs = 60_000;
const passedOverMax = 1_000;

export function createIndexes(options: IndexesOptions): Indexes {
  const { store, openers, sessions, rows, filters, searchKeys, clock, log } = options;
  const filterKind = { version: filterVersion, keyId: searchKeys.id };
  const stopping = new AbortController();
  const threads = { signal: stopping.signal, megabytes: options.threadMegabytes ?? threadMegabytes };
  const live = new LiveIndexes({ threads, clock, log });
  let making: Promise<unknown> = Promise.resolve();
  let timer: Timer | undefined;
  let isStarted = false;
  let isWoken = false;
  let running: Promise<void> | undefined;
  const passedOver = new Set<string>();

  async function make(sessionId: string, { anew }: { anew: boolean }): Promise<IndexMade> {
    const entry = await sessions.byId(sessionId);
    if (!entry)
      throw new GatehouseError({
        code: "not_found",
        op: "index.make",
        message: `there is no session ${sessionId}`,
      });
    const { facts } = entry;
    const source = storeSource(store, `${objectPrefix(facts)}/`);
    const recording = await openRecording({
      source,
      openers,
      zstd: nodeZstd,
      trustedKeys: options.trustedKeys,
    });
    const there = anew ? undefined : await open(recording);
    const newest = await newestOf(facts);
    if (there && (await filters.has(sessionId, filterKind))) return noted(there, indexName(newest), false);
    const made = await makeIndex({ recording, source, threads, searchKeys });
    await filters.put({ sessionId, ...filterKind, madeAtMs: clock.nowMs(), ...made.filters });
    if (there) {
      await refuseExpired(sessionId);
      return noted(there, indexName(newest), false);
    }
    const name = indexName(newest + 1);
    const key = `${objectPrefix(facts)}/${name}`;
    await store.create(key, made.index, {
      // No longer than the recording, or it would be left behind.
      retainUntilMs: Math.max(entry.retainUntilMs ?? 0, clock.nowMs()),
    });
    await refuseExpired(sessionId, key);
    const opened = await openNamed(recording, name);
    if (!opened)
      throw new GatehouseError({ code: "internal", op: "index.make", message: "the index does not open" });
    return noted(opened, name, true);
  }

  /**
   * The recording's time may have ended meanwhile. Whoever removes it marks it first and removes what lies there then; what
   * came later, `key` and what searches are narrowed by, is taken back here.
   */
  async function refuseExpired(sessionId: string, key?: string): Promise<void> {
    if (!(await isRemoved(sessionId))) return;
    await filters.remove(sessionId);
    if (key !== undefined)
      await store.remove(key).catch((error: unknown) => {
        if (!isGatehouseError(error, "not_found")) throw error;
      });
    throw new GatehouseError({
      code: "not_found",
      op: "index.make",
      message: "the recording's time has ended, and it is removed",
    });
  }

  async function isRemoved(sessionId: string): Promise<boolean> {
    const entry = await sessions.byId(sessionId);
    return !entry || entry.recordingState === "expired";
  }

  async function noted(index: RecordingIndex, name: string, isNew: boolean): Promise<IndexMade> {
    const { keyframes, pictures, text, events, maker } = index.directory;
    const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
    const bytes = sum(keyframes.bytes) + sum([...pictures, ...text, ...events].map((block) => block.bytes));
    await rows.put({ sessionId: index.recordingId, madeAtMs: clock.nowMs(), maker, bytes, name });
    return { name, bytes, keyframes: keyframes.timeUs.length, isNew };
  }

  async function newestOf(facts: SessionFacts): Promise<number> {
    const prefix = `${objectPrefix(facts)}/`;
    const keys = await store.list(`${prefix}index-`, { limit: 1_000 });
    const numbers = keys.map((key) => Number(indexNamePattern.exec(key.slice(prefix.length))?.[1] ?? 0));
    return Math.max(0, ...numbers);
  }

  async function openNamed(recording: Recording, name: string): Promise<RecordingIndex | undefined> {
    const key = `${objectPrefix(recording.facts)}/${name}`;
    const index = await openIndex({
      read: (start, end) => store.read(key, { start, end }),
      recordingId: recording.facts.sessionId,
      deriveKey: recording.deriveKey,
      zstd: nodeZstd,
    });
    // Of an earlier state of the recording: it shows less than there is.
    return index.headSha256 === recording.manifest?.headSha256 ? index : undefined;
  }

  async function open(recording: Recording, which?: "made"): Promise<RecordingIndex | undefined> {
    if (recording.withheld.includes("main")) return undefined;
    if (!recording.manifest) {
      if (which === "made") return undefined;
      return await live.open(recording, storeSource(store, `${objectPrefix(recording.facts)}/`));
    }
    live.forget(recording.facts.sessionId);
    const known = await rows.of(recording.facts.sessionId);
    try {
      if (known && "name" in known) return await openNamed(recording, known.name);
      const newest = await newestOf(recording.facts);
      return newest === 0 ? undefined : await openNamed(recording, indexName(newest));
    } catch (error) {
      // An index is never needed: without it the recording is played from its start.
      log.warn("an index could not be opened", {
        session: recording.facts.sessionId,
        error: messageOf(error),
      });
      return undefined;
    }
  }

  /** One recording. False when none waits. */
  async function step(): Promise<boolean> {
    if (!isStarted) return false;
    const { gatewayId } = options;
    const sessionId = await rows.next({
      maker: indexMaker,
      filter: filterKind,
      except: [...passedOver],
      ...(gatewayId !== undefined && { gatewayId }),
    });
    if (sessionId === undefined) {
      passedOver.clear();
      return false;
    }
    try {
      await inTurn(() => make(sessionId, { anew: false }));
    } catch (error) {
      if (stopping.signal.aborted) return false;
      if (await isRemoved(sessionId)) {
        log.info("a recording was removed while its index was made, which went with it", {
          session: sessionId,
        });
        return true;
      }
      // A store that is away, or a key: later. What is there and cannot be indexed will not be for being tried again.
      if (!isGatehouseError(error, "corrupt")) {
        if (passedOver.size < passedOverMax) passedOver.add(sessionId);
        log.warn("an index could not be made, and is made later", {
          session: sessionId,
          error: messageOf(error),
        });
        return true;
      }
      log.error("an index could not be made", { session: sessionId, error: messageOf(error) });
      await rows.put({
        sessionId,
        madeAtMs: clock.nowMs(),
        maker: indexMaker,
        bytes: 0,
        fault: messageOf(error),
      });
    }
    return true;
  }

  function inTurn<T>(what: () => Promise<T>): Promise<T> {
    const mine = making.then(what);
    making = mine.catch(() => undefined);
    return mine;
  }

  function run(): void {
    timer?.cancel();
    isWoken = false;
    running = (async () => {
      while (await step());
    })()
      .catch((error: unknown) => {
        // The database does not answer.
        if (isStarted) log.error("no index could be looked for", { error: messageOf(error) });
      })
      .then(() => {
        running = undefined;
        if (isStarted) timer = clock.after(isWoken ? 0 : lookEveryMs, run);
      });
  }

  return {
    open,
    make: (sessionId, how) => inTurn(() => make(sessionId, how)),
    start() {
      if (openers.length === 0) return;
      isStarted = true;
      run();
    },
    wake() {
      isWoken = true;
      if (isStarted && !running) run();
    },
    async stop() {
      isStarted = false;
      timer?.cancel();
      stopping.abort();
      await running;
      await making;
      await live.stop();
    },
  };
}
