import assert from "node:assert/strict";
import { GatehouseError, TestClock, fromUtf8, seededRandom } from "@gatehouse/kernel";
import type { RecordingChange, RecoveredRecording } from "@gatehouse/recording/pipeline";
import type { AuditRecord } from "../../audit/mod.ts";
import type { SessionEntry } from "../../directory/mod.ts";
import type { SessionsOptions } from "../lifecycle.ts";
import type { SessionRequest } from "../session.ts";
import { MemoryRecording } from "./memory-recording.ts";

export const request: SessionRequest = {
  protocol: "ssh",
  kind: "shell",
  track: "terminal",
  user: { id: "u1", name: "ann@example.com" },
  login: "root",
  target: { id: "t1", name: "web-01", address: "10.0.0.1:22" },
  remoteAddress: "10.0.1.50",
  connectionId: "c1",
};

/** The neighbours of the room, each with a switch that makes it fail. */
export class Neighbours {
  clock = new TestClock();
  frames: string[] = [];
  events: AuditRecord[] = [];
  rows = new Map<string, SessionEntry>();
  /** States of a recording that take until then to be written. */
  readonly slow = new Map<string, Promise<void>>();
  failing = new Set<"audit" | "rows" | "open" | "append" | "close">();
  left: RecoveredRecording[] = [];
  confirmed: string[] = [];
  rules: Partial<SessionsOptions["moderation"]> = {};
  logged: string[] = [];
  notify: (change: RecordingChange) => void = () => {};
  readonly growing = new Map<string, MemoryRecording>();

  fail(what: Parameters<typeof this.failing.has>[0], code: "unavailable" | "recording_unavailable"): void {
    if (this.failing.has(what))
      throw new GatehouseError({ code, op: `test.${what}`, message: `${what} is down` });
  }

  options(): SessionsOptions {
    return {
      clock: this.clock,
      random: seededRandom(7),
      gatewayId: "gateway-1",
      retentionMsOf: () => Promise.resolve(365 * 24 * 3_600_000),
      sharesRows: false,
      limits: {
        idleTimeoutMs: 600_000,
        maxDurationMs: 3_600_000,
        endingGraceMs: 5_000,
        requestWaitMs: 60_000,
      },
      moderation: {
        notify: true,
        pauseLimitMs: 1_800_000,
        pauseEnds: "resume",
        warningGraceMs: 30_000,
        ...this.rules,
      },
      log: { error: (message) => void this.logged.push(message) },
      audit: {
        append: async (record) => {
          this.fail("audit", "unavailable");
          this.events.push(record);
        },
      },
      rows: {
        insert: async (facts) => {
          this.fail("rows", "unavailable");
          this.rows.set(facts.sessionId, {
            facts,
            startedAtMs: Date.parse(facts.startedAt),
            state: "admitted",
            recordingState: "recording",
          });
        },
        setState: async (id, state) => this.#change(id, { state }),
        setRecording: async (id, { state, ...sealed }) => {
          await this.slow.get(state);
          this.#change(id, { recordingState: state, ...sealed });
        },
        end: async (id, { reason, detail, ...end }) => {
          if (this.rows.get(id)?.endReason !== undefined) return false;
          this.#change(id, { ...end, endReason: reason, ...(detail !== undefined && { endDetail: detail }) });
          return true;
        },
        byId: async (id) => this.rows.get(id),
        list: async (filter) => ({
          items: [...this.rows.values()].filter((row) => filter?.states?.includes(row.state)),
        }),
      },
      pipeline: {
        admissible: async () => {},
        open: async (facts) => {
          this.fail("open", "recording_unavailable");
          const recording = new MemoryRecording(this.clock);
          this.growing.set(facts.sessionId, recording);
          return {
            sessionId: facts.sessionId,
            pendingBytes: 0,
            ready: async () => {},
            elapsedUs: () => this.clock.monotonicUs(),
            append: async (kind, stream, data) => {
              this.fail("append", "recording_unavailable");
              this.frames.push(`${kind} ${fromUtf8(data)}`);
              recording.append(kind, stream, data);
            },
            close: async (end) => {
              this.fail("close", "recording_unavailable");
              this.frames.push(`sealed ${end.reason}`);
              this.growing.delete(facts.sessionId);
              recording.close();
              return { headSha256: "ab", frames: this.frames.length, bytes: 10 };
            },
          };
        },
        recover: async () => this.left,
        growing: (id) => this.growing.get(id),
        confirmRecovered: async (id) => void this.confirmed.push(id),
        onState: (listener) => {
          this.notify = listener;
          return () => {};
        },
      },
    };
  }
  #change(id: string, change: Partial<SessionEntry>): void {
    const row = this.rows.get(id);
    assert.ok(row, `a row for ${id}`);
    this.rows.set(id, { ...row, ...change });
  }
  /** The events with what a reader would look at first. */
  told(): string[] {
    return this.events.map(({ event, success, fields }) =>
      [event, success ? "ok" : "failed", fields?.["reason"]].filter(Boolean).join(" "),
    );
  }
}
