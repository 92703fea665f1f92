import type { AccessRequest, RequestTerms } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, newId, systemRandom } from "@gatehouse/kernel";
import type { RestDoors } from "../../door.ts";
import { samplePeople, sampleTargets } from "./sample-sessions.ts";

const minuteMs = 60_000;

/** The one to decide. */
export const sampleRequestId = "0199f4b0-0000-7000-8000-0000000000b1";

/** A few access requests in memory: one to decide, one that holds, one that was denied. */
export function memoryRequests(clock: Clock): Pick<RestDoors, "requests"> {
  const { admin, jane, sam } = samplePeople;
  const [, , db1, build1] = sampleTargets;
  const iso = (ms: number) => new Date(clock.nowMs() + ms).toISOString();
  const made = (
    user: { id: string; name: string },
    wanted: AccessRequest["wanted"],
    more: Pick<AccessRequest, "reason" | "minutes"> & Partial<AccessRequest>,
  ): AccessRequest => ({
    id: newId(clock.nowMs(), systemRandom),
    state: "pending",
    user: { id: user.id, name: user.name },
    wanted,
    approvals: 1,
    atExpiry: "end",
    createdAt: iso(-12 * minuteMs),
    endsAt: iso(7 * 24 * 60 * minuteMs),
    reviews: [],
    mayReview: false,
    ...more,
  });
  const on = (target: { id: string; name: string }, ...logins: string[]) => ({
    kind: "target" as const,
    targetId: target.id,
    targetName: target.name,
    logins,
  });
  const reviewOf = (verdict: "approve" | "deny", comment: string) => ({
    reviewer: { id: admin.id, name: admin.name },
    verdict,
    comment,
    reviewedAt: iso(-11 * minuteMs),
  });
  const all: AccessRequest[] = [
    made(jane, on(db1, "root"), {
      id: sampleRequestId,
      reason: "INC-4711: the shop is slow since the release",
      minutes: 120,
    }),
    made(sam, on(build1, "deploy"), {
      reason: "Disk is full, logs must be rotated",
      minutes: 60,
      state: "approved",
      endsAt: iso(47 * minuteMs),
      reviews: [reviewOf("approve", "Take a snapshot first.")],
    }),
    made(jane, on(build1, "root"), {
      reason: "Have a look around",
      minutes: 480,
      state: "denied",
      endsAt: iso(-11 * minuteMs),
      reviews: [reviewOf("deny", "Say what for.")],
    }),
  ];
  const notFound = (): never => {
    throw new GatehouseError({ code: "not_found", op: "memory", message: "there is no such request" });
  };
  const seen = (request: AccessRequest, subjectId: string): AccessRequest => ({
    ...request,
    mayReview: request.state === "pending" && subjectId === admin.id && request.user.id !== subjectId,
  });
  const byId = (id: string) => all.find((request) => request.id === id) ?? notFound();
  const terms: RequestTerms = {
    targetId: db1.id,
    targetName: db1.name,
    logins: ["root", "deploy"],
    approvals: 1,
    minutesMax: 240,
    atExpiry: "end",
    reviewers: { roles: ["platform-admin"], users: [], teamLeads: true },
  };
  return {
    requests: {
      list: async ({ subject }, { state, mine, toReview }) => ({
        items: all
          .map((request) => seen(request, subject.id))
          .filter((request) => state === undefined || request.state === state)
          .filter((request) => mine !== "true" || request.user.id === subject.id)
          .filter((request) => toReview !== "true" || request.mayReview),
        next: null,
      }),
      get: async ({ subject }, id) => seen(byId(id), subject.id),
      roles: async () => ({ items: [] }),
      terms: async (_principal, about) =>
        "targetId" in about && about.targetId === db1.id ? terms : notFound(),
      create: async () => notFound(),
      review: async () => notFound(),
      cancel: async () => notFound(),
    },
  };
}
