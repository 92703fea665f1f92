import { type Search, type SearchPage, searchSources } from "@gatehouse/contracts/rest";
import {
  type Clock,
  GatehouseError,
  type Random,
  isGatehouseError,
  messageOf,
  newId,
} from "@gatehouse/kernel";
import type { KeyOpener, Lane, Recording, RecordingSource, SessionFacts } from "@gatehouse/recording";
import { nodeZstd } from "@gatehouse/recording/node";
import { filterMayHold, filterVersion } from "@gatehouse/recording/passages";
import { type Decision, type Question, sessionScope } from "../access/mod.ts";
import type { AuditLog } from "../audit/door.ts";
import {
  type Resources,
  type SearchFilter,
  type SearchFilters,
  type SessionEntries,
  type SessionEntry,
  type SessionFilter,
  afterSession,
} from "../directory/mod.ts";
import { type Indexes, type SearchKeys, trigramMac } from "../indexes/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { type Demand, demandOf } from "./narrowing.ts";
import { createOpened } from "./opened.ts";
import { type Place, textFrom } from "./recorded-text.ts";
import { type Find, findIn, findsDefault, inOrder } from "./search.ts";
import { type SearchState, searchCursors } from "./search-cursor.ts";
import { type TextMatcher, manyMatcher, textMatcher } from "./text-matcher.ts";
import { type Reader, type Viewer, createViewing } from "./viewing.ts";
import { visibleFrames } from "./visible-frames.ts";

type SearchingOptions = {
  sourceOf(facts: SessionFacts): RecordingSource;
  trustedKeys: readonly Uint8Array[];
  /** None on a gateway that only writes: it finds nothing. */
  openers: readonly KeyOpener[];
  indexes: Pick<Indexes, "open">;
  sessions: Pick<SessionEntries, "list" | "count" | "byId">;
  resources: Pick<Resources, "ofSession" | "atOnce">;
  filters: Pick<SearchFilters, "of">;
  searchKeys: SearchKeys;
  decide: (question: Question) => Decision;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  random: Random;
  log: Pick<Log, "warn">;
};

/** A page is answered after about so long, with what there is. */
const pageUs = 2_000_000;
/** Opened for one page: the event that tells of them stays readable. */
const openedMax = 200;
/** Recordings that are read beside each other; each holds a block of its text. */
const readingMax = 4;
const batchSessions = 200;
/** Sessions that wait behind one that is read. */
const waitingMax = 2_000;

export type Searching = {
  /** A page of what is found in all recordings that the viewer may play; audited with its terms and with what was opened. */
  search(viewer: Viewer, search: Search, reader: Reader): Promise<SearchPage>;
};

type Source = (typeof searchSources)[number];
/** A session that was dealt with, or will be when its recording was read. */
type Step = { entry: SessionEntry; reading?: Promise<Read>; watermark?: string | undefined };
type Read =
  | { finds: Find[]; next?: Place; more: boolean; isWhole: boolean; input: boolean }
  | "unread"
  | "nothing";
type Asked = {
  search: Search;
  matches: TextMatcher;
  mayHold: ReturnType<typeof manyMatcher>;
  demand: Demand | undefined;
};

/**
 * Finds text in all recordings that somebody may play, the newest first, a page at a time. Filters of the sessions and rights come
 * first, then what the recordings' filters leave, and that is opened and read.
 */
export function createSearching(options: SearchingOptions): Searching {
  const { sessions, resources, filters, searchKeys, decide, audit, clock, random, log } = options;
  const viewing = createViewing(options);
  // A thread for each session that is live would take longer than reading what they said so far.
  const indexes = { open: (recording: Recording) => options.indexes.open(recording, "made") };
  const { open } = createOpened({ ...options, indexes, zstd: nodeZstd });
  const cursors = searchCursors({ key: searchKeys.cursorKey, random });

  /** Which lanes of it there is something to look for in. */
  function lanesOf(
    { search, demand }: Asked,
    id: string,
    mayInput: boolean,
    filter: SearchFilter | undefined,
  ): Lane[] {
    const sources = search.sources ?? searchSources;
    const wanted: Lane[] = [];
    if (sources.some((source) => source !== "input")) wanted.push("main");
    if (mayInput && sources.includes("input")) wanted.push("input");
    // Without a filter that is understood here the recording is read.
    if (filter?.version !== filterVersion || filter.keyId !== searchKeys.id) return wanted;
    return wanted.filter((lane) => {
      const bits = filter[lane];
      if (!bits) return false;
      if (!demand) return true;
      const mac = trigramMac(searchKeys.filterKey(id, lane));
      return demand((trigram) => filterMayHold(bits, mac(trigram)));
    });
  }

  async function read(
    { search, matches, mayHold }: Asked,
    { facts }: SessionEntry,
    lanes: readonly Lane[],
    from: Place | undefined,
    until: { isOver: () => boolean; signal: AbortSignal },
  ): Promise<Read> {
    try {
      const { recording, index: openIndex } = await open(facts);
      if (recording.withheld.includes("main")) return "unread";
      const input = lanes.includes("input");
      const sources = new Set<Source>(
        (search.sources ?? searchSources).filter((source) =>
          lanes.includes(source === "input" ? "input" : "main"),
        ),
      );
      const index = await openIndex();
      const limit = Math.min(search.limit ?? findsDefault, search.perSession ?? Number.POSITIVE_INFINITY);
      const text = textFrom(
        {
          facts,
          index,
          sources,
          mayHold,
          frames: (window) => visibleFrames(recording, { input }, until.signal, window),
        },
        from,
      );
      const { finds, next } = await findIn(text, matches, { limit, isOver: until.isOver });
      const more = next !== undefined && finds.length === search.perSession;
      return {
        finds,
        ...(next && !more && { next }),
        more,
        isWhole: recording.manifest !== undefined && index?.directory.textEndsUs === undefined,
        input,
      };
    } catch (error) {
      // Not stored yet, or removed meanwhile.
      if (isGatehouseError(error, "conflict") || isGatehouseError(error, "not_found")) return "nothing";
      // A store that does not answer would make of every recording one in which nothing is found.
      if (isGatehouseError(error, "unavailable") || isGatehouseError(error, "timeout")) throw error;
      log.warn("a recording could not be searched", { session: facts.sessionId, error: messageOf(error) });
      return "unread";
    }
  }

  async function search(viewer: Viewer, question: Search, reader: Reader): Promise<SearchPage> {
    const asked: Asked = {
      search: question,
      matches: textMatcher(question),
      mayHold: manyMatcher(question),
      demand: demandOf(question),
    };
    const { subject, remoteAddress } = viewer;
    const context = { remoteAddress, nowMs: clock.nowMs() };
    if (
      question.event !== undefined &&
      !decide({ subject, action: "audit.read", resource: {}, context }).allowed
    )
      throw mayNotReadLog();
    const scope = sessionScope(subject, context);
    const filter = filterOf(question, scope);
    const state: SearchState =
      question.cursor === undefined
        ? {
            searchId: newId(clock.nowMs(), random),
            page: 0,
            searched: 0,
            sessions: await sessions.count(filter),
            unread: 0,
          }
        : cursors.open(question.cursor, subject.id, question);
    state.page++;
    const startedUs = clock.monotonicUs();
    const stopping = new AbortController();
    const isOver = () =>
      stopping.signal.aborted || reader.signal.aborted || clock.monotonicUs() - startedUs > pageUs;
    const limit = question.limit ?? findsDefault;
    const items: SearchPage["items"] = [];
    const opened: string[] = [];
    const waiting: Step[] = [];
    let readings = 0;
    let left = limit;
    let input = false;
    let watermark: string | undefined;
    const known = resources.atOnce();

    async function* steps(): AsyncGenerator<Step> {
      let after = state.after;
      const within = state.within;
      for (;;) {
        const batch = await sessions.list(filter, {
          limit: batchSessions,
          ...(after !== undefined && { after }),
        });
        const rows = await filters.of(batch.items.map(({ facts }) => facts.sessionId));
        for (const entry of batch.items) {
          const { sessionId } = entry.facts;
          if (entry.recordingState === "expired") {
            yield { entry };
            continue;
          }
          const resource = await known.ofSession(entry);
          const { play, input: mayInput } = viewing.sight(viewer, resource);
          const lanes = play ? lanesOf(asked, sessionId, mayInput, rows.get(sessionId)) : [];
          if (lanes.length === 0) {
            yield { entry };
            continue;
          }
          opened.push(sessionId);
          readings++;
          const from = within?.sessionId === sessionId ? within.place : undefined;
          const reading = read(asked, entry, lanes, from, { isOver, signal: reader.signal });
          // Whoever waits for it is told; until then it is nobody's.
          reading.catch(() => undefined);
          yield { entry, reading, watermark: viewing.watermarkOf(viewer, resource) };
        }
        after = batch.next;
        if (after === undefined) return;
      }
    }

    /** True when the page ends here. */
    async function take({ entry, reading, watermark: due }: Step): Promise<boolean> {
      const found = (await reading) ?? "nothing";
      if (reading) readings--;
      if (found === "unread") state.unread++;
      if (typeof found === "object") {
        const finds = found.finds.slice(0, left);
        const next = found.finds[left]?.place ?? found.next;
        left -= finds.length;
        input ||= found.input;
        if (finds.length > 0) {
          watermark ??= due;
          items.push({
            session: wordsOf(entry),
            hits: inOrder(finds),
            more: found.more,
            isWhole: found.isWhole,
          });
        }
        if (next) {
          state.within = { sessionId: entry.facts.sessionId, place: next };
          return true;
        }
      }
      state.after = afterSession(entry);
      delete state.within;
      state.searched++;
      return left === 0;
    }

    let isFull = false;
    let isCut = false;
    const first = () => waiting[0] !== undefined && (!waiting[0].reading || readings >= readingMax);
    for await (const step of steps()) {
      waiting.push(step);
      while (!isFull && (first() || waiting.length > waitingMax))
        isFull = await take(waiting.shift() as Step);
      isCut = isOver() || opened.length >= openedMax;
      if (isFull || isCut) break;
    }
    // What was begun ends soon, and says where it stands.
    for (let step = waiting.shift(); step && !isFull; step = waiting.shift()) isFull = await take(step);
    stopping.abort();

    await stillMay(items, reader, viewer);
    await audit.append({
      event: "session.recording.search",
      user: subject.name,
      success: true,
      ...(remoteAddress !== "" && { remoteAddress }),
      fields: {
        search_id: state.searchId,
        page: state.page,
        from: viewer.channel,
        query: question.text,
        mode: question.mode ?? "any-case",
        ...(question.sources && { sources: question.sources }),
        filters: JSON.stringify(filtersIn(question)),
        opened,
        found: items.map(({ session }) => session.id),
        input,
        ...(watermark !== undefined && { watermark: true }),
        searched: state.searched,
        sessions: state.sessions,
      },
    });
    return {
      items,
      next: isFull || isCut ? cursors.seal(state, subject.id, question) : null,
      watermark: watermark ?? null,
      progress: { searched: Math.min(state.searched, state.sessions), sessions: state.sessions },
      unread: state.unread,
    };
  }

  /** A page takes a while: rights may have ended meanwhile. */
  async function stillMay(items: SearchPage["items"], reader: Reader, viewer: Viewer): Promise<void> {
    if (items.length === 0) return;
    const now = await reader.renew();
    const asking = now && { ...viewer, subject: now.subject };
    const fresh = resources.atOnce();
    for (const { session } of items) {
      const entry = asking && (await sessions.byId(session.id));
      if (!entry || !viewing.sight(asking, await fresh.ofSession(entry)).play) throw rightsEnded();
    }
  }

  return { search };
}

function filtersIn(question: Search): Partial<Search> {
  const { text: _t, mode: _m, sources: _s, limit: _l, perSession: _p, cursor: _c, ...filters } = question;
  return filters;
}

function filterOf({ from, to, ...others }: Search, scope: ReturnType<typeof sessionScope>): SessionFilter {
  const { user, team, target, labels, login, protocol, kind, event } = others;
  return {
    ...(scope !== "all" && {
      scope: { userId: scope.ownerId, teamIds: scope.teams, targets: scope.targets },
    }),
    ...(user !== undefined && { user }),
    ...(team !== undefined && { team }),
    ...(target !== undefined && { target }),
    ...(labels !== undefined && { labels }),
    ...(login !== undefined && { login }),
    ...(protocol !== undefined && { protocol }),
    ...(kind !== undefined && { kind }),
    ...(event !== undefined && { event }),
    ...(from !== undefined && { fromMs: Date.parse(from) }),
    ...(to !== undefined && { toMs: Date.parse(to) }),
  };
}

function wordsOf({ facts }: SessionEntry): SearchPage["items"][number]["session"] {
  const { sessionId: id, user, login, target, protocol, kind, track, command, startedAt } = facts;
  return { id, user, login, target, protocol, kind, track, command: command ?? null, startedAt };
}

function mayNotReadLog(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "search",
    message: "you may not ask what is in the audit log of a session",
    hint: "Leave the event out.",
  });
}

function rightsEnded(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "search",
    message: "you may not see all of what was found any longer",
    hint: "Search again: you are shown what you may see now.",
  });
}
