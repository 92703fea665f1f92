import type { AuditEvent, AuditQuery, Page } from "@gatehouse/contracts/rest";
import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useMutation,
} from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { ChevronRight, CirclePlay, ShieldCheck, X } from "lucide-react";
import { Fragment, useEffect, useMemo, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { type AuditSearch, midnight } from "../search.ts";
import { Badge, Button, Choice, Identifier, Time } from "../ui/elements.tsx";
import { count, localTime, shortened } from "../ui/format.ts";
import { Empty, InlineProblem } from "../ui/states.tsx";
import { Committed, DayInput, FilterBar } from "../ui/filters.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/audit");
const shownPagesMax = 10;

/** Groups that people ask for. The log's own word can be written beside it. */
const eventGroups = [
  { value: "session.", name: "Sessions" },
  { value: "session.rejected", name: "Refused sessions" },
  { value: "session.recording.access", name: "Watched recordings" },
  { value: "session.recording.search", name: "Searched all recordings" },
  { value: "session.join", name: "Looked on live" },
  { value: "session.pause", name: "Paused input" },
  { value: "session.terminate", name: "Terminated sessions" },
  { value: "user.login", name: "Signing in" },
  { value: "user.", name: "People" },
  { value: "target.", name: "Targets" },
  { value: "credential.", name: "Credentials" },
] as const;

function queryOf({ from, to, outcome, open: _open, ...rest }: AuditSearch): AuditQuery {
  return {
    ...rest,
    ...(outcome === undefined ? {} : { success: outcome === "ok" ? "true" : "false" }),
    ...(from === undefined ? {} : { from: midnight(from) }),
    ...(to === undefined ? {} : { to: midnight(to, 1) }),
  };
}

export function AuditPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/audit" });
  const query = useInfiniteQuery(queries.audit(queryOf(search)));
  const items = itemsOf(query);
  const names = useTargetNames();
  const openUid = search.open;
  const toggle = (event: AuditEvent | undefined) =>
    void navigate({
      search: ({ open: before, ...rest }) =>
        event === undefined || event.uid === before ? rest : { ...rest, open: event.uid },
      replace: true,
      resetScroll: false,
    });
  useShown(query, openUid);
  const chosen = useRowKeys(items.length, (index) => toggle(items[index]));
  const set = (change: Partial<Record<keyof AuditSearch, string>>) =>
    void navigate({ search: (before) => ({ ...before, ...change }) as AuditSearch, replace: true });

  return (
    <>
      <PageHead title="Audit">
        <VerifyChain />
      </PageHead>
      <FilterBar>
        <Choice
          label="Any event"
          value={eventGroups.some((group) => group.value === search.event) ? search.event : ""}
          onChange={(e) => set({ event: e.target.value })}
        >
          <option value="">Any event</option>
          {eventGroups.map((group) => (
            <option key={group.value} value={group.value}>
              {group.name}
            </option>
          ))}
        </Choice>
        <Committed
          label="Event name"
          value={search.event}
          onCommit={(event) => set({ event })}
          className="w-44"
        />
        <Committed label="Person" value={search.user} onCommit={(user) => set({ user })} />
        <Choice
          label="Any target"
          value={search.target ?? ""}
          onChange={(e) => set({ target: e.target.value })}
        >
          <option value="">Any target</option>
          {[...names].map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          {search.target !== undefined && !names.has(search.target) && <option>{search.target}</option>}
        </Choice>
        <Choice
          label="Any outcome"
          value={search.outcome ?? ""}
          onChange={(e) => set({ outcome: e.target.value })}
        >
          <option value="">Any outcome</option>
          <option value="ok">succeeded</option>
          <option value="refused">refused or failed</option>
        </Choice>
        <DayInput label="From" value={search.from} onChange={(from) => set({ from })} />
        <DayInput label="To" value={search.to} onChange={(to) => set({ to })} />
        {search.session && (
          <span className="inline-flex h-8 items-center gap-1 rounded-md border border-strong px-2 text-soft">
            one session <Identifier text={search.session} what="session's id" />
          </span>
        )}
        {Object.keys(search).length > 0 && (
          <Button tone="quiet" onClick={() => void navigate({ search: {} })}>
            <X size={14} aria-hidden /> Clear
          </Button>
        )}
      </FilterBar>
      <ListBody
        query={query}
        empty={
          <Empty title="No event fits these filters">
            <p>Everything that changes or shows something is noted here, whoever did it.</p>
          </Empty>
        }
      >
        {(all) => (
          <table className="w-full border-t">
            <thead className="sticky top-0 z-10 bg-paper">
              <tr className="text-xs text-faint [&>th]:h-8 [&>th]:border-b [&>th]:px-2 [&>th:first-child]:pl-4">
                <th scope="col">Time</th>
                <th scope="col">Event</th>
                <th scope="col">Person</th>
                <th scope="col" className="max-md:hidden">
                  Target
                </th>
                <th scope="col" className="max-lg:hidden">
                  From
                </th>
                <th scope="col" className="max-sm:hidden">
                  Outcome
                </th>
                <th scope="col" className="w-16">
                  <span className="sr-only">Details</span>
                </th>
              </tr>
            </thead>
            <tbody className="border-b">
              {all.map((event, index) => (
                <Fragment key={event.uid}>
                  <EventRow
                    event={event}
                    targetName={targetName(event, names)}
                    index={index}
                    isChosen={index === chosen}
                    isOpen={event.uid === openUid}
                    onToggle={() => toggle(event)}
                  />
                  {event.uid === openUid && <EventDetails event={event} />}
                </Fragment>
              ))}
            </tbody>
          </table>
        )}
      </ListBody>
    </>
  );
}

function EventRow({
  event,
  targetName,
  index,
  isChosen,
  isOpen,
  onToggle,
}: {
  event: AuditEvent;
  targetName: string;
  index: number;
  isChosen: boolean;
  isOpen: boolean;
  onToggle: () => void;
}) {
  return (
    // The whole row is a larger place to click; the button in it is what the keyboard and a reader of the page use.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <tr
      data-row={index}
      data-chosen={isChosen || undefined}
      onClick={onToggle}
      className="h-9 cursor-pointer border-t transition-colors first:border-t-0 hover:bg-hover data-chosen:bg-chosen [&>td]:px-2 [&>td:first-child]:pl-4"
    >
      <td>
        <Time iso={event.time} />
      </td>
      <td>
        <span className="font-mono text-xs max-sm:break-all">{event.event}</span>
        <span className="ml-2 text-2xs text-faint max-lg:hidden">{event.code}</span>
      </td>
      <td className="max-w-40 truncate">{event.user}</td>
      <td className="max-w-40 truncate text-soft max-md:hidden">{targetName}</td>
      <td className="figures text-soft max-lg:hidden">{event.remoteAddress ?? ""}</td>
      <td className="max-sm:hidden">
        {event.success ? <span className="text-faint">ok</span> : <Badge tone="danger">failed</Badge>}
      </td>
      <td className="w-16 pr-3">
        <span className="flex justify-end gap-0.5">
          {event.sessionId && (
            <Link
              to="/sessions/$sessionId"
              params={{ sessionId: event.sessionId }}
              search={{ at: event.time, panel: "audit" }}
              onClick={(click) => click.stopPropagation()}
              aria-label={`The session of ${event.event} at ${localTime(event.time)}`}
              title="Open the session at this moment"
              className="grid size-6 place-items-center rounded text-faint hover:bg-hover hover:text-accent"
            >
              <CirclePlay size={15} aria-hidden />
            </Link>
          )}
          <button
            type="button"
            aria-expanded={isOpen}
            aria-label={`Details of ${event.event} at ${localTime(event.time)}`}
            onClick={(click) => {
              click.stopPropagation();
              onToggle();
            }}
            className="grid size-6 place-items-center rounded text-faint hover:text-ink"
          >
            <ChevronRight size={15} aria-hidden className={isOpen ? "rotate-90" : ""} />
          </button>
        </span>
      </td>
    </tr>
  );
}

function EventDetails({ event }: { event: AuditEvent }) {
  const fields = Object.entries(event.fields);
  return (
    <tr>
      <td colSpan={7} className="bg-sunken px-4 py-3">
        <dl className="grid gap-x-6 gap-y-1 sm:grid-cols-[8rem_1fr]">
          {fields.map(([name, value]) => (
            <Fragment key={name}>
              <dt className="font-mono text-xs leading-5 text-soft">{name}</dt>
              <dd className="font-mono text-xs leading-5 break-all">
                {typeof value === "string" ? value : JSON.stringify(value)}
              </dd>
            </Fragment>
          ))}
          {event.sessionId && (
            <>
              <dt className="text-soft">Session</dt>
              <dd>
                <Link
                  to="/sessions/$sessionId"
                  params={{ sessionId: event.sessionId }}
                  search={{ at: event.time, panel: "audit" }}
                  className="font-medium text-accent underline-offset-2 hover:underline"
                >
                  Open the session at this moment
                </Link>
              </dd>
            </>
          )}
          <dt className="text-soft">Place in the log</dt>
          <dd className="flex flex-wrap items-center gap-x-3">
            {count(event.index)}
            <Identifier text={event.hash} what="event's hash" head={10} tail={8} />
          </dd>
        </dl>
      </td>
    </tr>
  );
}

/** A link to an event leads to it, though it be some pages down. */
function useShown(
  query: UseInfiniteQueryResult<InfiniteData<Page<AuditEvent>>>,
  uid: string | undefined,
): void {
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = query;
  const [linked] = useState(uid);
  const pages = data?.pages ?? [];
  const at = pages.flatMap(({ items }) => items).findIndex((event) => event.uid === linked);
  const isBelow =
    linked !== undefined && at < 0 && hasNextPage && !isFetching && !isError && pages.length < shownPagesMax;
  useEffect(() => {
    if (isBelow) void fetchNextPage();
  }, [isBelow, fetchNextPage]);
  useEffect(() => {
    if (at >= 0) document.querySelector(`[data-row="${at}"]`)?.scrollIntoView({ block: "center" });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once, as soon as it is there
  }, [at >= 0]);
}

/** The log names targets by id, which stays when a name changes. */
function useTargetNames(): ReadonlyMap<string, string> {
  const { data } = useInfiniteQuery(queries.targets({ limit: 200 }));
  return useMemo(
    () => new Map(data?.pages.flatMap((page) => page.items).map((target) => [target.id, target.name])),
    [data],
  );
}

function targetName(event: AuditEvent, names: ReadonlyMap<string, string>): string {
  if (event.target === null) return "";
  return names.get(event.target) ?? shortened(event.target);
}

function VerifyChain() {
  const verify = useMutation({ mutationFn: () => gateway.audit.verify() });
  return (
    <>
      {verify.isError && <InlineProblem error={verify.error} />}
      {verify.data && (
        <p role="status" className={verify.data.ok ? "text-verified" : "font-medium text-danger"}>
          {verify.data.ok
            ? `${count(verify.data.events)} events, the chain holds`
            : `The chain is broken at ${verify.data.firstFault ?? "an unknown place"}`}
        </p>
      )}
      <Button disabled={verify.isPending} onClick={() => verify.mutate()}>
        <ShieldCheck size={15} aria-hidden /> {verify.isPending ? "Checking…" : "Verify the chain"}
      </Button>
    </>
  );
}
