import type { Session, SessionQuery } from "@gatehouse/contracts/rest";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useEffect } from "react";
import { queries } from "../gateway.ts";
import { loadSessionPageWhenIdle } from "../player/load.ts";
import { type SessionSearch, kinds, midnight, recordingStates, states } from "../search.ts";
import { RecordingMark, StateBadge, endWords, recordingWords } from "../session/words.tsx";
import { Button, Choice, Command, Time } from "../ui/elements.tsx";
import { Committed, DayInput, FilterBar } from "../ui/filters.tsx";
import { bytes, duration } from "../ui/format.ts";
import { Empty } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

function queryOf({ from, to, ...rest }: SessionSearch): SessionQuery {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: midnight(from) }),
    ...(to === undefined ? {} : { to: midnight(to, 1) }),
  };
}

export function SessionsPage() {
  const search = useSearch({ from: "/shell/sessions" });
  const navigate = useNavigate({ from: "/sessions" });
  const query = useInfiniteQuery(queries.sessions(queryOf(search)));
  const items = itemsOf(query);
  const open = (session: Session | undefined) => {
    if (session) void navigate({ to: "/sessions/$sessionId", params: { sessionId: session.id } });
  };
  const chosen = useRowKeys(items.length, (index) => open(items[index]));

  const set = (change: Partial<Record<keyof SessionSearch, string>>) =>
    void navigate({
      // What is not understood is left out by the route, so an emptied filter leaves the address.
      search: (before) => ({ ...before, ...change }) as SessionSearch,
      replace: true,
    });
  useEffect(() => loadSessionPageWhenIdle(), []);
  const isFiltered = Object.keys(search).length > 0;

  return (
    <>
      <PageHead title="Sessions" note={search.q ? `with “${search.q}”` : undefined} />
      <FilterBar>
        <Choice label="Any state" value={search.state ?? ""} onChange={(e) => set({ state: e.target.value })}>
          <option value="">Any state</option>
          {states.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </Choice>
        <Choice label="Any kind" value={search.kind ?? ""} onChange={(e) => set({ kind: e.target.value })}>
          <option value="">Any kind</option>
          {kinds.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </Choice>
        <Choice
          label="Any recording"
          value={search.recording ?? ""}
          onChange={(e) => set({ recording: e.target.value })}
        >
          <option value="">Any recording</option>
          {recordingStates.map((state) => (
            <option key={state} value={state}>
              {recordingWords[state].name}
            </option>
          ))}
        </Choice>
        <Committed label="Person" value={search.user} onCommit={(user) => set({ user })} />
        <Committed label="Target" value={search.target} onCommit={(target) => set({ target })} />
        <DayInput label="From" value={search.from} onChange={(from) => set({ from })} />
        <DayInput label="To" value={search.to} onChange={(to) => set({ to })} />
        {isFiltered && (
          <Button tone="quiet" onClick={() => void navigate({ search: {} })}>
            <X size={14} aria-hidden /> Clear
          </Button>
        )}
      </FilterBar>
      <ListBody query={query} empty={<NoSessions isFiltered={isFiltered} />}>
        {(all) => <SessionTable sessions={all} chosen={chosen} onOpen={open} />}
      </ListBody>
    </>
  );
}

function NoSessions({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No session fits these filters">
      <p>Take one of them away, or look at a longer time.</p>
    </Empty>
  ) : (
    <Empty title="No sessions yet">
      <p>A session appears here as soon as somebody connects through the gate:</p>
      <Command text={`ssh -p 3022 <login>+<target>@${location.hostname}`} />
    </Empty>
  );
}

function SessionTable({
  sessions,
  chosen,
  onOpen,
}: {
  sessions: Session[];
  chosen: number;
  onOpen: (session: Session) => void;
}) {
  return (
    <table className="w-full border-t max-md:block">
      <thead className="sticky top-0 z-10 bg-paper max-md:sr-only">
        <tr className="text-xs text-faint [&>th]:h-8 [&>th]:border-b [&>th]:px-2 [&>th:first-child]:pl-4 [&>th:last-child]:pr-4">
          <th scope="col">Started</th>
          <th scope="col">Lasted</th>
          <th scope="col">State</th>
          <th scope="col">Person</th>
          <th scope="col">To</th>
          <th scope="col">What</th>
          <th scope="col" className="max-xl:hidden">
            From
          </th>
          <th scope="col">Recording</th>
          <th scope="col" className="text-end! max-lg:hidden">
            Stored
          </th>
        </tr>
      </thead>
      <tbody className="divide-y border-b max-md:block">
        {sessions.map((session, index) => (
          <SessionRow
            key={session.id}
            session={session}
            index={index}
            isChosen={index === chosen}
            onOpen={() => onOpen(session)}
          />
        ))}
      </tbody>
    </table>
  );
}

function SessionRow({
  session,
  index,
  isChosen,
  onOpen,
}: {
  session: Session;
  index: number;
  isChosen: boolean;
  onOpen: () => void;
}) {
  const { recording } = session;
  // A subsystem's name is its kind.
  const command = session.command !== null && session.command !== session.kind ? session.command : undefined;
  return (
    // The whole row is a larger place to click; the link in it is what the keyboard and a reader of the page use.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <tr
      data-row={index}
      data-chosen={isChosen || undefined}
      onClick={onOpen}
      className="cursor-pointer transition-colors hover:bg-hover data-chosen:bg-chosen max-md:grid max-md:grid-cols-[1fr_auto] max-md:gap-x-3 max-md:px-4 max-md:py-2.5 md:h-9 md:[&>td]:px-2 md:[&>td:first-child]:pl-4 md:[&>td:last-child]:pr-4"
    >
      <td className="max-md:order-2 max-md:text-xs max-md:text-soft">
        <Link
          to="/sessions/$sessionId"
          params={{ sessionId: session.id }}
          onClick={(event) => event.stopPropagation()}
        >
          <Time iso={session.startedAt} />
          <span className="sr-only">
            , {session.user.name} to {session.login} on {session.target.name}, {session.kind}
          </span>
        </Link>
        <span className="md:hidden">
          {session.durationMs === null ? "" : ` · ${duration(session.durationMs)}`}
          {` · ${session.kind}`}
        </span>
      </td>
      <td className="figures whitespace-nowrap max-md:hidden" title={endWords(session)}>
        {session.durationMs === null ? "–" : duration(session.durationMs)}
      </td>
      <td className="max-md:order-1 max-md:justify-self-end">
        <StateBadge state={session.state} />
      </td>
      <td className="truncate font-medium max-md:order-0 md:max-w-44 md:font-normal">
        {session.user.name}
        <span className="font-normal text-soft md:hidden">
          {" "}
          → {session.login}@{session.target.name}
        </span>
      </td>
      <td className="max-w-52 truncate max-md:hidden" title={session.target.address}>
        <span className="text-soft">{session.login}@</span>
        {session.target.name}
      </td>
      <td
        className={`truncate max-md:order-4 max-md:col-span-2 md:max-w-72 ${command ? "" : "max-md:hidden"}`}
        title={command}
      >
        <span className="text-soft max-md:hidden">{session.kind}</span>
        {command && <code className="font-mono text-xs md:ml-2">{command}</code>}
      </td>
      <td className="figures text-soft max-xl:hidden">{session.remoteAddress}</td>
      <td className="max-md:order-3 max-md:justify-self-end max-md:text-xs">
        <RecordingMark recording={recording} />
      </td>
      <td className="figures text-end text-soft max-lg:hidden">
        {recording.bytes === null ? "–" : bytes(recording.bytes)}
      </td>
    </tr>
  );
}
