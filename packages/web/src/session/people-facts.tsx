import type { AccessRequest, Session, SessionEvent } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { participantsIn, ruleWords } from "@gatehouse/contracts/session-words";
import { queries } from "../gateway.ts";
import { Identifier, Time } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { Fact, Group } from "./fact-group.tsx";

const linkStyle = "font-medium text-accent underline-offset-2 hover:underline";

/** The rule that let it in, as it was decided then. */
export function WhyAllowed({ session: { admission } }: { session: Session }) {
  if (!admission) return null;
  return <Fact name="Why allowed">{ruleWords(admission.rule)}</Fact>;
}

/** Who said yes to what: to the session itself, to statements in it, to its recording being opened. */
export function Approvals({ session, events }: { session: Session; events: readonly SessionEvent[] }) {
  const requestId = session.admission?.requestId ?? undefined;
  const needed = session.admission?.playbackApprovals ?? 0;
  const reviews = events.filter(({ event, success }) => success && event === "db.statement.review");
  const asked = events.filter(({ event }) => event === "access_request.create");
  if (requestId === undefined && needed === 0 && reviews.length === 0 && asked.length === 0) return null;
  return (
    <Group title="Approvals">
      <ul className="grid gap-2">
        {requestId !== undefined && <AdmittingRequest requestId={requestId} />}
        {reviews.map((review) => (
          <li key={review.uid}>
            <Said
              who={review.user}
              verdict={review.fields["decision"] === "deny" ? "deny" : "approve"}
              comment={textIn(review, "comment")}
              at={review.time}
            >
              statement {String(review.fields["statement"] ?? "?")}
            </Said>
          </li>
        ))}
        {needed > 0 && (
          <li className="text-soft">
            {needed === 1 ? "Somebody else" : `${needed} others`} must approve before its recording is opened.
          </li>
        )}
        {asked.map((one) => (
          <li key={one.uid}>
            <p className="wrap-anywhere">
              <span className="font-medium">{one.user}</span> asked to open the recording:{" "}
              {textIn(one, "reason")} <Time iso={one.time} className="text-xs text-faint" />
            </p>
            {events
              .filter(
                ({ event, fields }) =>
                  event === "access_request.review" && fields["request_id"] === one.fields["request_id"],
              )
              .map((review) => (
                <Said
                  key={review.uid}
                  who={review.user}
                  verdict={review.fields["verdict"] === "deny" ? "deny" : "approve"}
                  comment={textIn(review, "comment")}
                  at={review.time}
                />
              ))}
          </li>
        ))}
      </ul>
    </Group>
  );
}

/** The request that it needed; where it may not be seen, that there was one. */
function AdmittingRequest({ requestId }: { requestId: string }) {
  const { data } = useQuery(queries.request(requestId));
  if (!data)
    return (
      <li>
        An approved request, <Identifier text={requestId} what="request's id" />
      </li>
    );
  return <RequestWords request={data} />;
}

function RequestWords({ request }: { request: AccessRequest }) {
  return (
    <li>
      <p className="wrap-anywhere">
        <span className="font-medium">{request.user.name}</span> asked for it: {request.reason}{" "}
        <Time iso={request.createdAt} className="text-xs text-faint" />
      </p>
      {request.reviews.map((review) => (
        <Said
          key={review.reviewer.id}
          who={review.reviewer.name}
          verdict={review.verdict}
          comment={review.comment}
          at={review.reviewedAt}
        />
      ))}
      <Link to="/requests/$requestId" params={{ requestId: request.id }} className={linkStyle}>
        The request
      </Link>
    </li>
  );
}

function Said({
  who,
  verdict,
  comment,
  at,
  children,
}: {
  who: string;
  verdict: "approve" | "deny";
  comment: string;
  at: string;
  children?: ReactNode;
}) {
  return (
    <p className="wrap-anywhere">
      <span className="font-medium">{who}</span>{" "}
      <span className={verdict === "deny" ? "text-danger" : "text-verified"}>
        {verdict === "deny" ? "denied" : "approved"}
      </span>
      {children !== undefined && <> {children}</>}
      {comment !== "" && <>: {comment}</>} <Time iso={at} className="text-xs text-faint" />
    </p>
  );
}

/** The person, whoever looked on and from when to when, and whoever stopped something. */
export function Participants({
  session,
  events,
  watchers,
  onChoose,
}: {
  session: Session;
  events: readonly SessionEvent[];
  /** As the recording has them, for where the log's events are gone. */
  watchers: readonly string[];
  onChoose: ((timeUs: number) => void) | undefined;
}) {
  const people = participantsIn(events);
  const others = watchers.filter((name) => !people.some((one) => one.name === name));
  const moment = (us: number) =>
    onChoose ? (
      <button
        type="button"
        onClick={() => onChoose(us)}
        title="Go to this moment"
        className="figures rounded text-accent underline-offset-2 hover:underline"
      >
        {clockTime(us)}
      </button>
    ) : (
      <span className="figures">{clockTime(us)}</span>
    );
  return (
    <Group title="Who took part">
      <ul className="grid gap-1">
        <li>
          <span className="font-medium">{session.user.name}</span>{" "}
          <span className="text-soft">
            {session.state === "live" ? "is working in it" : "worked in it, from its beginning to its end"}
          </span>
        </li>
        {people.map(({ name, watched, did }) => (
          <li key={name} className="wrap-anywhere">
            <span className="font-medium">{name}</span>
            <span className="text-soft">
              {watched.map(({ fromUs, toUs }, i) => (
                <span key={fromUs}>
                  {i === 0 ? " watched " : ", "}
                  {moment(fromUs)} – {toUs === undefined ? "the end" : moment(toUs)}
                </span>
              ))}
              {did.map(({ atUs, what, why }) => (
                <span key={`${what} ${atUs}`} className="block">
                  {moment(atUs)} {what}
                  {why !== "" && <>: {why}</>}
                </span>
              ))}
            </span>
          </li>
        ))}
        {others.map((name) => (
          <li key={name}>
            <span className="font-medium">{name}</span> <span className="text-soft">watched</span>
          </li>
        ))}
      </ul>
    </Group>
  );
}

function textIn({ fields }: SessionEvent, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}
