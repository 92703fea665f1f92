import type { Session, SessionEvent } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { queries } from "../gateway.ts";
import { Button, Time } from "../ui/elements.tsx";
import { clockTime } from "../ui/format.ts";
import { Empty, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { type EventTone, eventTone, eventWords } from "./event-words.ts";
import { useSessionEvents } from "./use-events.ts";

const tones: Record<EventTone, string> = { plain: "", attention: "text-attention", danger: "text-danger" };

/** What the audit log has about a session. What happened in it leads the player, and each leads to its place in the log. */
export function SessionEvents({
  session,
  timeUs,
  onChoose,
}: {
  session: Session;
  timeUs: number;
  /** Undefined where this track has no moments to go to. */
  onChoose: ((timeUs: number) => void) | undefined;
}) {
  const { query, events } = useSessionEvents(session.id, session.state === "live");
  const me = useQuery(queries.me);
  const readsLog = me.data?.may.includes("audit.read") ?? false;
  const current = events.findLast(({ atUs }) => atUs !== null && atUs <= timeUs)?.uid;
  const groups = useMemo(() => {
    const startedMs = Date.parse(session.startedAt);
    const isBefore = (one: SessionEvent) => one.atUs === null && Date.parse(one.time) < startedMs;
    return [
      { title: "Before it began", events: events.filter(isBefore) },
      { title: "While it went on", events: events.filter(({ atUs }) => atUs !== null) },
      {
        title: "After it ended",
        events: events.filter((one) => one.atUs === null && !isBefore(one)),
      },
    ].filter((group) => group.events.length > 0);
  }, [events, session.startedAt]);
  if (query.isPending) return <SkeletonRows rows={4} />;
  if (query.isError && events.length === 0)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (events.length === 0)
    return (
      <Empty title="The audit log has nothing about it">
        <p>Its events may have been removed: their own retention was over.</p>
      </Empty>
    );
  return (
    <div className="pb-3">
      <StaleNote query={query} />
      {query.hasNextPage && (
        <div className="grid place-items-center pt-2">
          <Button tone="quiet" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {query.isFetchingNextPage ? "Loading…" : "Earlier events"}
          </Button>
        </div>
      )}
      {groups.map((group) => (
        <section key={group.title} className="pt-3">
          <h2 className="px-4 pb-1 text-xs font-medium text-faint">{group.title}</h2>
          <ol>
            {group.events.map((event) => (
              <EventItem
                key={event.uid}
                event={event}
                isCurrent={event.uid === current}
                readsLog={readsLog}
                onChoose={onChoose}
              />
            ))}
          </ol>
        </section>
      ))}
      {readsLog && (
        <Link
          to="/audit"
          search={{ session: session.id }}
          className="mt-2 ml-4 inline-block font-medium text-accent underline-offset-2 hover:underline"
        >
          All of it in the audit log
        </Link>
      )}
    </div>
  );
}

function EventItem({
  event,
  isCurrent,
  readsLog,
  onChoose,
}: {
  event: SessionEvent;
  isCurrent: boolean;
  readsLog: boolean;
  onChoose: ((timeUs: number) => void) | undefined;
}) {
  const { atUs } = event;
  const words: ReactNode = (
    <>
      <span className="figures w-11 shrink-0 text-end text-xs leading-5 text-faint">
        {atUs === null ? "" : clockTime(atUs)}
      </span>
      <span className="min-w-0 flex-1">
        <span className={`block wrap-anywhere ${tones[eventTone(event)]}`}>{eventWords(event)}</span>
        <span className="block text-2xs text-faint">
          <Time iso={event.time} /> · <span className="font-mono">{event.event}</span>
        </span>
      </span>
    </>
  );
  const row = "flex w-full items-start gap-3 py-1 pr-9 pl-3 text-start border-l-2 border-transparent";
  return (
    <li className="relative">
      {atUs !== null && onChoose ? (
        <button
          type="button"
          aria-current={isCurrent || undefined}
          onClick={() => onChoose(atUs)}
          className={`${row} hover:bg-hover aria-current:border-accent aria-current:bg-chosen`}
        >
          {words}
        </button>
      ) : (
        <div className={row}>{words}</div>
      )}
      {readsLog && (
        <Link
          to="/audit"
          search={{ session: event.sessionId ?? "", open: event.uid }}
          aria-label={`${event.event} in the audit log`}
          title="In the audit log"
          className="absolute top-1 right-2 grid size-6 place-items-center rounded text-faint hover:bg-hover hover:text-ink"
        >
          <ScrollText size={13} aria-hidden />
        </Link>
      )}
    </li>
  );
}
