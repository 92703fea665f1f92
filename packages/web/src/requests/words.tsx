import type { AccessRequest, Reviewers } from "@gatehouse/contracts/rest";
import { Badge } from "../ui/elements.tsx";
import { duration } from "../ui/format.ts";
import { useNow } from "../ui/use-now.ts";

/** What is asked for, as a sentence goes on after `asks for`. */
export function wantedWords({ wanted }: Pick<AccessRequest, "wanted">): string {
  switch (wanted.kind) {
    case "target":
      return `${wanted.logins.join(", ")} on ${wanted.targetName}`;
    case "role":
      return `the role ${wanted.role}`;
    case "playback":
      return `a recording of ${wanted.targetName}`;
  }
}

const badges = {
  pending: { tone: "attention", says: "waits" },
  approved: { tone: "verified", says: "approved" },
  denied: { tone: "danger", says: "denied" },
  cancelled: { tone: "plain", says: "taken back" },
  expired: { tone: "plain", says: "over" },
} as const;

export function RequestBadge({ request }: { request: AccessRequest }) {
  const { tone, says } = badges[request.state];
  return <Badge tone={tone}>{says}</Badge>;
}

/** How far it is: approvals that are missing, or the time that is left. */
export function Progress({ request }: { request: AccessRequest }) {
  const nowMs = useNow();
  const leftMs = Date.parse(request.endsAt) - nowMs;
  if (request.state === "approved")
    return <span className="figures">{leftMs > 0 ? `${duration(leftMs)} left` : "over"}</span>;
  if (request.state !== "pending") return null;
  const given = request.reviews.filter(({ verdict }) => verdict === "approve").length;
  return (
    <span className="figures">
      {request.approvals === 1 ? "one must approve" : `${given} of ${request.approvals} have approved`}
    </span>
  );
}

/** Who decides, by the policy. */
export function reviewerWords({ roles, users, teamLeads }: Reviewers): string {
  const who = [
    ...users,
    ...roles.map((role) => `anybody with the role ${role}`),
    ...(teamLeads ? ["whoever leads a team of theirs"] : []),
  ];
  return who.join(", ") || "nobody";
}
