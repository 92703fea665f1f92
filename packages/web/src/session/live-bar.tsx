import type { LiveState, Session } from "@gatehouse/contracts/rest";
import { Eye, EyeOff, RotateCw, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Button, Time } from "../ui/elements.tsx";
import { ModerationButtons } from "./moderation.tsx";
import { WaitingStatements } from "./waiting-statements.tsx";

/** Who looks on, each once with the number of their windows. */
export function participantWords(participants: LiveState["participants"]): string {
  const windows = new Map<string, number>();
  for (const { user } of participants) windows.set(user.name, (windows.get(user.name) ?? 0) + 1);
  return [...windows].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(", ");
}

/** Over the player while a session is live: how it stands, looking on, and apart from it what stops somebody. */
export function LiveBar({
  session,
  isWatched,
  isConnected,
  isLoading,
  onWatch,
  onLeave,
  onAgain,
}: {
  session: Session;
  isWatched: boolean;
  isConnected: boolean;
  isLoading: boolean;
  onWatch: () => void;
  onLeave: () => void;
  onAgain: () => void;
}) {
  const { live } = session;
  const mayWatch = live?.may.includes("session.join") ?? false;
  return (
    <section
      aria-label="This session is live"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pb-2.5"
    >
      {isWatched ? (
        <Button onClick={onLeave}>
          <EyeOff size={15} aria-hidden /> Stop watching
        </Button>
      ) : mayWatch ? (
        <Button tone="primary" onClick={onWatch}>
          <Eye size={15} aria-hidden /> Watch live
        </Button>
      ) : null}
      {!isWatched && (
        <p className="text-soft">
          {session.user.name} is connected now. What has been stored so far is shown; the last seconds may
          still be on their way.
        </p>
      )}
      {!isWatched && (
        <Button onClick={onAgain} disabled={isLoading}>
          <RotateCw size={14} aria-hidden /> Read on
        </Button>
      )}
      {isWatched && !isConnected && (
        <p role="status" className="flex items-center gap-1.5 text-attention">
          <Unplug size={14} aria-hidden /> Connection lost, making it anew. Nothing will be missing.
        </p>
      )}
      {live && <LiveWords live={live} />}
      <div className="ml-auto flex gap-2">
        <ModerationButtons session={session} />
      </div>
      <WaitingStatements session={session} />
    </section>
  );
}

/** Paused by whom and why, about to end, looked on at by whom. */
export function LiveWords({ live }: { live: LiveState }) {
  const { paused, endsAt, participants } = live;
  return (
    <>
      {paused && (
        <Said tone="text-attention">
          Input paused by {paused.by.name}: {paused.reason}
          {paused.until && (
            <>
              , until <Time iso={paused.until} />
            </>
          )}
        </Said>
      )}
      {endsAt && (
        <Said tone="text-danger">
          Ends at <Time iso={endsAt} />
        </Said>
      )}
      {participants.length > 0 && (
        <Said tone="text-soft">
          <Eye size={14} aria-hidden className="mr-1.5 inline align-[-2px]" />
          <span className="sr-only">Watching: </span>
          {participantWords(participants)}
        </Said>
      )}
    </>
  );
}

function Said({ tone, children }: { tone: string; children: ReactNode }) {
  return <p className={`min-w-0 break-words ${tone}`}>{children}</p>;
}
