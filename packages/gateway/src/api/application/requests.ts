import type { AccessRequest } from "@gatehouse/contracts/rest";
import type { AccessRequest as StoredRequest } from "../../directory/mod.ts";
import type { Requests } from "../../requests/mod.ts";
import type { Principal, RequestsDoor } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { isoTime, pageRequest, wirePage } from "./page.ts";

/** Access requests in the public words. Decided and audited by the room behind them. */
export function createRequestsDoor(requests: Requests): RequestsDoor {
  const words = async (principal: Principal, request: StoredRequest): Promise<AccessRequest> => {
    const { wanted, durationMs, createdAtMs, endsAtMs, reviews, ...rest } = request;
    return {
      ...rest,
      wanted: wanted.kind === "target" ? { ...wanted, logins: [...wanted.logins] } : wanted,
      minutes: durationMs / 60_000,
      createdAt: isoTime(createdAtMs),
      endsAt: isoTime(endsAtMs),
      reviews: reviews.map(({ reviewer, verdict, comment, reviewedAtMs }) => ({
        reviewer,
        verdict,
        comment,
        reviewedAt: isoTime(reviewedAtMs),
      })),
      mayReview: await requests.mayReview(principal.subject, request),
    };
  };
  return {
    async list(principal, query) {
      const page = await requests.list(
        principal,
        {
          ...(query.state && { state: query.state }),
          mine: query.mine === "true",
          toReview: query.toReview === "true",
        },
        pageRequest(query),
      );
      return wirePage(page, (request) => words(principal, request));
    },
    get: async (principal, id) => words(principal, await requests.get(principal, id)),
    async terms(principal, about) {
      const { wanted, logins, reviewers, ...terms } = await requests.terms(principal, about);
      const { roles, users, teamLeads } = reviewers;
      return {
        targetId: wanted.targetId,
        targetName: wanted.targetName,
        logins: [...logins],
        reviewers: { roles: [...roles], users: [...users], teamLeads },
        ...terms,
      };
    },
    async roles(principal) {
      const askable = await requests.roles(principal);
      return {
        items: askable.map(({ role, policy: { approvals, minutesMax, atExpiry, reviewers } }) => ({
          role,
          approvals,
          minutesMax,
          atExpiry,
          reviewers,
        })),
      };
    },
    async create(principal, { reason, minutes, ...wanted }) {
      if (wanted.kind === "role") requireNoToken(principal, "ask for roles");
      return words(
        principal,
        await requests.create(principal, { wanted, reason, durationMs: minutes * 60_000 }),
      );
    },
    async review(principal, id, { verdict, comment = "" }) {
      const { wanted } = await requests.get(principal, id);
      if (wanted.kind === "role") requireNoToken(principal, "decide about roles");
      return words(principal, await requests.review(principal, id, { verdict, comment }));
    },
    cancel: async (principal, id) => words(principal, await requests.cancel(principal, id)),
  };
}
