import type { Recording, Session, WireFrame } from "@gatehouse/contracts/rest";
import { newId, seededRandom, toHex, utf8 } from "@gatehouse/kernel";
import { createHash } from "node:crypto";
import { databaseSession } from "./sample-queries.ts";
import {
  type TerminalScript,
  dumpSession,
  forwardSession,
  incidentSession,
  longSession,
  transferSession,
} from "./sample-terminal.ts";

export type Sample = {
  session: Session;
  recording: Recording;
  frames: WireFrame[];
  name: SampleName | undefined;
  hasIndex: boolean;
};

/** Those that tests and people look for. */
export type SampleName =
  | "watched"
  | "live"
  | "waiting"
  | "incident"
  | "dump"
  | "transfer"
  | "forward"
  | "interrupted"
  | "corrupt"
  | "shipping"
  | "queries"
  | "long"
  | "plain";

/** The people of the samples, by the part that they play. */
export const samplePeople = {
  admin: { id: "0199f4b0-0000-7000-8000-000000000001", name: "ada.admin", roles: ["platform-admin"] },
  auditor: { id: "0199f4b0-0000-7000-8000-000000000002", name: "otto.auditor", roles: ["auditor"] },
  jane: { id: "0199f4b0-0000-7000-8000-000000000003", name: "jane.doe", roles: ["user"] },
  sam: { id: "0199f4b0-0000-7000-8000-000000000004", name: "sam.ops", roles: ["user", "team-lead"] },
} as const;

export const sampleTargets = [
  { id: "0199f4b0-0000-7000-8000-0000000000a1", name: "web-01", host: "10.0.4.11" },
  { id: "0199f4b0-0000-7000-8000-0000000000a2", name: "web-02", host: "10.0.4.12" },
  { id: "0199f4b0-0000-7000-8000-0000000000a3", name: "db-01", host: "10.0.5.20" },
  { id: "0199f4b0-0000-7000-8000-0000000000a4", name: "build-01", host: "10.0.6.8" },
] as const;

const random = seededRandom(7);

type Facts = {
  name?: SampleName;
  startedMs: number;
  person: { id: string; name: string };
  target: (typeof sampleTargets)[number];
  login: string;
  kind: string;
  track: Session["track"];
  script: TerminalScript;
  command?: string;
  exitStatus?: number;
  state?: Session["state"];
  recordingState?: Session["recording"]["state"];
  detail?: string;
  hasIndex?: boolean;
};

function sample(facts: Facts): Sample {
  const { script, startedMs } = facts;
  const state = facts.state ?? "ended";
  const id = newId(startedMs, random);
  const startedAt = new Date(startedMs).toISOString();
  const durationMs = Math.round(script.elapsedUs / 1000) + 40;
  const shared = {
    protocol: "ssh",
    kind: facts.kind,
    track: facts.track,
    user: { id: facts.person.id, name: facts.person.name },
    login: facts.login,
    target: { id: facts.target.id, name: facts.target.name, address: `${facts.target.host}:22` },
    remoteAddress: "10.0.1.50",
    connectionId: newId(startedMs, random),
    gatewayId: "gate-1",
  };
  const reason = state === "interrupted" ? "interrupted" : "closed";
  const bodies = [
    {
      timeUs: 0,
      kind: "session.start",
      stream: 0,
      data: utf8(
        JSON.stringify({
          sessionId: id,
          startedAt,
          ...shared,
          client: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
          ...(facts.command === undefined ? {} : { command: facts.command }),
          ...(facts.track === "terminal" ? { size: { cols: 120, rows: 32 } } : {}),
        }),
      ),
    },
    ...script.frames,
    ...(state === "ended"
      ? [
          {
            timeUs: script.elapsedUs + 20_000,
            kind: "exit",
            stream: 0,
            data: utf8(JSON.stringify({ status: facts.exitStatus ?? 0 })),
          },
          {
            timeUs: durationMs * 1000,
            kind: "session.end",
            stream: 0,
            data: utf8(JSON.stringify({ reason, exitStatus: facts.exitStatus ?? 0 })),
          },
        ]
      : []),
  ];
  const frames = bodies.map((body, seq) => Object.assign({ seq }, body));
  const bytes = Math.round(frames.reduce((sum, frame) => sum + frame.data.length + 12, 0) * 0.31);
  const recordingState =
    facts.recordingState ??
    (state === "live" ? "recording" : state === "interrupted" ? "interrupted" : "stored");
  const isOpen = state === "live";
  const head = createHash("sha256").update(id).digest("hex");
  return {
    session: {
      id,
      state,
      ...shared,
      client: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
      command: facts.command ?? null,
      startedAt,
      endedAt: isOpen ? null : new Date(startedMs + durationMs).toISOString(),
      durationMs: isOpen ? null : durationMs,
      end: isOpen
        ? null
        : {
            reason,
            detail: null,
            exitStatus: state === "ended" ? (facts.exitStatus ?? 0) : null,
            exitSignal: null,
          },
      admission: {
        rule: "target-allows-person",
        requestId: null,
        playbackApprovals: 0,
        watermark: false,
      },
      live: null,
      recording: {
        state: recordingState,
        frames: isOpen ? null : frames.length,
        bytes: isOpen ? null : bytes,
        headSha256: isOpen ? null : head,
        detail: facts.detail ?? null,
      },
    },
    recording: {
      sessionId: id,
      state: recordingState,
      format: "gatehouse 1",
      startedAt,
      durationMs: isOpen ? null : durationMs,
      frames: isOpen ? null : frames.length,
      bytes: isOpen ? null : bytes,
      segments: isOpen ? null : 1 + Math.floor(bytes / 65_536),
      headSha256: isOpen ? null : head,
      signedBy: isOpen ? null : toHex(random.bytes(8)),
      recipients: ["age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs0nhdvk"],
      withheld: [],
      retainUntil: isOpen ? null : new Date(startedMs + 365 * 86_400_000).toISOString(),
      lockedUntil: isOpen ? null : new Date(startedMs + 366 * 86_400_000).toISOString(),
      hold: null,
      removedAt: null,
      watermark: null,
      may: [],
      exports: facts.track === "terminal" ? ["asciicast", "text", "json", "bundle"] : ["json", "bundle"],
    },
    frames,
    name: facts.name,
    hasIndex: facts.hasIndex ?? false,
  };
}

/** What the samples hold, newest first: one of each kind in a shape worth looking at, and a tail long enough to page. */
export function sampleSessions(nowMs: number): Sample[] {
  const { jane, sam, admin } = samplePeople;
  const [web1, web2, db1, build1] = sampleTargets;
  const minute = 60_000;
  const shell = { kind: "shell", track: "terminal" as const };
  const made = [
    sample({
      name: "watched",
      startedMs: nowMs - 7 * minute,
      person: sam,
      target: web2,
      login: "root",
      ...shell,
      script: incidentSession(),
      state: "live",
    }),
    sample({
      name: "live",
      startedMs: nowMs - 12 * minute,
      person: jane,
      target: web1,
      login: "deploy",
      ...shell,
      script: incidentSession(),
      state: "live",
    }),
    sample({
      name: "waiting",
      startedMs: nowMs - 15 * minute,
      person: sam,
      target: db1,
      login: "reporting",
      kind: "sql",
      track: "query",
      script: databaseSession(),
      state: "live",
    }),
    sample({
      name: "incident",
      startedMs: nowMs - 19 * minute,
      person: jane,
      target: web1,
      login: "root",
      ...shell,
      script: incidentSession(),
      hasIndex: true,
    }),
    sample({
      name: "dump",
      startedMs: nowMs - 42 * minute,
      person: sam,
      target: db1,
      login: "postgres",
      kind: "exec",
      track: "exec",
      script: dumpSession(),
      command: "pg_dump --column-inserts shop",
      exitStatus: 1,
    }),
    sample({
      name: "transfer",
      startedMs: nowMs - 71 * minute,
      person: jane,
      target: web1,
      login: "deploy",
      kind: "sftp",
      track: "files",
      script: transferSession(),
    }),
    sample({
      name: "forward",
      startedMs: nowMs - 96 * minute,
      person: admin,
      target: db1,
      login: "root",
      kind: "forward",
      track: "forward",
      script: forwardSession(),
    }),
    sample({
      name: "interrupted",
      startedMs: nowMs - 180 * minute,
      person: jane,
      target: web2,
      login: "root",
      ...shell,
      script: incidentSession(),
      state: "interrupted",
    }),
    sample({
      name: "corrupt",
      startedMs: nowMs - 260 * minute,
      person: sam,
      target: build1,
      login: "ci",
      ...shell,
      script: incidentSession(),
      recordingState: "corrupt",
      detail: "segment 2 does not carry the hash of segment 1",
    }),
    sample({
      name: "shipping",
      startedMs: nowMs - 300 * minute,
      person: sam,
      target: build1,
      login: "ci",
      ...shell,
      script: incidentSession(),
      recordingState: "shipping",
    }),
    sample({
      name: "queries",
      startedMs: nowMs - 330 * minute,
      person: jane,
      target: db1,
      login: "reporting",
      kind: "sql",
      track: "query",
      script: databaseSession(),
    }),
  ];
  made.push(
    sample({
      name: "long",
      startedMs: nowMs - 360 * minute,
      person: sam,
      target: build1,
      login: "ci",
      ...shell,
      script: longSession(),
      hasIndex: true,
    }),
    sample({
      name: "plain",
      startedMs: nowMs - 365 * minute,
      person: sam,
      target: build1,
      login: "ci",
      ...shell,
      script: incidentSession(),
    }),
  );
  for (let i = 0; i < 112; i++) {
    const target = sampleTargets[i % sampleTargets.length] as (typeof sampleTargets)[number];
    const person = [jane, sam, admin][i % 3] as typeof jane;
    const isExec = i % 4 === 1;
    made.push(
      sample({
        startedMs: nowMs - (380 + i * 67) * minute,
        person,
        target,
        login: ["root", "deploy", "postgres"][i % 3] as string,
        kind: isExec ? "exec" : "shell",
        track: isExec ? "exec" : "terminal",
        script: isExec ? dumpSession() : incidentSession(),
        ...(isExec ? { command: ["uptime", "systemctl is-active shop", "df -h"][i % 3] as string } : {}),
      }),
    );
  }
  return made;
}
