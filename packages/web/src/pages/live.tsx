import type { Session } from "@gatehouse/contracts/rest";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { useEffect } from "react";
import { queries } from "../gateway.ts";
import { loadSessionPageWhenIdle } from "../player/load.ts";
import { LiveWords } from "../session/live-bar.tsx";
import { ModerationButtons } from "../session/moderation.tsx";
import { WaitingStatements } from "../session/waiting-statements.tsx";
import { Badge, Command, Time } from "../ui/elements.tsx";
import { duration } from "../ui/format.ts";
import { Empty } from "../ui/states.tsx";
import { useNow } from "../ui/use-now.ts";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

/** Nothing passed for so long: said, since a forgotten session is an open door. */
const quietAfterMs = 5 * 60_000;

/** What is connected through the gate now: to look on, to stop what somebody types, to end it. */
export function LivePage() {
  const navigate = useNavigate();
  const query = useInfiniteQuery(queries.liveSessions);
  const items = itemsOf(query);
  const open = (session: Session | undefined) => {
    if (session)
      void navigate({
        to: "/sessions/$sessionId",
        params: { sessionId: session.id },
        search: watchable(session) ? { watch: "live" } : {},
      });
  };
  const chosen = useRowKeys(items.length, (index) => open(items[index]));
  useEffect(() => loadSessionPageWhenIdle(), []);
  return (
    <>
      <PageHead title="Live" note={items.length > 0 ? countWords(items) : undefined} />
      <ListBody query={query} empty={<NobodyThere />}>
        {(all) => (
          <ul aria-label="Live sessions" className="divide-y border-y">
            {all.map((session, index) => (
              <LiveRow key={session.id} session={session} index={index} isChosen={index === chosen} />
            ))}
          </ul>
        )}
      </ListBody>
    </>
  );
}

function watchable(session: Session): boolean {
  return session.live?.may.includes("session.join") ?? false;
}

function countWords(sessions: readonly Session[]): string {
  const people = new Set(sessions.map(({ user }) => user.id)).size;
  const targets = new Set(sessions.map(({ target }) => target.id)).size;
  const of = (count: number, word: string, many: string) => `${count} ${count === 1 ? word : many}`;
  return `${of(sessions.length, "session", "sessions")}, ${of(people, "person", "people")}, ${of(targets, "target", "targets")}`;
}

function NobodyThere() {
  return (
    <Empty title="Nobody is connected">
      <p>A session stands here from its first byte to its last:</p>
      <Command text={`ssh -p 3022 <login>+<target>@${location.hostname}`} />
    </Empty>
  );
}

function LiveRow({ session, index, isChosen }: { session: Session; index: number; isChosen: boolean }) {
  const { live } = session;
  return (
    <li
      data-row={index}
      data-chosen={isChosen || undefined}
      className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 data-chosen:bg-chosen"
    >
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex flex-wrap items-center gap-x-2">
          <span aria-hidden className="size-1.5 rounded-full bg-accent motion-safe:animate-pulse" />
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: session.id }}
            className="font-medium underline-offset-2 hover:underline"
          >
            {session.user.name}
            <span className="font-normal text-faint"> to </span>
            {session.login}
            <span className="font-normal text-faint"> on </span>
            {session.target.name}
          </Link>
          {live?.paused && <Badge tone="attention">paused</Badge>}
          {live && live.waiting.length > 0 && <Badge tone="attention">waits for an approval</Badge>}
          {live?.isEnding && <Badge tone="danger">ending</Badge>}
        </p>
        <p className="mt-0.5 flex flex-wrap gap-x-2 text-xs text-soft">
          <span>
            {session.kind}
            {session.command && session.command !== session.kind && (
              <code className="ml-1.5 font-mono break-all">{session.command}</code>
            )}
          </span>
          <span>from {session.remoteAddress}</span>
          <span>
            since <Time iso={session.startedAt} />
          </span>
        </p>
        {live && (
          <div className="mt-0.5 flex flex-wrap gap-x-4 text-xs">
            <LiveWords live={live} />
          </div>
        )}
      </div>
      <Ages session={session} />
      <div className="flex gap-2 max-sm:w-full max-sm:justify-end">
        {watchable(session) && (
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: session.id }}
            search={{ watch: "live" }}
            aria-label={`Watch ${session.user.name} on ${session.target.name}`}
            className="inline-flex h-8 items-center gap-1.5 rounded-md border border-strong bg-raised px-3 font-medium hover:bg-hover"
          >
            <Eye size={15} aria-hidden /> Watch
          </Link>
        )}
        <ModerationButtons session={session} />
      </div>
      <WaitingStatements session={session} />
    </li>
  );
}

function Ages({ session }: { session: Session }) {
  const nowMs = useNow();
  const quietMs = session.live ? nowMs - Date.parse(session.live.lastActivityAt) : 0;
  return (
    <dl className="figures flex gap-4 text-xs [&>div]:w-18">
      <div>
        <dt className="text-faint">Connected</dt>
        <dd>{duration(nowMs - Date.parse(session.startedAt))}</dd>
      </div>
      <div>
        <dt className="text-faint">Quiet for</dt>
        <dd className={quietMs > quietAfterMs ? "text-attention" : ""}>
          {session.live ? duration(quietMs) : "–"}
        </dd>
      </div>
    </dl>
  );
}
