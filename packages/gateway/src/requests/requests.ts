import type { RequestPolicy, Reviewers } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import type { Action, Decision, Question, Resource, Subject } from "../access/mod.ts";
import type { AuditLog } from "../audit/mod.ts";
import {
  type AccessRequest,
  type AccessRequestState,
  type AccessRequests,
  type Page,
  type PageRequest,
  type Resources,
  type Roles,
  type SessionEntries,
  type Targets,
  type Teams,
  type Wanted,
  requestResource,
} from "../directory/mod.ts";

/** Who asks or decides, as the transport proved it. */
export type Asker = { subject: Subject; remoteAddress: string };

export type Requests = {
  /** On which terms this person may ask for it. Rejects as `create` would. */
  terms(asker: Asker, about: { targetId: string } | { sessionId: string }): Promise<Terms>;
  /** The roles that this person may ask for, and on which terms. */
  roles(asker: Asker): Promise<{ role: string; policy: RequestPolicy }[]>;
  /** `invalid` for what cannot be asked for so, `denied` where this person may not ask, `not_found` for an unknown thing. */
  create(asker: Asker, request: { wanted: Ask; reason: string; durationMs: number }): Promise<AccessRequest>;
  /** `not_found` for whoever may not see it. */
  get(asker: Asker, id: string): Promise<AccessRequest>;
  /** Newest first, those that one may see. */
  list(
    asker: Asker,
    filter: { state?: AccessRequestState; mine?: boolean; toReview?: boolean },
    page: PageRequest,
  ): Promise<Page<AccessRequest>>;
  /** `conflict` when it is decided already, or this person has reviewed it. */
  review(
    asker: Asker,
    id: string,
    review: { verdict: "approve" | "deny"; comment: string },
  ): Promise<AccessRequest>;
  /** Takes back what one has asked for; approved access ends with it. */
  cancel(asker: Asker, id: string): Promise<AccessRequest>;
  /** Whether this person may review it now. */
  mayReview(subject: Subject, request: AccessRequest): Promise<boolean>;
};
export type Ask =
  | { kind: "target"; targetId: string; logins: readonly string[] }
  | { kind: "role"; role: string }
  | { kind: "playback"; sessionId: string };

/** Nobody answered for so long: it is over. */
const pendingMs = 7 * 24 * 3_600_000;

export function createRequests(options: {
  requests: AccessRequests;
  targets: Pick<Targets, "byId">;
  roles: Pick<Roles, "requestPolicies">;
  teams: Pick<Teams, "ofUser">;
  sessions: Pick<SessionEntries, "byId">;
  resources: Pick<Resources, "ofSession">;
  decide(question: Question): Decision;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  /** What was approved has changed, or ends at another moment. */
  changed(): void;
}): Requests {
  const { requests, targets, roles, teams, sessions, resources, decide, audit, clock, changed } = options;

  const may = ({ subject, remoteAddress }: Asker, action: Action, resource: Resource) =>
    decide({ subject, action, resource, context: { remoteAddress } }).allowed;
  const note = (asker: Asker, event: string, request: AccessRequest, fields: Record<string, unknown> = {}) =>
    audit.append({
      event,
      user: asker.subject.name,
      success: true,
      ...(asker.remoteAddress !== "" && { remoteAddress: asker.remoteAddress }),
      ...targetIn(request.wanted),
      ...(request.wanted.kind === "playback" && { sessionId: request.wanted.sessionId }),
      fields: { ...requestFields(request), ...fields },
    });

  /** Of the policy as it is now: whoever has left the reviewers decides no more. */
  async function resourceOf({ user, wanted }: AccessRequest): Promise<Resource> {
    const memberships = await teams.ofUser(user.id);
    const request = await whoDecides(wanted);
    return {
      ownerId: user.id,
      ownerTeams: memberships.map((team) => team.teamId),
      ...(request && { request }),
    };
  }
  async function whoDecides(wanted: Wanted): Promise<Resource["request"]> {
    if (wanted.kind === "role") return roleResource(wanted.role).then((resource) => resource?.request);
    const target = await targets.byId(wanted.targetId);
    if (wanted.kind === "target") return target && requestResource(target)?.request;
    const policy = target?.access.playback;
    return policy && { askers: nobody, reviewers: policy.reviewers };
  }
  async function roleResource(role: string) {
    const policy = (await roles.requestPolicies()).get(role);
    return policy && { policy, request: { ...policy, gives: role } };
  }
  async function visible(asker: Asker, id: string): Promise<{ request: AccessRequest; resource: Resource }> {
    const request = await requests.byId(id);
    const resource = request && (await resourceOf(request));
    if (!request || !resource || !may(asker, "request.view", resource)) throw unknown(id);
    return { request, resource };
  }

  async function roleTerms(asker: Asker, role: string): Promise<Terms<Wanted>> {
    const resource = await roleResource(role);
    if (!resource || !may(asker, "request.create", resource))
      throw new GatehouseError({
        code: "not_found",
        op: "requests.create",
        message: `there is no role ${role} that you may ask for`,
      });
    if (asker.subject.roles.includes(role)) throw invalid(`you have the role ${role}`);
    const { reviewers, approvals, atExpiry, minutesMax } = resource.policy;
    return { wanted: { kind: "role", role }, logins: [], reviewers, approvals, atExpiry, minutesMax };
  }
  async function targetTerms(asker: Asker, targetId: string): Promise<Terms> {
    const target = await targets.byId(targetId);
    const policy = target?.access.requests;
    const resource = target && requestResource(target);
    // A target that one may neither use nor ask for is none that one knows of.
    if (!target || !policy || !resource || !may(asker, "request.create", resource))
      throw new GatehouseError({
        code: "not_found",
        op: "requests.create",
        message: `there is no target ${targetId} that you may ask for`,
      });
    return {
      wanted: { kind: "target", targetId, targetName: target.name, logins: [] },
      logins: target.logins.map((entry) => entry.login),
      reviewers: policy.reviewers,
      approvals: policy.approvals,
      atExpiry: policy.atExpiry,
      minutesMax: policy.minutesMax,
    };
  }
  async function targetWanted(asker: Asker, { targetId, logins }: Ask & { kind: "target" }): Promise<Terms> {
    const terms = await targetTerms(asker, targetId);
    const { targetName } = terms.wanted;
    const strange = logins.filter((login) => !terms.logins.includes(login));
    if (strange.length > 0)
      throw invalid(
        `${targetName} has no login ${strange.join(", ")}`,
        `It has ${terms.logins.join(", ") || "none"}.`,
      );
    return { ...terms, wanted: { kind: "target", targetId, targetName, logins } };
  }
  async function playbackTerms(asker: Asker, sessionId: string): Promise<Terms> {
    const entry = await sessions.byId(sessionId);
    const resource = entry && (await resources.ofSession(entry));
    const { subject, remoteAddress } = asker;
    const decision =
      resource && decide({ subject, action: "recording.play", resource, context: { remoteAddress } });
    // Whoever could open it, but for a second person, may ask for that; not with a token that is not for asking.
    const ask = { request: { askers: { roles: [], users: [subject.name] }, reviewers: nobodyDecides } };
    if (
      !entry ||
      !decision ||
      (!decision.allowed && decision.rule !== "second-person-needed") ||
      !may(asker, "request.create", ask)
    )
      throw new GatehouseError({
        code: "not_found",
        op: "requests.create",
        message: `there is no session ${sessionId}`,
      });
    if (decision.allowed) throw invalid("you may open this recording; nobody needs to approve it");
    const { target } = entry.facts;
    const policy = (await targets.byId(target.id))?.access.playback;
    if (!policy)
      throw invalid(
        "nobody can approve this: its target, or the policy that says who does, is gone",
        "An administrator sets a playback policy on the target again.",
      );
    return {
      wanted: { kind: "playback", sessionId, targetId: target.id, targetName: target.name },
      logins: [],
      reviewers: policy.reviewers,
      approvals: Math.max(policy.approvals, resource.approvals ?? 1),
      atExpiry: "end",
      minutesMax: policy.minutesMax,
    };
  }

  function termsOf(asker: Asker, ask: Ask): Promise<Terms<Wanted>> {
    switch (ask.kind) {
      case "target":
        return targetWanted(asker, ask);
      case "role":
        return roleTerms(asker, ask.role);
      case "playback":
        return playbackTerms(asker, ask.sessionId);
    }
  }

  async function mayReview(subject: Subject, request: AccessRequest): Promise<boolean> {
    if (request.state !== "pending") return false;
    if (request.reviews.some(({ reviewer }) => reviewer.id === subject.id)) return false;
    const resource = await resourceOf(request);
    return decide({ subject, action: "request.review", resource }).allowed;
  }

  return {
    terms: (asker, about) =>
      "sessionId" in about ? playbackTerms(asker, about.sessionId) : targetTerms(asker, about.targetId),
    async roles(asker) {
      const policies = [...(await roles.requestPolicies())].sort(([a], [b]) => (a < b ? -1 : 1));
      return policies
        .filter(
          ([role, policy]) =>
            !asker.subject.roles.includes(role) &&
            may(asker, "request.create", { request: { ...policy, gives: role } }),
        )
        .map(([role, policy]) => ({ role, policy }));
    },
    async create(asker, { wanted: ask, reason, durationMs }) {
      const terms = await termsOf(asker, ask);
      if (durationMs > terms.minutesMax * 60_000)
        throw invalid(`it can be asked for ${terms.minutesMax} minutes at most`);
      const { wanted, approvals, atExpiry } = terms;
      const request = await requests.create({
        wanted,
        approvals,
        atExpiry,
        userId: asker.subject.id,
        reason,
        durationMs,
        endsAtMs: clock.nowMs() + pendingMs,
      });
      await note(asker, "access_request.create", request, {
        reason,
        minutes: Math.round(durationMs / 60_000),
      });
      changed();
      return request;
    },

    get: async (asker, id) => (await visible(asker, id)).request,

    async list(asker, { state, mine, toReview }, page) {
      // Only what is pending is left to decide about: the others need not be read for it.
      const wantedState = toReview && state === undefined ? "pending" : state;
      const filter = {
        ...(wantedState && { state: wantedState }),
        ...(mine && { userId: asker.subject.id }),
      };
      const items: AccessRequest[] = [];
      let after = page.after;
      const limit = page.limit ?? 50;
      do {
        const found = await requests.list(filter, {
          limit: limit - items.length,
          ...(after !== undefined && { after }),
        });
        for (const request of found.items)
          if (
            may(asker, "request.view", await resourceOf(request)) &&
            (!toReview || (await mayReview(asker.subject, request)))
          )
            items.push(request);
        after = found.next;
      } while (after !== undefined && items.length < limit);
      return { items, ...(after !== undefined && { next: after }) };
    },

    async review(asker, id, { verdict, comment }) {
      const { request, resource } = await visible(asker, id);
      if (!may(asker, "request.review", resource))
        throw new GatehouseError({
          code: "denied",
          op: "requests.review",
          message:
            request.user.id === asker.subject.id
              ? "nobody decides about what they asked for themselves"
              : `${asker.subject.name} may not decide about this request`,
        });
      const nowMs = clock.nowMs();
      const { id: reviewerId, name } = asker.subject;
      const reviewed = await requests.review(
        id,
        { reviewer: { id: reviewerId, name }, verdict, comment, reviewedAtMs: nowMs },
        (so) => {
          if (verdict === "deny") return { state: "denied", endsAtMs: nowMs };
          const approvals = so.reviews.filter((review) => review.verdict === "approve").length;
          return approvals >= so.approvals
            ? { state: "approved", endsAtMs: nowMs + so.durationMs }
            : { state: "pending", endsAtMs: so.endsAtMs };
        },
      );
      await note(asker, "access_request.review", reviewed, { verdict, comment });
      if (reviewed.state !== "pending")
        await note(asker, "access_request.update", reviewed, {
          state: reviewed.state,
          ...(reviewed.state === "approved" && { expires: new Date(reviewed.endsAtMs).toISOString() }),
        });
      changed();
      return reviewed;
    },

    async cancel(asker, id) {
      const { request } = await visible(asker, id);
      if (request.user.id !== asker.subject.id)
        throw new GatehouseError({
          code: "denied",
          op: "requests.cancel",
          message: "only who asked for it takes it back",
          hint: "A lock shuts out somebody whose access must end.",
        });
      if (!(await requests.move(id, ["pending", "approved"], "cancelled")))
        throw new GatehouseError({
          code: "conflict",
          op: "requests.cancel",
          message: `the request is ${request.state}; nothing is left to take back`,
        });
      await note(asker, "access_request.delete", request);
      changed();
      return { ...request, state: "cancelled" };
    },

    mayReview,
  };
}

/** What of a request stands in every event about it. */
export function requestFields({ id, user, wanted }: AccessRequest): Record<string, unknown> {
  return {
    request_id: id,
    owner: user.name,
    kind: wanted.kind,
    ...(wanted.kind === "role" ? { roles: [wanted.role] } : { server_hostname: wanted.targetName }),
    ...(wanted.kind === "target" && { logins: [...wanted.logins] }),
  };
}

/** What a policy lets somebody ask for, and who decides about it. */
type Terms<W extends Wanted = Exclude<Wanted, { kind: "role" }>> = Pick<
  AccessRequest,
  "approvals" | "atExpiry"
> & {
  wanted: W;
  /** Accounts that can be asked for. */
  logins: readonly string[];
  minutesMax: number;
  reviewers: Reviewers;
};
/** The target that a request is about, where it is about one. */
export function targetIn(wanted: Wanted): { serverId?: string } {
  return wanted.kind === "role" ? {} : { serverId: wanted.targetId };
}
const nobody = { roles: [], users: [] };
const nobodyDecides = { ...nobody, teamLeads: false };

function invalid(message: string, hint?: string): GatehouseError {
  return new GatehouseError({ code: "invalid", op: "requests.create", message, hint });
}
function unknown(id: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "requests.get",
    message: `there is no access request ${id}`,
  });
}
