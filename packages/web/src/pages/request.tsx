import type { AccessRequest } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Progress, RequestBadge, wantedWords } from "../requests/words.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Button, Command, Time } from "../ui/elements.tsx";
import { spanWords } from "../ui/format.ts";
import { InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/requests/$requestId");
const linkStyle = "font-medium text-accent underline-offset-2 hover:underline";

/** One request: what is asked and why, what was said to it, how long it holds, and one's own word where it counts. */
export function RequestPage() {
  const { requestId } = route.useParams();
  const me = useQuery(queries.me);
  const query = useQuery(queries.request(requestId));
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data || !me.data) return <SkeletonRows />;
  const request = query.data;
  const isOwn = request.user.id === me.data.id;
  return (
    <>
      <StaleNote query={query} />
      <PageHead
        title={`${request.user.name} asks for ${wantedWords(request)}`}
        note={<RequestBadge request={request} />}
      >
        {isOwn && (request.state === "pending" || request.state === "approved") && (
          <TakeBack request={request} />
        )}
      </PageHead>
      <div className="grid max-w-2xl grid-cols-[minmax(0,1fr)] gap-5 px-4 pb-10">
        <p className="border-l-2 pl-3 text-base break-words">{request.reason}</p>
        <dl className="grid gap-1">
          <Fact name="For">{spanWords(request.minutes)} from the approval</Fact>
          <Fact name="Asked">
            <Time iso={request.createdAt} />
          </Fact>
          <Ends request={request} />
          <Fact name="About">
            <About request={request} />
          </Fact>
        </dl>
        {request.reviews.length > 0 && (
          <section>
            <h2 className="mb-1 text-xs font-medium text-faint">Said to it</h2>
            <ul className="divide-y border-y">
              {request.reviews.map((review) => (
                <li key={review.reviewer.id} className="py-2">
                  <p className="flex flex-wrap items-center gap-x-2">
                    <span className="font-medium">{review.reviewer.name}</span>
                    <Badge tone={review.verdict === "approve" ? "verified" : "danger"}>
                      {review.verdict === "approve" ? "approved" : "denied"}
                    </Badge>
                    <Time iso={review.reviewedAt} className="ml-auto text-xs text-faint" />
                  </p>
                  {review.comment !== "" && <p className="break-words text-soft">{review.comment}</p>}
                </li>
              ))}
            </ul>
          </section>
        )}
        {isOwn && request.state === "approved" && <HowToUse request={request} />}
        {request.mayReview && <Review request={request} />}
      </div>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-2">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

function Ends({ request }: { request: AccessRequest }) {
  const when = <Time iso={request.endsAt} />;
  switch (request.state) {
    case "pending":
      return (
        <Fact name="State">
          <Progress request={request} />
          <span className="text-faint">; unanswered it is over {when}</span>
        </Fact>
      );
    case "approved":
      return (
        <Fact name="Holds">
          <span className="font-medium">
            <Progress request={request} />
          </span>
          <span className="text-faint">
            , until {when};{" "}
            {request.atExpiry === "end" ? "sessions end with it" : "sessions that are live then may finish"}
          </span>
        </Fact>
      );
    case "expired":
      return <Fact name="Ended">{when}</Fact>;
    case "denied":
    case "cancelled":
      return null;
  }
}

function About({ request: { wanted } }: { request: AccessRequest }) {
  switch (wanted.kind) {
    case "target":
      return (
        <Link to="/targets/$targetId" params={{ targetId: wanted.targetId }} className={linkStyle}>
          {wanted.targetName}
        </Link>
      );
    case "role":
      return <>the role {wanted.role}</>;
    case "playback":
      return (
        <Link to="/sessions/$sessionId" params={{ sessionId: wanted.sessionId }} className={linkStyle}>
          the session on {wanted.targetName}
        </Link>
      );
  }
}

function HowToUse({ request: { wanted } }: { request: AccessRequest }) {
  const targetId = wanted.kind === "target" ? wanted.targetId : "";
  const target = useQuery({ ...queries.target(targetId), enabled: targetId !== "" });
  if (wanted.kind === "role") return <p className="text-soft">You have the role {wanted.role} now.</p>;
  if (wanted.kind === "playback")
    return (
      <p>
        <Link to="/sessions/$sessionId" params={{ sessionId: wanted.sessionId }} className={linkStyle}>
          Open the recording
        </Link>
      </p>
    );
  if (target.data?.protocol !== "ssh") return null;
  return (
    <div className="grid justify-items-start gap-2">
      <p className="text-soft">It is open to you now:</p>
      {wanted.logins.map((login) => (
        <Command key={login} text={`ssh -p 3022 ${login}+${wanted.targetName}@${window.location.hostname}`} />
      ))}
    </div>
  );
}

function useChanged() {
  const client = useQueryClient();
  return async (request: AccessRequest) => {
    client.setQueryData(queries.request(request.id).queryKey, request);
    await client.invalidateQueries({ queryKey: ["requests"] });
  };
}

function Review({ request }: { request: AccessRequest }) {
  const commentId = useId();
  const changed = useChanged();
  const client = useQueryClient();
  const review = useMutation({
    mutationFn: (how: { verdict: "approve" | "deny"; comment: string }) =>
      gateway.requests.review(request.id, how),
    onSuccess: changed,
    // Somebody else may have been quicker: the page then shows how it is.
    onError: () => void client.invalidateQueries({ queryKey: ["request", request.id] }),
  });
  const [comment, setComment] = useState("");
  return (
    <section className="grid gap-2 border-t pt-4">
      <h2 className="text-base">Your word</h2>
      <label htmlFor={commentId} className="text-xs font-medium text-soft">
        Comment, told to {request.user.name} and kept in the audit log
      </label>
      <textarea
        id={commentId}
        rows={2}
        maxLength={1000}
        value={comment}
        onChange={(event) => setComment(event.target.value)}
        className="rounded-md border border-strong bg-raised px-2.5 py-1.5"
      />
      {review.isError && <InlineProblem error={review.error} />}
      <div className="flex justify-end gap-2 max-sm:[&>button]:flex-1">
        <Button
          tone="danger"
          disabled={review.isPending}
          onClick={() => review.mutate({ verdict: "deny", comment })}
        >
          <X size={15} aria-hidden /> Deny
        </Button>
        <Button
          tone="primary"
          disabled={review.isPending}
          onClick={() => review.mutate({ verdict: "approve", comment })}
        >
          <Check size={15} aria-hidden /> Approve for {spanWords(request.minutes)}
        </Button>
      </div>
    </section>
  );
}

function TakeBack({ request }: { request: AccessRequest }) {
  const changed = useChanged();
  const [asks, setAsks] = useState(false);
  const cancel = useMutation({
    mutationFn: () => gateway.requests.cancel(request.id),
    onSuccess: async (cancelled) => {
      setAsks(false);
      await changed(cancelled);
    },
  });
  return (
    <>
      <Button onClick={() => setAsks(true)}>Take it back</Button>
      <Dialog title="Take it back?" isOpen={asks} onClose={() => setAsks(false)}>
        <div className="grid gap-4">
          <p className="text-soft">
            {request.state === "approved"
              ? "The access ends now, and sessions that live by it end with it."
              : "Nobody needs to decide about it any more."}
          </p>
          {cancel.isError && <InlineProblem error={cancel.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsks(false)}>Keep it</Button>
            <Button tone="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
              Take it back
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
