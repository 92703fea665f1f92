import type { Me, Search, SearchPage as Found } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Search as SearchIcon, X } from "lucide-react";
import { useEffect } from "react";
import { queries } from "../gateway.ts";
import { loadSessionPageWhenIdle } from "../player/load.ts";
import { Watermark, WatermarkWords } from "../player/watermark.tsx";
import { type EverywhereSearch, findModes, kinds, labelsOf, midnight } from "../search.ts";
import { Badge, Button, Choice, Command, Time } from "../ui/elements.tsx";
import { Committed, DayInput, FilterBar } from "../ui/filters.tsx";
import { count, momentText } from "../ui/format.ts";
import { Empty, InlineProblem, Problem, SkeletonRows } from "../ui/states.tsx";
import { useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

/** Of each session; the rest is found on its own page. */
const hitsPerSession = 5;
/** So many finds are looked for before somebody must ask for more. */
const hitsAtOnce = 50;

type Group = Found["items"][number];
type Hit = Group["hits"][number];

function questionOf({ text = "", mode, of, from, to, label, ...filters }: EverywhereSearch): Search {
  const labels = labelsOf(label);
  return {
    text,
    ...filters,
    ...(mode !== undefined && { mode }),
    ...(of === "typed" && { sources: ["input"] }),
    ...(of === "shown" && { sources: ["screen", "statement", "command"] }),
    ...(labels && { labels }),
    ...(from !== undefined && { from: midnight(from) }),
    ...(to !== undefined && { to: midnight(to, 1) }),
    perSession: hitsPerSession,
    limit: hitsAtOnce,
  };
}

const placeOf = ({ timeUs }: Hit) => momentText(Math.ceil(timeUs / 100_000) * 100_000);

export function SearchPage() {
  const search = useSearch({ from: "/shell/search" });
  const navigate = useNavigate({ from: "/search" });
  const { data: me } = useQuery(queries.me);
  const text = search.text ?? "";
  const query = useInfiniteQuery({ ...queries.everywhere(questionOf(search)), enabled: text !== "" });
  const pages = query.data?.pages ?? [];
  const groups = pages.flatMap(({ items }) => items);
  const rows = groups.flatMap((group) => group.hits.map((hit) => ({ group, hit })));
  const open = (index: number) => {
    const row = rows[index];
    if (row)
      void navigate({
        to: "/sessions/$sessionId",
        params: { sessionId: row.group.session.id },
        search: linkOf(row.hit, search),
      });
  };
  const chosen = useRowKeys(rows.length, open);
  useEffect(() => loadSessionPageWhenIdle(), []);
  // A page without finds is not the end: it goes on by itself until there is something to look at.
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  const wantsMore = hasNextPage && rows.length < hitsAtOnce;
  useEffect(() => {
    if (wantsMore && !isFetching && !isError) void fetchNextPage();
  }, [wantsMore, isFetching, isError, fetchNextPage]);

  const set = (change: Partial<Record<keyof EverywhereSearch, string>>) =>
    void navigate({ search: (before) => ({ ...before, ...change }) as EverywhereSearch, replace: true });

  return (
    <>
      <PageHead
        title="Search"
        note={
          <span className="max-sm:hidden">
            what was shown, run and typed, in every recording that you may play
          </span>
        }
      />
      <Question
        key={text}
        search={search}
        onAsk={(words) => void navigate({ search: { ...search, text: words } })}
      />
      <Filters
        search={search}
        me={me}
        set={set}
        onClear={() => void navigate({ search: text === "" ? {} : { text } })}
      />
      {text === "" ? (
        <NothingAsked />
      ) : query.isError && pages.length === 0 ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <Progress page={pages.at(-1)} isBusy={isFetching} hits={rows.length} />
          {query.isPending && <SkeletonRows />}
          <WatermarkWords value={pages.findLast(({ watermark }) => watermark)?.watermark ?? undefined}>
            <div className="relative">
              <Results groups={groups} chosen={chosen} search={search} />
              <Watermark />
            </div>
          </WatermarkWords>
          {isError && (
            <div className="grid justify-items-start gap-2 px-4 py-3">
              <InlineProblem error={query.error} />
              <Button onClick={() => void fetchNextPage()}>Go on</Button>
            </div>
          )}
          {!isError && hasNextPage && !wantsMore && (
            <div className="grid place-items-center p-3">
              <Button tone="quiet" disabled={isFetching} onClick={() => void fetchNextPage()}>
                {isFetching ? "Searching…" : "Search on"}
              </Button>
            </div>
          )}
          {pages.length > 0 && !hasNextPage && rows.length === 0 && (
            <Empty title="Found nowhere">
              <p>
                Not in any recording that you may play and that these filters leave. Recordings under four
                eyes are searched only while somebody has approved it.
              </p>
            </Empty>
          )}
        </>
      )}
    </>
  );
}

/**
 * The player there, with the words in its own search; a pattern means nothing to it. To the millisecond, and just after: a
 * tenth later what was found may have left the screen, as the last page of a pager does when it is quit.
 */
function linkOf(hit: Hit, { text = "", mode }: EverywhereSearch) {
  const t = momentText(Math.ceil(hit.timeUs / 1000) * 1000);
  return { t, ...(mode !== "regex" && hit.source !== "input" && { find: text }) };
}

function Question({ search, onAsk }: { search: EverywhereSearch; onAsk: (words: string) => void }) {
  return (
    <form
      aria-label="Search recordings"
      className="flex gap-2 px-4 pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        const words = String(new FormData(event.currentTarget).get("text") ?? "");
        if (words !== "") onAsk(words);
      }}
    >
      <div className="relative min-w-0 flex-1">
        <SearchIcon
          size={15}
          aria-hidden
          className="pointer-events-none absolute top-2.5 left-2.5 text-faint"
        />
        <input
          type="search"
          name="text"
          aria-label="Text to find"
          placeholder="rm -rf, a table's name, an error message…"
          defaultValue={search.text ?? ""}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is there to write here
          autoFocus={search.text === undefined}
          maxLength={256}
          autoComplete="off"
          spellCheck={false}
          className="h-9 w-full rounded-md border border-strong bg-raised pr-3 pl-8 font-mono text-sm placeholder:font-sans placeholder:text-faint"
        />
      </div>
      <Button type="submit" tone="primary" className="h-9!">
        Search
      </Button>
    </form>
  );
}

function Filters({
  search,
  me,
  set,
  onClear,
}: {
  search: EverywhereSearch;
  me: Me | undefined;
  set: (change: Partial<Record<keyof EverywhereSearch, string>>) => void;
  onClear: () => void;
}) {
  const isFiltered = Object.keys(search).some((name) => name !== "text");
  return (
    <FilterBar>
      <Choice
        label="How it is read"
        value={search.mode ?? ""}
        onChange={(e) => set({ mode: e.target.value })}
      >
        <option value="">In any case</option>
        {findModes.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </Choice>
      <Choice label="Where" value={search.of ?? ""} onChange={(e) => set({ of: e.target.value })}>
        <option value="">Shown, run or typed</option>
        <option value="shown">Shown or run</option>
        <option value="typed">Typed</option>
      </Choice>
      <Choice label="Any kind" value={search.kind ?? ""} onChange={(e) => set({ kind: e.target.value })}>
        <option value="">Any kind</option>
        {kinds.map((kind) => (
          <option key={kind}>{kind}</option>
        ))}
      </Choice>
      <Committed label="Person" value={search.user} onCommit={(user) => set({ user })} />
      <Committed label="Team" value={search.team} onCommit={(team) => set({ team })} className="w-28" />
      <Committed label="Target" value={search.target} onCommit={(target) => set({ target })} />
      <Committed
        label="Label, as env=prod"
        value={search.label}
        onCommit={(label) => set({ label })}
        className="w-40"
      />
      {me?.may.includes("audit.read") && (
        <Committed label="Event" value={search.event} onCommit={(event) => set({ event })} className="w-36" />
      )}
      <DayInput label="From" value={search.from} onChange={(from) => set({ from })} />
      <DayInput label="To" value={search.to} onChange={(to) => set({ to })} />
      {isFiltered && (
        <Button tone="quiet" onClick={onClear}>
          <X size={14} aria-hidden /> Clear
        </Button>
      )}
    </FilterBar>
  );
}

function NothingAsked() {
  return (
    <Empty title="Find a moment in any recording">
      <p>
        Text as it stood on a screen, a statement that was run, or what was typed, where you may see it. What
        you look for, and which recordings are opened for it, is noted in the audit log.
      </p>
      <Command text="gatehouse search 'rm -rf' --target web-01" />
    </Empty>
  );
}

function Progress({ page, isBusy, hits }: { page: Found | undefined; isBusy: boolean; hits: number }) {
  const { searched = 0, sessions = 0 } = page?.progress ?? {};
  const isDone = page?.next === null;
  return (
    <div className="border-t px-4 py-2 text-xs text-soft">
      <p role="status" className="figures flex flex-wrap gap-x-3">
        <span>
          {count(hits)} {hits === 1 ? "find" : "finds"}
        </span>
        {page && (
          <span className="text-faint">
            {isDone
              ? `${count(sessions)} sessions searched`
              : `${count(searched)} of ${count(sessions)} sessions searched`}
            {isBusy ? "…" : ""}
          </span>
        )}
        {page !== undefined && page.unread > 0 && (
          <span className="text-attention">{count(page.unread)} recordings could not be read</span>
        )}
      </p>
      {!isDone && isBusy && sessions > 0 && (
        <progress
          aria-label="Searched"
          value={searched}
          max={sessions}
          className="mt-1.5 block h-1 w-full accent-accent"
        />
      )}
    </div>
  );
}

function Results({
  groups,
  chosen,
  search,
}: {
  groups: readonly Group[];
  chosen: number;
  search: EverywhereSearch;
}) {
  return (
    <ul aria-label="Finds" className="pb-6">
      {numbered(groups).map(({ group, rows }) => (
        <SessionFinds key={rows[0]?.row} {...{ group, rows, chosen, search }} />
      ))}
    </ul>
  );
}

/** Each find with its place among all, which a page that comes later does not change. */
function numbered(groups: readonly Group[]): { group: Group; rows: { row: number; hit: Hit }[] }[] {
  let row = 0;
  return groups.map((group) => ({ group, rows: group.hits.map((hit) => ({ row: row++, hit })) }));
}

function SessionFinds({
  group: { session, more, isWhole },
  rows,
  chosen,
  search,
}: {
  group: Group;
  rows: readonly { row: number; hit: Hit }[];
  chosen: number;
  search: EverywhereSearch;
}) {
  return (
    <li className="border-t">
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: session.id }}
        className="flex flex-wrap items-baseline gap-x-2 px-4 pt-2.5 pb-1 hover:text-accent"
      >
        <span className="font-medium">{session.user.name}</span>
        <span className="text-soft">
          → {session.login}@{session.target.name}
        </span>
        <span className="text-xs text-faint">{session.kind}</span>
        <Time iso={session.startedAt} className="text-xs text-faint sm:ml-auto" />
      </Link>
      <ol className="pb-1.5">
        {rows.map(({ row, hit }) => (
          <li key={row}>
            <Link
              to="/sessions/$sessionId"
              params={{ sessionId: session.id }}
              search={linkOf(hit, search)}
              data-row={row}
              data-chosen={row === chosen || undefined}
              className="grid min-h-7 grid-cols-[4.5rem_minmax(0,1fr)] items-baseline gap-x-3 px-4 py-1 hover:bg-hover data-chosen:bg-chosen"
            >
              <span className="figures text-end text-xs text-accent">{placeOf(hit)}</span>
              <FoundLine hit={hit} />
            </Link>
          </li>
        ))}
      </ol>
      {(more || !isWhole) && (
        <p className="px-4 pb-2 pl-[6.25rem] text-xs text-faint">
          {more && (
            <Link
              to="/sessions/$sessionId"
              params={{ sessionId: session.id }}
              search={{ find: search.text ?? "" }}
              className="text-accent underline-offset-2 hover:underline"
            >
              More in this session
            </Link>
          )}
          {!isWhole && <span> Not all of it can be searched yet.</span>}
        </p>
      )}
    </li>
  );
}

function FoundLine({ hit: { text, at, length, source } }: { hit: Hit }) {
  return (
    <span className="min-w-0 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
      {source === "input" && (
        <span className="mr-2 font-sans">
          <Badge tone="attention">typed</Badge>
        </span>
      )}
      {text.slice(0, at)}
      <mark className="rounded-sm bg-attention-paper px-0.5 font-semibold text-ink">
        {text.slice(at, at + length)}
      </mark>
      {text.slice(at + length)}
    </span>
  );
}
