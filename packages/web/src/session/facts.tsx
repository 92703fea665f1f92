import type { Session, Verification } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleMinus, CircleX, RotateCw, ShieldCheck } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { queries } from "../gateway.ts";
import { Button, Identifier, Time } from "../ui/elements.tsx";
import { bytes, count, duration } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { RecordingMark, endWords, recordingWords } from "./words.tsx";

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="border-b px-4 py-3 last:border-b-0">
      <h2 className="mb-1.5 text-xs font-medium text-faint">{title}</h2>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6.5rem_1fr] gap-2 py-0.5">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

const heldBy = {
  backend: "the store itself holds each object",
  gatehouse: "this store keeps no holds, Gatehouse alone removes nothing",
  pending: "the store was not yet asked",
} as const;

/** All that is known of a session, and whether its recording holds. */
export function Facts({ session, watchers }: { session: Session; watchers: readonly string[] }) {
  const recording = useQuery(queries.recording(session.id));
  const stored = recording.data;
  return (
    <div>
      <Group title="Session">
        <dl>
          <Fact name="Person">{session.user.name}</Fact>
          <Fact name="From">{session.remoteAddress}</Fact>
          <Fact name="To">
            {session.login}@{session.target.name}
            <span className="block text-xs text-faint">{session.target.address}</span>
          </Fact>
          <WhyAllowed sessionId={session.id} />
          {session.client && (
            <Fact name="Client">
              <span className="font-mono text-xs">{session.client}</span>
            </Fact>
          )}
          <Fact name="Started">
            <Time iso={session.startedAt} />
          </Fact>
          {session.endedAt && (
            <Fact name="Ended">
              <Time iso={session.endedAt} />
              {session.durationMs !== null && (
                <span className="text-faint"> after {duration(session.durationMs)}</span>
              )}
            </Fact>
          )}
          <Fact name="How it ended">{endWords(session)}</Fact>
          {watchers.length > 0 && <Fact name="Watched by">{watchers.join(", ")}</Fact>}
          <Fact name="Gateway">{session.gatewayId}</Fact>
          <Fact name="Session">
            <Identifier text={session.id} what="session's id" head={8} tail={12} />
          </Fact>
          <Fact name="Connection">
            <Identifier text={session.connectionId} what="connection's id" head={8} tail={12} />
          </Fact>
        </dl>
      </Group>
      <Group title="Recording">
        <dl>
          <Fact name="State">
            <RecordingMark recording={session.recording} />
            <span className="block text-xs text-faint">
              {session.recording.detail ?? recordingWords[session.recording.state].means}
            </span>
          </Fact>
          {session.recording.frames !== null && <Fact name="Frames">{count(session.recording.frames)}</Fact>}
          {session.recording.bytes !== null && <Fact name="Stored">{bytes(session.recording.bytes)}</Fact>}
          {stored?.segments !== null && stored?.segments !== undefined && (
            <Fact name="Segments">{count(stored.segments)}</Fact>
          )}
          {session.recording.headSha256 && (
            <Fact name="Head hash">
              <Identifier text={session.recording.headSha256} what="head hash" head={10} tail={8} />
            </Fact>
          )}
          {stored?.signedBy && (
            <Fact name="Signed by">
              <Identifier text={stored.signedBy} what="key's id" head={16} />
            </Fact>
          )}
          {stored?.retainUntil && (
            <Fact name="Kept until">
              <Time iso={stored.retainUntil} />
            </Fact>
          )}
          {stored?.hold && (
            <Fact name="On hold">
              <span className="wrap-anywhere">{stored.hold.reason}</span>
              <span className="block text-xs text-faint">
                by {stored.hold.by} for {stored.hold.owner}, since <Time iso={stored.hold.since} />;{" "}
                {heldBy[stored.hold.keptBy]}
              </span>
            </Fact>
          )}
          {stored?.removedAt && (
            <Fact name="Removed">
              <Time iso={stored.removedAt} />
            </Fact>
          )}
          {stored?.lockedUntil && (
            <Fact name="Locked in the store until">
              <Time iso={stored.lockedUntil} />
            </Fact>
          )}
          {stored && <Fact name="Format">{stored.format}</Fact>}
        </dl>
      </Group>
      {session.state !== "live" && <VerificationGroup sessionId={session.id} />}
      {stored?.exports.includes("bundle") && session.recording.headSha256 !== null && (
        <CheckedHere session={session} />
      )}
      <RelatedEvents sessionId={session.id} />
    </div>
  );
}

/** The rule that let it in, and the approved request where one was needed: as the audit log has it. */
function WhyAllowed({ sessionId }: { sessionId: string }) {
  const allowed = useMayReadAudit();
  const query = useInfiniteQuery({
    ...queries.audit({ session: sessionId, event: "session.start", limit: 1 }),
    enabled: allowed,
  });
  const { rule, access_request_id: request } = query.data?.pages[0]?.items[0]?.fields ?? {};
  if (typeof rule !== "string" && typeof request !== "string") return null;
  return (
    <Fact name="Why allowed">
      {typeof rule === "string" ? rule.replaceAll("-", " ") : "an approved request"}
      {typeof request === "string" && (
        <span className="block">
          <span className="text-faint">approved request </span>
          <Identifier text={request} what="request's id" />
        </span>
      )}
    </Fact>
  );
}

function useMayReadAudit(): boolean {
  const me = useQuery(queries.me);
  return me.data?.may.includes("audit.read") ?? false;
}

const checkNames: Record<Verification["checks"][number]["name"], string> = {
  segments: "Segments",
  chain: "Chain",
  signature: "Signature",
  audit: "Audit log",
  frames: "Frames",
};
const checkMarks = {
  ok: { icon: CircleCheck, style: "text-verified", says: "holds" },
  failed: { icon: CircleX, style: "text-danger", says: "does not hold" },
  absent: { icon: CircleMinus, style: "text-faint", says: "not there" },
} as const;

function VerificationGroup({ sessionId }: { sessionId: string }) {
  const query = useQuery(queries.verification(sessionId));
  return (
    <Group title="Verified from the stored bytes">
      {query.isFetching && (
        <p role="status" className="text-soft">
          Reading and checking every segment…
        </p>
      )}
      {query.isError && !query.isFetching && <InlineProblem error={query.error} />}
      {query.data && !query.isFetching && (
        <>
          <p className={`font-medium ${query.data.ok ? "text-verified" : "text-danger"}`}>
            {query.data.ok
              ? "Whole and unaltered"
              : `Does not verify${query.data.firstFault ? `: ${query.data.firstFault}` : ""}`}
          </p>
          <ul className="mt-1.5 grid gap-1">
            {query.data.checks.map((check) => {
              const { icon: Icon, style, says } = checkMarks[check.status];
              return (
                <li key={check.name} className="flex gap-2">
                  <Icon size={15} className={`mt-0.5 shrink-0 ${style}`} aria-label={says} />
                  <span className="min-w-0">
                    {checkNames[check.name]}
                    <span className="block text-xs wrap-anywhere text-faint">{check.detail}</span>
                  </span>
                </li>
              );
            })}
          </ul>
          <p className="mt-2 text-xs text-faint">
            Checked <Time iso={query.data.checkedAt} />
          </p>
        </>
      )}
      <Button className="mt-2" disabled={query.isFetching} onClick={() => void query.refetch()}>
        <RotateCw size={14} aria-hidden /> Check again
      </Button>
    </Group>
  );
}

/** For whoever does not take the gateway's word: the same check, made by this browser from the sealed bytes. */
function CheckedHere({ session }: { session: Session }) {
  const [takenBytes, setTakenBytes] = useState(0);
  const stop = useRef<AbortController>(undefined);
  // It goes on in the background of this page, and ends with it.
  useEffect(() => () => stop.current?.abort(), []);
  const check = useMutation({
    mutationFn: async () => {
      const { checkHere } = await import("./check-here.ts");
      setTakenBytes(0);
      stop.current = new AbortController();
      return checkHere(session, stop.current.signal, setTakenBytes);
    },
  });
  const verified = check.data;
  return (
    <Group title="Verified in this browser">
      {check.isError && <InlineProblem error={check.error} />}
      {verified && (
        <div role="status">
          <p className={`font-medium ${verified.ok ? "text-verified" : "text-danger"}`}>
            {verified.ok ? "It holds, computed here" : "It does not hold, computed here"}
          </p>
          <p className="text-xs text-soft">
            {count(verified.segments)} {verified.segments === 1 ? "segment" : "segments"},{" "}
            {bytes(verified.bytes)}, hashed and chained
            {verified.signer && (
              <>
                ; signed by <code className="font-mono break-all">{verified.signer.keyId}</code>
                {verified.signer.trusted ? ", this gateway's key" : ", which is not this gateway's key"}
              </>
            )}
            .
          </p>
          <ul className="mt-1 grid gap-1 text-xs text-danger">
            {verified.findings.slice(0, 5).map((finding) => (
              <li key={finding.message} className="wrap-anywhere">
                {finding.message}
              </li>
            ))}
          </ul>
        </div>
      )}
      {!verified && (
        <p className="text-xs text-faint">
          Takes the sealed recording
          {session.recording.bytes === null ? "" : `, ${bytes(session.recording.bytes)},`} and checks hashes,
          chain and signatures here. It is noted as an export.
        </p>
      )}
      <Button className="mt-2" disabled={check.isPending} onClick={() => check.mutate()}>
        <ShieldCheck size={14} aria-hidden />{" "}
        {!check.isPending
          ? "Check in this browser"
          : takenBytes === 0
            ? "Checking…"
            : `Checking, ${bytes(takenBytes)} taken…`}
      </Button>
    </Group>
  );
}

function RelatedEvents({ sessionId }: { sessionId: string }) {
  const allowed = useMayReadAudit();
  const query = useInfiniteQuery({ ...queries.audit({ session: sessionId, limit: 10 }), enabled: allowed });
  const events = query.data?.pages[0]?.items ?? [];
  if (!allowed || events.length === 0) return null;
  return (
    <Group title="In the audit log">
      <ul className="grid gap-0.5">
        {events.map((event) => (
          <li key={event.uid} className="flex justify-between gap-3">
            <span className="font-mono text-xs leading-5">{event.event}</span>
            <span className="text-xs text-faint">
              {event.user} · <Time iso={event.time} />
            </span>
          </li>
        ))}
      </ul>
      <Link
        to="/audit"
        search={{ session: sessionId }}
        className="mt-1.5 inline-block font-medium text-accent underline-offset-2 hover:underline"
      >
        All events of this session
      </Link>
    </Group>
  );
}
