import type { Session } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { queries } from "../gateway.ts";
import { Identifier, Time } from "../ui/elements.tsx";
import { bytes, count, duration } from "../ui/format.ts";
import { Fact, Group } from "./fact-group.tsx";
import { Approvals, Participants, WhyAllowed } from "./people-facts.tsx";
import { useSessionEvents } from "./use-events.ts";
import { CheckedHere, VerificationGroup } from "./verified.tsx";
import { RecordingMark, endWords, recordingWords } from "./words.tsx";

const heldBy = {
  backend: "the store itself holds each object",
  gatehouse: "this store keeps no holds, Gatehouse alone removes nothing",
  pending: "the store was not yet asked",
} as const;

/** All that is known of a session, and whether its recording holds. */
export function Facts({
  session,
  watchers,
  onChoose,
}: {
  session: Session;
  watchers: readonly string[];
  onChoose: ((timeUs: number) => void) | undefined;
}) {
  const { events } = useSessionEvents(session.id, session.state === "live");
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
          <WhyAllowed session={session} />
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
          <Fact name="Gateway">{session.gatewayId}</Fact>
          <Fact name="Session">
            <Identifier text={session.id} what="session's id" head={8} tail={12} />
          </Fact>
          <Fact name="Connection">
            <Identifier text={session.connectionId} what="connection's id" head={8} tail={12} />
          </Fact>
        </dl>
      </Group>
      <Approvals session={session} events={events} />
      <Participants session={session} events={events} watchers={watchers} onChoose={onChoose} />
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
          {session.admission?.watermark && (
            <Fact name="Watermark">Whoever looks sees their own name over it</Fact>
          )}
          {stored && <Fact name="Format">{stored.format}</Fact>}
        </dl>
      </Group>
      {session.state !== "live" && <VerificationGroup sessionId={session.id} />}
      {stored?.exports.includes("bundle") && session.recording.headSha256 !== null && (
        <CheckedHere session={session} />
      )}
    </div>
  );
}
