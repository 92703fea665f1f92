import type { Session as SessionFacts } from "@gatehouse/contracts/rest";
import { momentWithin } from "@gatehouse/contracts/session-words";
import { isGatehouseError } from "@gatehouse/kernel";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Suspense, lazy, useCallback, useDeferredValue, useEffect, useMemo, useState } from "react";
import { queries } from "../gateway.ts";
import { ExecView } from "../player/exec-view.tsx";
import { FilesView } from "../player/files-view.tsx";
import { ForwardsView } from "../player/forwards-view.tsx";
import { MomentList } from "../player/moment-list.tsx";
import { type Index, useIndexMaterial, useLiveMaterial, useReelMaterial } from "../player/material.ts";
import {
  type Moment,
  momentsAfter,
  momentsOfEvents,
  watchersIn,
  watchersInEvents,
} from "../player/moments.ts";
import { findIn, transcriptOf } from "../player/transcript.ts";
import { FindBar, IndexedTranscript, TranscriptList } from "../player/transcript-panel.tsx";
import { loadTerminalPlayer } from "../player/load.ts";
import { Watermark, WatermarkWords } from "../player/watermark.tsx";
import type { Noted } from "../player/noted-lane.tsx";
import { type Reel, unindexed } from "../player/reel.ts";
import type { Seek } from "../player/terminal-player.tsx";
import { type Recorded, useReel } from "../player/use-reel.ts";
import { ClosedRecording } from "../requests/closed-recording.tsx";
import { eventTone, eventWords, isNoted } from "../session/event-words.ts";
import { Facts } from "../session/facts.tsx";
import { IndexFirst, IndexNote } from "../session/index-notes.tsx";
import { LiveBar } from "../session/live-bar.tsx";
import { type MomentSearch, type Panel, panels } from "../search.ts";
import { SealedNote } from "../session/sealed-note.tsx";
import { SessionEvents } from "../session/session-events.tsx";
import { SessionHead } from "../session/session-head.tsx";
import { leaveSession } from "../session/start.ts";
import { useSessionEvents } from "../session/use-events.ts";
import { isAtRest } from "../session/words.tsx";
import { clockTime, momentText, parseMoment } from "../ui/format.ts";
import { Empty, InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";

const TerminalPlayer = lazy(loadTerminalPlayer);
const QueriesPlayer = lazy(async () => ({
  default: (await import("../player/queries-player.tsx")).QueriesPlayer,
}));
const panelWords = { moments: "Moments", transcript: "Transcript", facts: "Facts", audit: "Audit" } as const;
const otherPanels = ["facts", "audit"] as const;
const route = getRouteApi("/shell/sessions/$sessionId");
/** Each look is noted in the audit log, so there are few of them. */
const lookAgainEveryMs = 6_000;
/** As it is stored, so some times as much in the page. A larger one is played by its index alone. */
const wholeBytesMax = 8 * 1024 * 1024;

export function SessionPage() {
  const { sessionId } = route.useParams();
  return <Session key={sessionId} sessionId={sessionId} />;
}

function Session({ sessionId }: { sessionId: string }) {
  // Asked for at once and not after the facts: the first picture is what somebody waits for.
  const { watch } = route.useSearch();
  const isWatched = watch === "live";
  const query = useQuery(queries.session(sessionId));
  const me = useQuery(queries.me);
  const known = useQuery(queries.recording(sessionId));
  const overview = useQuery({ ...queries.overview(sessionId), enabled: !isWatched });
  useEffect(() => () => leaveSession(sessionId), [sessionId]);
  // Other tracks are tables of all that happened; an index of theirs is for searching.
  const isTerminal = query.data?.track === "terminal";
  const index = isWatched || !isTerminal ? undefined : (overview.data?.index ?? undefined);
  const isLarge = isTerminal && (query.data?.recording.bytes ?? 0) > wholeBytesMax;
  const [takesWhole, setTakesWhole] = useState(false);
  const isAnswered = overview.isSuccess || overview.isError;
  const isWhole = isWatched || takesWhole || (isAnswered && !index && query.isSuccess && !isLarge);
  const recorded = useReel(sessionId, isWatched, isWhole);
  const { refetch } = query;
  const hasEnded = isWatched && recorded.reel.state === "whole";
  useEffect(() => {
    if (hasEnded) void refetch();
  }, [hasEnded, refetch]);
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  // Nothing is shown before it is known whether a name has to stand over it; where that cannot be told, one does.
  if (!query.data || !me.data || known.isPending) return <SkeletonRows />;
  const watermark = known.data ? known.data.watermark : me.data.name;
  return (
    <WatermarkWords value={watermark ?? undefined}>
      <StaleNote query={query} />
      <SessionRoom
        session={query.data}
        recorded={recorded}
        index={isWhole ? undefined : index}
        awaitsIndex={isAnswered && !index && !isWhole}
        onIndex={() => void overview.refetch()}
        onWhole={() => setTakesWhole(true)}
      />
    </WatermarkWords>
  );
}

function SessionRoom({
  session,
  recorded: { reel, isConnected, again },
  index,
  awaitsIndex,
  onIndex,
  onWhole,
}: {
  session: SessionFacts;
  recorded: Recorded;
  index: Index | undefined;
  /** It is too large to be played without an index, and has none. */
  awaitsIndex: boolean;
  onIndex: () => void;
  onWhole: () => void;
}) {
  const { t, at, panel: chosen, find = "", only, watch } = route.useSearch();
  const isWatched = watch === "live";
  const navigate = useNavigate({ from: "/sessions/$sessionId" });
  const [startUs] = useState(() => (t === undefined ? momentOfDay(session, at) : parseMoment(t)));
  const [timeUs, setTimeUs] = useState(startUs ?? 0);
  const [seek, setSeek] = useState<Seek>();

  // Moments are read from what has come in when it is whole, or when it will not get any further.
  const isSettled = index !== undefined || reel.state !== "loading";
  // While it is live they are read anew as it grows, when there is nothing more urgent to show.
  const settled = useDeferredValue(reel);
  const moments = useMemo(
    () =>
      index
        ? momentsOfEvents(index.events)
        : settled.state === "loading"
          ? []
          : momentsAfter(settled.before?.index.events ?? [], unindexed(settled)),
    [index, settled],
  );
  const onPlace = useCallback(
    (us: number | undefined) =>
      void navigate({
        search: ({ t: _before, at: _day, ...rest }) =>
          us === undefined ? rest : { ...rest, t: momentText(us) },
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const watchLive = useCallback(
    (wanted: boolean) =>
      void navigate({
        search: ({ watch: _before, t: moment, ...rest }) =>
          wanted ? { ...rest, watch: "live" } : { ...rest, ...(moment !== undefined && { t: moment }) },
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const isTerminal = session.track === "terminal";
  const offered: readonly Panel[] = isTerminal ? panels : otherPanels;
  const panel = offered.find((one) => one === chosen) ?? offered[0] ?? "facts";
  const { events, query: log } = useSessionEvents(session.id, session.state === "live");
  const noted = useMemo(
    () =>
      events.flatMap((event) =>
        event.atUs !== null && isNoted(event)
          ? [{ timeUs: event.atUs, text: eventWords(event), tone: eventTone(event) }]
          : [],
      ),
    [events],
  );
  const watchers = useMemo(
    () =>
      index
        ? watchersInEvents(index.events)
        : settled.state === "loading"
          ? []
          : [
              ...new Set([
                ...watchersInEvents(settled.before?.index.events ?? []),
                ...watchersIn(unindexed(settled)),
              ]),
            ],
    [index, settled],
  );
  const indexed = index ?? settled.before?.index;
  const words = useFound(session, settled, index, { find, panel });
  const hits = useMemo(() => [...new Set(words.found.map(({ timeUs: us }) => us))], [words.found]);
  const findWords = (wanted: string) =>
    void navigate({
      // What a link called it by goes with it.
      search: ({ find: _before, q: _too, ...rest }: MomentSearch & { q?: string }) =>
        wanted === "" ? rest : { ...rest, find: wanted, ...(isTerminal && { panel: "transcript" as const }) },
      replace: true,
      resetScroll: false,
    });
  const choose = (us: number) => setSeek((before) => ({ timeUs: us, turn: (before?.turn ?? 0) + 1 }));
  const leads = session.track === "http" || session.track === "desktop" ? undefined : choose;
  const awaitsStore = reel.frames.length === 0 && isGatehouseError(reel.error, "conflict");
  // It was growing when this page was opened: all of it is read when all of it is there.
  const [grew] = useState(!isAtRest(session.recording.state));
  const isStored = isAtRest(session.recording.state);
  const isOver = isWatched && isGatehouseError(reel.error, "conflict");
  useEffect(() => {
    // What was looked on at stays until all of it can be read as it is stored.
    if (isWatched && (isStored || isOver)) watchLive(false);
    if (!isWatched && isStored && grew) again();
  }, [grew, isStored, isWatched, isOver, again, watchLive]);
  const { refetch: readLog } = log;
  useEffect(() => {
    // The last of its events are of its end, and of who looked on until then.
    if (isStored && grew) void readLog();
  }, [grew, isStored, readLog]);
  useEffect(() => {
    if (!awaitsStore) return;
    const timer = setInterval(again, lookAgainEveryMs);
    return () => clearInterval(timer);
  }, [awaitsStore, again]);

  return (
    <div className="flex min-h-full flex-col lg:h-full">
      <SessionHead session={session} />
      <SealedNote session={session} />
      {session.state === "live" && (
        <LiveBar
          session={session}
          isWatched={isWatched}
          isConnected={isConnected}
          isLoading={!isSettled}
          onWatch={() => watchLive(true)}
          onLeave={() => watchLive(false)}
          onAgain={again}
        />
      )}
      {isTerminal && !index && !awaitsIndex && isStored && reel.state === "whole" && (
        <IndexNote sessionId={session.id} onMade={onIndex} />
      )}
      {reel.error !== undefined && reel.frames.length > 0 && (
        <div className="px-4 pb-2">
          <InlineProblem error={reel.error}>
            What stands here is what could be read: the first {clockTime(reel.endUs)}.
          </InlineProblem>
        </div>
      )}
      <div className="flex min-h-0 flex-1 flex-col border-t lg:flex-row">
        <div
          className={`relative flex min-w-0 flex-col max-lg:h-[65dvh] lg:flex-1 ${session.track === "query" ? "max-sm:h-[70dvh]" : "max-sm:h-100"}`}
        >
          {awaitsIndex ? (
            <IndexFirst session={session} onMade={onIndex} onWhole={onWhole} />
          ) : awaitsStore ? (
            <Empty title="Nothing of it is in the store yet">
              <p>The first part arrives within seconds of being made. This page looks again by itself.</p>
            </Empty>
          ) : reel.state === "failed" && reel.frames.length === 0 ? (
            <ClosedRecording sessionId={session.id} error={reel.error} onRetry={again} />
          ) : (
            <Suspense fallback={<div className="flex-1 bg-terminal" />}>
              <Track
                session={session}
                reel={reel}
                index={index}
                startUs={startUs}
                find={find}
                onFind={findWords}
                kind={only}
                onKind={(kind) =>
                  void navigate({
                    search: ({ only: _before, ...rest }) => (kind ? { ...rest, only: kind } : rest),
                    replace: true,
                    resetScroll: false,
                  })
                }
                isLive={isWatched && (reel.state === "live" || reel.state === "loading")}
                moments={moments}
                hits={hits}
                noted={noted}
                seek={seek}
                onMoment={setTimeUs}
                onPlace={onPlace}
              />
              {/* In full screen only the player is seen, so it has its own. */}
              {leads === undefined && <Watermark />}
            </Suspense>
          )}
        </div>
        <aside
          aria-label="About this session"
          className="relative flex min-h-0 flex-col border-t lg:w-72 xl:w-88 lg:border-t-0 lg:border-l"
        >
          <div
            role="tablist"
            aria-label="About this session"
            className="flex gap-4 border-b px-4 lg:max-xl:gap-3"
          >
            {offered.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                id={`tab-${one}`}
                aria-selected={panel === one}
                aria-controls={`panel-${one}`}
                onClick={() =>
                  void navigate({ search: (before) => ({ ...before, panel: one }), replace: true })
                }
                className="-mb-px h-9 border-b-2 border-transparent text-soft aria-selected:border-accent aria-selected:text-ink"
              >
                {panelWords[one]}
              </button>
            ))}
          </div>
          {isTerminal && panel === "transcript" && (
            <FindBar
              words={find}
              hits={words.found}
              isSearching={words.isSearching}
              hasMore={words.hasMore}
              timeUs={timeUs}
              onFind={findWords}
              onChoose={choose}
            />
          )}
          {isTerminal && panel === "transcript" && words.error !== undefined && (
            <InlineProblem error={words.error} />
          )}
          <div
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
            tabIndex={0}
            className={`min-h-0 flex-1 lg:overflow-y-auto ${panel === "transcript" ? "max-lg:max-h-[60dvh] max-lg:overflow-y-auto" : ""}`}
            role="tabpanel"
            id={`panel-${panel}`}
            aria-labelledby={`tab-${panel}`}
          >
            {isTerminal && panel === "moments" ? (
              <MomentList
                moments={moments}
                timeUs={timeUs}
                isLoading={!isSettled || (!index && reel.frames.length === 0)}
                onChoose={choose}
              />
            ) : isTerminal && panel === "transcript" ? (
              indexed && find === "" ? (
                <IndexedTranscript
                  sessionId={session.id}
                  index={indexed}
                  after={words.read}
                  timeUs={timeUs}
                  onChoose={choose}
                />
              ) : (
                !words.isSearching && (
                  <TranscriptList
                    lines={find === "" ? words.read : words.found}
                    words={find}
                    timeUs={timeUs}
                    onChoose={choose}
                  />
                )
              )
            ) : panel === "audit" ? (
              <SessionEvents session={session} timeUs={timeUs} onChoose={leads} />
            ) : (
              <Facts session={session} watchers={watchers} onChoose={leads} />
            )}
          </div>
          {(panel === "moments" || panel === "transcript") && <Watermark />}
        </aside>
      </div>
    </div>
  );
}

type Found = { timeUs: number; text: string; found?: { at: number; length: number } };
const nothingFound: Found[] = [];

/** Where the words stand: asked of the gateway as far as there is an index, else found in what is in the page. */
function useFound(
  session: SessionFacts,
  reel: Reel,
  index: Index | undefined,
  { find, panel }: { find: string; panel: string },
): { found: Found[]; read: Found[]; isSearching: boolean; hasMore: boolean; error?: unknown } {
  const toUs = (index ?? reel.before?.index)?.durationUs;
  const asked = useQuery({
    ...queries.found(session.id, find, toUs),
    enabled: toUs !== undefined && find !== "",
  });
  // Read only when it is looked at.
  const wantsLines =
    !index &&
    session.track === "terminal" &&
    (panel === "transcript" || find !== "") &&
    reel.state !== "loading";
  const lines = useMemo(() => (wantsLines ? transcriptOf(unindexed(reel)) : []), [wantsLines, reel]);
  const read = useMemo(() => lines.filter(({ isDrawn }) => !isDrawn), [lines]);
  const found = useMemo(() => findIn(lines, find), [lines, find]);
  const hits = useMemo(
    () =>
      asked.data?.hits.flatMap(({ timeUs, text, at, length }) =>
        timeUs <= (toUs ?? 0) ? [{ timeUs, text, found: { at, length } }] : [],
      ) ?? nothingFound,
    [asked.data, toUs],
  );
  const all = useMemo(() => (toUs === undefined ? found : [...hits, ...found]), [toUs, hits, found]);
  if (toUs === undefined) return { found, read, isSearching: false, hasMore: false };
  return {
    found: all,
    read,
    isSearching: asked.isFetching,
    hasMore: typeof asked.data?.next === "string",
    ...(asked.isError && { error: asked.error }),
  };
}

/** Where in the recording a time of day lies. */
function momentOfDay({ startedAt, endedAt }: SessionFacts, at: string | undefined): number | undefined {
  if (at === undefined) return undefined;
  const endedAtMs = endedAt === null ? undefined : Date.parse(endedAt);
  return momentWithin({ startedAtMs: Date.parse(startedAt), endedAtMs }, Date.parse(at));
}

function Track({
  session,
  reel,
  index,
  startUs,
  find,
  onFind,
  ...player
}: {
  session: SessionFacts;
  reel: Reel;
  index: Index | undefined;
  startUs: number | undefined;
  find: string;
  onFind: (words: string) => void;
  kind: "failed" | "slow" | undefined;
  onKind: (kind: "failed" | "slow" | undefined) => void;
  isLive: boolean;
  moments: readonly Moment[];
  hits: readonly number[];
  noted: readonly Noted[];
  seek: Seek | undefined;
  onMoment: (timeUs: number) => void;
  onPlace: (timeUs: number | undefined) => void;
}) {
  const whole = useReelMaterial(reel, session);
  const windows = useIndexMaterial(session.id, index);
  const live = useLiveMaterial(session.id, reel);
  switch (session.track) {
    case "terminal":
      return (
        <TerminalPlayer
          material={windows ?? live ?? whole}
          picturesOf={windows && !windows.isSmall ? session.id : undefined}
          startUs={startUs ?? 0}
          autoplay={startUs === undefined && !matchMedia("(prefers-reduced-motion: reduce)").matches}
          {...player}
        />
      );
    case "exec":
      return <ExecView reel={reel} startUs={startUs} {...player} />;
    case "files":
      return <FilesView reel={reel} startUs={startUs} {...player} />;
    case "forward":
      return <ForwardsView reel={reel} startUs={startUs} {...player} />;
    case "query":
      return <QueriesPlayer reel={reel} startUs={startUs} find={find} onFind={onFind} {...player} />;
    case "http":
    case "desktop":
      return (
        <Empty title={`This page does not show ${session.track} recordings`}>
          <p>The recording is complete. Export it as JSON to read every frame.</p>
        </Empty>
      );
  }
}
