import { type Client, everyPage } from "@gatehouse/contracts/client";
import type { AccessRequest, Session, SessionEvent } from "@gatehouse/contracts/rest";
import { type Participant, participantsIn, ruleWords } from "@gatehouse/contracts/session-words";
import { isGatehouseError } from "@gatehouse/kernel";
import type { Printer } from "../output/mod.ts";
import { formatMoment } from "../player/mod.ts";

type People = {
  /** What was asked for to get in; null where nothing was, or where it may not be seen. */
  request: AccessRequest | null;
  /** Statements that somebody decided about. */
  reviews: { statement: unknown; by: string; decision: unknown; comment: unknown; at: string }[];
  participants: Participant[];
};

/** Who let it in, who decided about what was run, and who took part: as the session's page has it. */
export async function peopleOf(session: Session, client: Client): Promise<People> {
  const events: SessionEvent[] = [];
  for await (const event of everyPage((cursor) =>
    client.sessions.events(session.id, { limit: 200, ...(cursor !== undefined && { cursor }) }),
  ))
    events.push(event);
  events.reverse();
  const requestId = session.admission?.requestId ?? undefined;
  return {
    request: requestId === undefined ? null : await seenRequest(requestId, client),
    reviews: events
      .filter(({ event, success }) => success && event === "db.statement.review")
      .map(({ user, time, fields }) => ({
        statement: fields["statement"],
        by: user,
        decision: fields["decision"],
        comment: fields["comment"] ?? null,
        at: time,
      })),
    participants: participantsIn(events),
  };
}

async function seenRequest(id: string, client: Client): Promise<AccessRequest | null> {
  try {
    return await client.requests.get(id);
  } catch (error) {
    if (isGatehouseError(error, "not_found") || isGatehouseError(error, "denied")) return null;
    throw error;
  }
}

export function peopleFields(
  { admission }: Session,
  { request, reviews, participants }: People,
  printer: Printer,
): [string, string | undefined][] {
  const comment = (text: unknown) => (typeof text === "string" && text !== "" ? `: ${text}` : "");
  const needed = admission?.playbackApprovals ?? 0;
  return [
    ["allowed by", admission ? `${admission.rule}: ${ruleWords(admission.rule)}` : undefined],
    ["request", admission?.requestId ?? undefined],
    [
      "asked",
      request ? `${printer.time(request.createdAt)} by ${request.user.name}: ${request.reason}` : undefined,
    ],
    ...(request?.reviews ?? []).map((review): [string, string] => [
      review.verdict === "deny" ? "denied" : "approved",
      `${printer.time(review.reviewedAt)} by ${review.reviewer.name}${comment(review.comment)}`,
    ]),
    ...reviews.map((review): [string, string] => [
      `statement ${String(review.statement)}`,
      `${review.decision === "deny" ? "denied" : "approved"} ${printer.time(review.at)} by ${review.by}${comment(review.comment)}`,
    ]),
    ["to open it", needed === 0 ? undefined : `${needed} other${needed === 1 ? "" : "s"} must approve`],
    ["watermark", admission?.watermark === true ? "whoever looks sees their own name over it" : undefined],
    ...participants.flatMap(({ name, watched, did }): [string, string][] => [
      ...watched.map(({ fromUs, toUs }): [string, string] => [
        "looked on",
        `${name}, ${formatMoment(fromUs)} to ${toUs === undefined ? "the end" : formatMoment(toUs)}`,
      ]),
      ...did.map(({ atUs, what, why }): [string, string] => [
        "moderated",
        `${formatMoment(atUs)} ${name} ${what}${comment(why)}`,
      ]),
    ]),
  ];
}
