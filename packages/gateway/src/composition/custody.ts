import type { KeyOpener, KeyWrapper, RecordingSource, SessionFacts } from "@gatehouse/recording";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { formatDuration } from "../config/mod.ts";
import {
  coverageOf,
  createChecker,
  createClockWatch,
  createLegalHolds,
  createPruner,
  createRewrapper,
  createSweeper,
  recordingAlarms,
  retentionReportOf,
} from "../custody/mod.ts";
import { createIndexes, searchKeys } from "../indexes/mod.ts";
import type { SessionsRoom } from "../sessions/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import type { Ground } from "./ground.ts";

/** What is done with recordings once they are stored: checked, indexed, held, removed in their time, wrapped for other keys. */
export async function composeCustody({
  config,
  keyring,
  directory,
  store,
  reading,
  opensRecordings,
  wrappers,
  audit,
  sessions,
  clock,
  random,
  log,
  onClose,
}: Ground & {
  store: ObjectStore;
  reading: {
    sourceOf(facts: SessionFacts): RecordingSource;
    openers: readonly KeyOpener[];
    trustedKeys: readonly Uint8Array[];
  };
  /** Whether this gateway holds a key to the recordings that it makes. */
  opensRecordings: boolean;
  wrappers: { main: readonly KeyWrapper[]; input: readonly KeyWrapper[] };
  sessions: Pick<SessionsRoom, "onStored">;
  log: Log;
  /** What is to be closed, in the opposite order. */
  onClose(step: () => Promise<void>): void;
}) {
  const shared = config.database.url !== undefined;
  const checker = createChecker({
    ...reading,
    // Where the recordings are for others, this gateway holds no key to them.
    openers: opensRecordings ? reading.openers : [],
    sessions: directory.sessions,
    checks: directory.recordingChecks,
    locks: { store, keeping: directory.recordingKeeping },
    audit,
    clock,
    log,
    everyMs: config.recording.check_every.ms,
    bytesPerSecond: config.recording.check_rate.bytes,
    ...(shared && { among: { gatewayId: config.gateway_id, settings: directory.settings } }),
  });
  const keysOfSearch = searchKeys(keyring.searchSecret.bytes());
  const indexes = createIndexes({
    ...reading,
    store,
    openers: opensRecordings ? reading.openers : [],
    sessions: directory.sessions,
    rows: directory.recordingIndexes,
    filters: directory.searchFilters,
    searchKeys: keysOfSearch,
    clock,
    log,
    ...(shared && { gatewayId: config.gateway_id }),
  });
  onClose(() => indexes.stop());
  sessions.onStored(() => {
    checker.wake();
    indexes.wake();
  });
  onClose(() => checker.stop());
  const keeping = directory.recordingKeeping;
  await keeping.fill(config.recording.retention.ms);
  const holds = createLegalHolds({ store, sessions: directory.sessions, keeping, audit, clock, log });
  const watch = createClockWatch({
    clock,
    settings: directory.settings,
    gatewayId: config.gateway_id,
    audit,
    log,
  });
  const kept = {
    pruning: directory.pruning,
    sessionsKeptMs: config.audit.session_retention.ms,
    eventsKeptMs: config.audit.retention.ms,
  };
  const { auditRows } = directory;
  const pruner = createPruner({
    ...kept,
    store,
    watch,
    audit,
    auditRows,
    signer: keyring.manifestSigner,
    clock,
  });
  const sweeper = createSweeper({
    prune: (stopped) => pruner.prune(stopped),
    store,
    sessions: directory.sessions,
    keeping,
    holds,
    watch,
    audit,
    auditRows,
    clock,
    log,
    everyMs: config.recording.sweep_every.ms,
    gatewayId: config.gateway_id,
  });
  onClose(() => sweeper.stop());
  const rewrapper = createRewrapper({
    ...reading,
    ...directory,
    store,
    wrappers,
    signer: keyring.manifestSigner,
    holds,
    audit,
    clock,
    random,
    log,
    gatewayId: config.gateway_id,
    shared,
  });
  onClose(() => rewrapper.stop());
  return {
    indexes,
    keysOfSearch,
    door: {
      ...coverageOf({
        checks: directory.recordingChecks,
        sessions: directory.sessions,
        opensRecordings,
        checkEvery: formatDuration(config.recording.check_every),
      }),
      ...holds,
      ...recordingAlarms({ ...directory, audit }),
      ...rewrapper,
      ...retentionReportOf({ ...kept, keeping, watch, audit, clock }),
    },
    /** To be called when everything that they look after can be reached. */
    async start() {
      checker.start();
      indexes.start();
      sweeper.start();
      await rewrapper.resume();
    },
  };
}
