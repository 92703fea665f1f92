import { type Health, recordingStates } from "@gatehouse/contracts/rest";
import { type Clock, messageOf } from "@gatehouse/kernel";
import type { RecordingPipeline } from "@gatehouse/recording/pipeline";
import type { AuditHistory, AuditLog } from "../../audit/mod.ts";
import type { SessionEntries } from "../../directory/mod.ts";
import type { KeyServiceWatch } from "../../kms/mod.ts";
import type { HealthDoor } from "../door.ts";
import { isoTime } from "./page.ts";

/** Is everything recorded, stored, delivered? Asked anew at each request: nothing here remembers being well. */
export function createHealth(options: {
  gateway: { id: string; version: string };
  store: { kind: string; location: string };
  pipeline: Pick<RecordingPipeline, "status" | "admissible">;
  keys: Pick<KeyServiceWatch, "status"> & { fault(): string | undefined };
  audit: Pick<AuditLog, "admissible"> & Pick<AuditHistory, "head">;
  sessions: { readonly liveCount: number };
  entries: Pick<SessionEntries, "countByRecordingState">;
  clock: Clock;
}): HealthDoor {
  const startedAt = isoTime(options.clock.nowMs());
  return {
    async status() {
      const { pipeline, audit } = options;
      const findings: Health["findings"] = [];
      const fault = async (ask: () => Promise<unknown>) => {
        try {
          await ask();
          return null;
        } catch (error) {
          return messageOf(error);
        }
      };
      const recordingFault = await fault(() => pipeline.admissible());
      const auditFault = await fault(() => audit.admissible());
      const head = await audit.head().catch(() => undefined);
      const counted = await options.entries.countByRecordingState().catch(() => null);
      const recordings =
        counted &&
        (Object.fromEntries(recordingStates.map((state) => [state, counted[state] ?? 0])) as NonNullable<
          Health["recordings"]
        >);
      const { journal, shipping, store } = pipeline.status();
      const keysFault = options.keys.fault();
      const keyServices = options.keys.status();
      if (keysFault !== undefined)
        findings.push({
          level: "problem",
          message: keysFault,
          hint: "No session is admitted until one of them answers. An age recipient beside them needs no service.",
        });
      else
        for (const { provider, lastError } of keyServices)
          if (lastError !== undefined)
            findings.push({
              level: "warning",
              message: `the key service ${provider} does not wrap: ${lastError}`,
              hint: "Sessions are recorded for the other recipients. `gatehouse recordings rewrap` adds this one later.",
            });
      if (recordingFault !== null)
        findings.push({
          level: "problem",
          message: recordingFault,
          hint: "No session is admitted until recording can be guaranteed again.",
        });
      if (auditFault !== null)
        findings.push({
          level: "problem",
          message: auditFault,
          hint: "No session is admitted until events can be kept.",
        });
      if (recordingFault === null && store.failedForMs !== undefined)
        findings.push({
          level: "warning",
          message: `the store has not answered for ${Math.round(store.failedForMs / 1000)} seconds; sessions are still admitted`,
          hint: "After `recording.outage_tolerance` no session is admitted until it answers.",
        });
      if (shipping.lastError !== undefined)
        findings.push({
          level: "warning",
          message: `segments wait for the store: ${shipping.lastError}`,
          hint: "They are kept on this machine and sent again by themselves.",
        });
      if (recordings && recordings.corrupt > 0)
        findings.push({
          level: "problem",
          message: `${recordings.corrupt} ${recordings.corrupt === 1 ? "recording is" : "recordings are"} corrupt`,
          hint: "Find them with the filter `corrupt`; `gatehouse recordings verify` names what is wrong with each.",
        });
      for (const { level, message, hint } of store.probe?.findings ?? [])
        if (level !== "ok") findings.push({ level, message, hint: hint ?? null });
      const refusing = recordingFault !== null || auditFault !== null || keysFault !== undefined;
      return {
        status: refusing ? "refusing" : findings.some(({ level }) => level !== "ok") ? "degraded" : "ok",
        findings,
        gateway: { ...options.gateway, startedAt },
        sessions: { live: options.sessions.liveCount },
        journal: {
          capacityBytes: journal.capacityBytes,
          usedBytes: journal.usedBytes,
          reservedBytes: journal.reservedBytes,
          failure: journal.failure ?? null,
        },
        shipping: {
          waitingSegments: shipping.waitingSegments,
          waitingBytes: shipping.waitingBytes,
          lastError: shipping.lastError ?? null,
        },
        store: {
          ...options.store,
          reachable: store.reachable,
          lastError: store.lastError ?? null,
          overwrite: store.probe?.overwrite ?? "none",
          deletion: store.probe?.deletion ?? "none",
        },
        keyServices: keyServices.map(({ provider, key, lane, reachable, lastError, failedForMs }) => ({
          service: provider,
          key,
          wraps: lane === "main" ? "all" : "input",
          reachable: reachable ?? null,
          lastError: lastError ?? null,
          failedForMs: failedForMs ?? null,
        })),
        recordings,
        audit: { appendable: auditFault === null, events: head ? head.index + 1 : 0, lastError: auditFault },
      };
    },
  };
}
