import { keepingActions } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import type { Action, Decision, Question, Resource, Subject } from "../access/mod.ts";
import type { AuditLog } from "../audit/door.ts";
import type { Resources, SessionEntries, SessionEntry } from "../directory/mod.ts";

/** What somebody looks with: the pages, the command line (the administrator's socket too), or a program of theirs. */
export type Channel = "web" | "cli" | "rest" | "grpc";

/** Who wants to see, as the transport proved it. */
export type Viewer = {
  subject: Subject;
  channel: Channel;
  remoteAddress: string;
};

/** Whoever reads for a while. */
export type Reader = {
  /** Aborted when they have gone. */
  signal: AbortSignal;
  /** Who they are now; undefined for nobody. */
  renew: () => Promise<{ subject: Subject } | undefined>;
};

/** What is done with the recording, in the audit log's words, and the right it needs. */
const rights = {
  play: "recording.play",
  search: "recording.play",
  download: "recording.export",
  export: "recording.export",
  verify: "session.view",
} as const satisfies Record<string, Action>;
type AccessAction = keyof typeof rights;
type KeepingAction = (typeof keepingActions)[number];

/** What the audit log is told of an access. `continues`: of one that was told of already, where that is not long ago. */
type AboutAccess = {
  format?: string;
  search?: { text: string; mode?: string | undefined; sources?: readonly string[] | undefined };
  continues?: boolean;
};

/** What the viewer got. */
export type Admission = {
  entry: SessionEntry;
  /** Whether they may see what was typed. */
  input: boolean;
  /** Whether they may know who else looked at it. */
  readsLog: boolean;
  /** What they must be allowed to for as long as they read. */
  needs: readonly Action[];
  remoteAddress: string;
  /** What has to stand over what they see. */
  watermark: string | undefined;
};

export type Viewing = {
  /** Whether they may play it now, and see what was typed. Nothing is audited: who asks tells of what came of it. */
  sight(viewer: Viewer, resource: Resource): { play: boolean; input: boolean };
  /** The facts of a session, nothing of its recording: decided, and audited only where it is refused. With what else the viewer may do. */
  facts(
    viewer: Viewer,
    sessionId: string,
  ): Promise<{ entry: SessionEntry; may: KeepingAction[]; watermark: string | undefined }>;
  /** Decided and audited. Resolves when the event is committed, so nothing may leave before (P7). */
  admit(viewer: Viewer, sessionId: string, action: AccessAction, about?: AboutAccess): Promise<Admission>;
  /** What has to stand over what they see of a session, where they may. Decides nothing. */
  watermark(viewer: Viewer, sessionId: string): Promise<string | undefined>;
  /** The same of something that is at hand. */
  watermarkOf(viewer: Viewer, resource: Resource): string | undefined;
};

/**
 * A player asks for a long recording in windows. The windows of one viewing are one access, so a later window within this
 * time of the one before writes no event of its own; beginning anew always does.
 */
const viewingIdleMs = 5 * 60_000;
const viewingsMax = 10_000;

export function createViewing({
  sessions,
  resources,
  decide,
  audit,
  clock,
}: {
  sessions: Pick<SessionEntries, "byId">;
  resources: Pick<Resources, "ofSession">;
  decide: (question: Question) => Decision;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
}): Viewing {
  /** By viewer and session: until when a further window continues. In order of their last use. */
  const viewings = new Map<string, number>();

  function continues(key: string): boolean {
    const untilMs = viewings.get(key);
    viewings.delete(key);
    return untilMs !== undefined && untilMs > clock.nowMs();
  }
  function viewed(key: string): void {
    viewings.set(key, clock.nowMs() + viewingIdleMs);
    const oldest = viewings.keys().next();
    if (viewings.size > viewingsMax && !oldest.done) viewings.delete(oldest.value);
  }

  async function entryOf(sessionId: string): Promise<SessionEntry> {
    const entry = await sessions.byId(sessionId);
    if (!entry) throw notFound(sessionId);
    return entry;
  }
  function record(
    viewer: Viewer,
    entry: SessionEntry,
    success: boolean,
    fields: Record<string, unknown>,
  ): Promise<void> {
    return audit.append({
      event: "session.recording.access",
      user: viewer.subject.name,
      success,
      ...(viewer.remoteAddress !== "" && { remoteAddress: viewer.remoteAddress }),
      serverId: entry.facts.target.id,
      sessionId: entry.facts.sessionId,
      fields: { from: viewer.channel, owner: entry.facts.user.name, ...fields },
    });
  }
  function asked({ subject, remoteAddress }: Viewer, action: Action, resource: Resource): Decision {
    return decide({ subject, action, resource, context: { remoteAddress } });
  }
  function mayInput(viewer: Viewer, resource: Resource): boolean {
    return asked(viewer, "recording.view_input", resource).allowed;
  }

  function watermarkFor({ subject }: Viewer, { watermark }: Resource): string | undefined {
    if (watermark !== true) return undefined;
    const at = new Date(clock.nowMs()).toISOString().slice(0, 16).replace("T", " ");
    return `${plainName(subject)} · ${at} UTC`;
  }

  return {
    watermarkOf: watermarkFor,
    async watermark(viewer, sessionId) {
      return watermarkFor(viewer, await resources.ofSession(await entryOf(sessionId)));
    },
    sight(viewer, resource) {
      const play = asked(viewer, rights.search, resource).allowed;
      return { play, input: play && mayInput(viewer, resource) };
    },
    async facts(viewer, sessionId) {
      const entry = await entryOf(sessionId);
      const resource = await resources.ofSession(entry);
      const { allowed, rule } = asked(viewer, "session.view", resource);
      if (!allowed) {
        await record(viewer, entry, false, { action: "play", rule });
        throw notFound(sessionId);
      }
      return {
        entry,
        may: keepingActions.filter((one) => asked(viewer, one, resource).allowed),
        watermark: watermarkFor(viewer, resource),
      };
    },
    async admit(viewer, sessionId, action, about = {}) {
      const entry = await entryOf(sessionId);
      const resource = await resources.ofSession(entry);
      const { allowed, rule, because } = asked(viewer, rights[action], resource);
      const input = allowed && mayInput(viewer, resource);
      const readsLog = allowed && asked(viewer, "audit.read", resource).allowed;
      const watermark = watermarkFor(viewer, resource);
      const key = `${viewer.subject.id} ${viewer.channel} ${sessionId}`;
      const isContinued = about.continues === true && continues(key);
      if (!allowed || !isContinued)
        await record(viewer, entry, allowed, {
          action,
          rule,
          ...(about.format !== undefined && { format: about.format }),
          ...(about.search && termsIn(about.search)),
          ...(allowed && action !== "verify" && { input }),
          ...(allowed && watermark !== undefined && { watermark: true }),
        });
      // Whoever could open it with somebody else's approval knows of it, and can ask.
      if (rule === "second-person-needed") throw needsApproval(sessionId, because);
      // The same words as for a session that never was: a refusal tells nothing.
      if (!allowed) throw notFound(sessionId);
      if (action === "play") viewed(key);
      return {
        entry,
        input,
        readsLog,
        needs: [
          rights[action],
          ...(input ? (["recording.view_input"] as const) : []),
          // The events go with the bundle alone.
          ...(readsLog && action === "download" ? (["audit.read"] as const) : []),
        ],
        remoteAddress: viewer.remoteAddress,
        watermark,
      };
    },
  };
}

/** Control characters in a name could forge further lines where it is written into a file. */
export function plainName({ name }: Subject): string {
  return name.replaceAll(/\p{Cc}/gu, " ");
}

function termsIn({ text, mode = "any-case", sources }: NonNullable<AboutAccess["search"]>) {
  return { query: text, mode, ...(sources && { sources }) };
}

function needsApproval(sessionId: string, because = "somebody else must approve it"): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "playback.view",
    message: because,
    hint: `Ask for it: gatehouse requests create --recording ${sessionId} --reason <text>.`,
  });
}

function notFound(sessionId: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "playback.open",
    message: `there is no session ${sessionId}`,
  });
}
