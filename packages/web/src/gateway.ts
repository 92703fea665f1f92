import { createClient } from "@gatehouse/contracts/client";
import { isGatehouseError } from "@gatehouse/kernel";
import { QueryClient, QueryCache, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type {
  AuditQuery,
  LockPreviewQuery,
  PersonQuery,
  RequestQuery,
  Search,
  SessionQuery,
  TargetQuery,
} from "@gatehouse/contracts/rest";

/** What asks by itself, while nobody has touched the page for so long, does not keep a sign-in from being idle. */
const attendedForMs = 60_000;
let touchedAtMs = performance.now();
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
  addEventListener(kind, () => (touchedAtMs = performance.now()), { capture: true, passive: true });

/** The gateway that served this page. */
export const gateway = createClient({
  baseUrl: "",
  fetch: (url, init) =>
    performance.now() - touchedAtMs < attendedForMs
      ? fetch(url, init)
      : fetch(url, { ...init, headers: { ...init.headers, "gatehouse-unattended": "1" } }),
});

/** Told when the web session has ended, so that the shell can lead to signing in and back again. */
const signedOutListeners = new Set<() => void>();
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** Trying again helps only against what passes by itself. */
function mayPass(error: unknown): boolean {
  return isGatehouseError(error, "unavailable") || isGatehouseError(error, "timeout");
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      if (isGatehouseError(error, "unauthenticated")) for (const listener of signedOutListeners) listener();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => mayPass(error) && failures < 2,
      refetchOnWindowFocus: true,
    },
  },
});

/** While something is live its row changes; otherwise a look every half minute is enough. */
const liveEveryMs = 5_000;
const quietEveryMs = 30_000;
/** Somebody waits for somebody else to decide. */
const waitedForEveryMs = 10_000;

/** What waits for the person who is signed in: the page of it, and the number in the rail. */
export const toReview: RequestQuery = { toReview: "true", limit: 100 };

type PageParam = string | undefined;
const paging = {
  initialPageParam: undefined as PageParam,
  getNextPageParam: (last: { next: string | null }): PageParam => last.next ?? undefined,
};
const at = (cursor: PageParam) => (cursor === undefined ? {} : { cursor });

export const queries = {
  roles: queryOptions({ queryKey: ["roles"], queryFn: ({ signal }) => gateway.roles.list({ signal }) }),
  me: queryOptions({
    queryKey: ["me"],
    queryFn: ({ signal }) => gateway.auth.me({ signal }),
    staleTime: 60_000,
  }),
  waysIn: queryOptions({
    queryKey: ["ways-in"],
    queryFn: ({ signal }) => gateway.auth.waysIn({ signal }),
    staleTime: Number.POSITIVE_INFINITY,
  }),
  signInFacts: (personId: string) =>
    queryOptions({
      queryKey: ["sign-in-facts", personId],
      queryFn: ({ signal }) => gateway.accounts.signInFacts(personId, { signal }),
    }),
  sessions: (filter: SessionQuery) =>
    infiniteQueryOptions({
      queryKey: ["sessions", filter],
      queryFn: ({ pageParam, signal }) => gateway.sessions.list({ ...filter, ...at(pageParam) }, { signal }),
      ...paging,
      refetchInterval: ({ state }) => {
        // Only a list that is at its beginning: renewing many pages every few seconds would be a burden for nothing.
        if ((state.data?.pages.length ?? 0) > 1) return false;
        const isLive = state.data?.pages[0]?.items.some((one) => one.state === "live") ?? false;
        return isLive ? liveEveryMs : quietEveryMs;
      },
    }),
  /** What is live now: the page of it, and the number in the rail. */
  liveSessions: infiniteQueryOptions({
    queryKey: ["sessions", "live"],
    queryFn: ({ pageParam, signal }) =>
      gateway.sessions.list({ state: "live", limit: 100, ...at(pageParam) }, { signal }),
    ...paging,
    refetchInterval: liveEveryMs,
  }),
  session: (id: string) =>
    queryOptions({
      queryKey: ["session", id],
      queryFn: ({ signal }) => gateway.sessions.get(id, { signal }),
      refetchInterval: ({ state }) => {
        const isMoving =
          state.data?.state === "live" ||
          ["recording", "shipping"].includes(state.data?.recording.state ?? "");
        return isMoving ? liveEveryMs : false;
      },
    }),
  /** What the audit log says of a session, as far as the viewer may know it. */
  sessionEvents: (id: string, isLive: boolean) =>
    infiniteQueryOptions({
      queryKey: ["session-events", id],
      queryFn: ({ pageParam, signal }) =>
        gateway.sessions.events(id, { limit: 200, ...at(pageParam) }, { signal }),
      ...paging,
      refetchInterval: isLive ? liveEveryMs : false,
    }),
  /**
   * Opening a recording, and noted as that in the audit log: once for each time that the page is opened. Where no index was made yet
   * it is looked for again.
   */
  overview: (id: string) =>
    queryOptions({
      queryKey: ["overview", id],
      queryFn: ({ signal }) => gateway.recordings.overview(id, { signal }),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 0,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    }),
  pictures: (id: string) =>
    queryOptions({
      queryKey: ["pictures", id],
      queryFn: ({ signal }) => gateway.recordings.pictures(id, { signal }),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 60_000,
    }),
  /** `ofUs`: of how much of the session the index is, while it goes on. */
  text: (id: string, block: number, ofUs: number) =>
    queryOptions({
      queryKey: ["text", id, ofUs, block],
      queryFn: ({ signal }) => gateway.recordings.text(id, { block }, { signal }),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 10_000,
    }),
  /** The terms go into the audit log, so they are asked for once. `/words/` is a regular expression. */
  found: (id: string, words: string, ofUs: number | undefined) =>
    queryOptions({
      queryKey: ["found", id, ofUs, words],
      queryFn: () => {
        const regex = /^\/(.+)\/$/.exec(words)?.[1];
        return gateway.recordings.search(id, {
          text: regex ?? words,
          mode: regex === undefined ? "any-case" : "regex",
          limit: 500,
        });
      },
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: false,
    }),
  recording: (id: string) =>
    queryOptions({
      queryKey: ["recording", id],
      queryFn: ({ signal }) => gateway.recordings.get(id, { signal }),
    }),
  /** Reads every stored byte, and is noted in the audit log: once for each time the page is opened, or when asked. */
  verification: (id: string) =>
    queryOptions({
      queryKey: ["verification", id],
      queryFn: () => gateway.recordings.verify(id),
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
    }),
  /** Every page of it is noted in the audit log, so it is asked for once and not by itself again. */
  everywhere: (search: Search) =>
    infiniteQueryOptions({
      queryKey: ["everywhere", search],
      queryFn: ({ pageParam, signal }) => gateway.search({ ...search, ...at(pageParam) }, { signal }),
      ...paging,
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    }),
  audit: (filter: AuditQuery) =>
    infiniteQueryOptions({
      queryKey: ["audit", filter],
      queryFn: ({ pageParam, signal }) => gateway.audit.list({ ...filter, ...at(pageParam) }, { signal }),
      ...paging,
    }),
  targets: (filter: TargetQuery) =>
    infiniteQueryOptions({
      queryKey: ["targets", filter],
      queryFn: ({ pageParam, signal }) => gateway.targets.list({ ...filter, ...at(pageParam) }, { signal }),
      ...paging,
    }),
  target: (id: string) =>
    queryOptions({ queryKey: ["target", id], queryFn: ({ signal }) => gateway.targets.get(id, { signal }) }),
  people: (filter: PersonQuery) =>
    infiniteQueryOptions({
      queryKey: ["people", filter],
      queryFn: ({ pageParam, signal }) => gateway.people.list({ ...filter, ...at(pageParam) }, { signal }),
      ...paging,
    }),
  person: (id: string) =>
    queryOptions({ queryKey: ["person", id], queryFn: ({ signal }) => gateway.people.get(id, { signal }) }),
  factors: (personId: string) =>
    queryOptions({
      queryKey: ["factors", personId],
      queryFn: ({ signal }) => gateway.factors.list(personId, { signal }),
    }),
  signIns: (personId: string) =>
    queryOptions({
      queryKey: ["sign-ins", personId],
      queryFn: ({ signal }) => gateway.signIns.list(personId, { signal }),
    }),
  sshKeys: (personId: string) =>
    queryOptions({
      queryKey: ["ssh-keys", personId],
      queryFn: ({ signal }) => gateway.people.sshKeys(personId, { signal }),
    }),
  certificates: (personId: string) =>
    queryOptions({
      queryKey: ["certificates", personId],
      queryFn: ({ signal }) => gateway.certificates.list(personId, { signal }),
    }),
  alarms: queryOptions({
    queryKey: ["alarms"],
    queryFn: ({ signal }) => gateway.recordings.alarms({ signal }),
    refetchInterval: quietEveryMs,
  }),
  teams: infiniteQueryOptions({
    queryKey: ["teams"],
    queryFn: ({ pageParam, signal }) => gateway.teams.list({ ...at(pageParam) }, { signal }),
    ...paging,
  }),
  tokens: (personId: string) =>
    queryOptions({
      queryKey: ["tokens", personId],
      queryFn: ({ signal }) => gateway.tokens.list(personId, { signal }),
    }),
  allTokens: infiniteQueryOptions({
    queryKey: ["tokens"],
    queryFn: ({ pageParam, signal }) => gateway.tokens.all({ ...at(pageParam) }, { signal }),
    ...paging,
  }),
  locks: queryOptions({
    queryKey: ["locks"],
    queryFn: ({ signal }) => gateway.locks.list({ signal }),
    refetchInterval: quietEveryMs,
  }),
  lockPreview: (lock: LockPreviewQuery) =>
    queryOptions({
      queryKey: ["lock-preview", lock],
      queryFn: ({ signal }) => gateway.locks.preview(lock, { signal }),
      // Sessions come and go while somebody writes a reason.
      refetchInterval: liveEveryMs,
    }),
  askableRoles: queryOptions({
    queryKey: ["requests", "roles"],
    queryFn: ({ signal }) => gateway.requests.roles({ signal }),
  }),
  requests: (filter: RequestQuery) =>
    infiniteQueryOptions({
      queryKey: ["requests", filter],
      queryFn: ({ pageParam, signal }) => gateway.requests.list({ ...filter, ...at(pageParam) }, { signal }),
      ...paging,
      refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : waitedForEveryMs),
    }),
  request: (id: string) =>
    queryOptions({
      queryKey: ["request", id],
      queryFn: ({ signal }) => gateway.requests.get(id, { signal }),
      refetchInterval: ({ state }) =>
        ["pending", "approved"].includes(state.data?.state ?? "") ? liveEveryMs : false,
    }),
  /** Rejects where this cannot be asked for, which is an answer too. */
  requestTermsOfTarget: (id: string) =>
    queryOptions({
      queryKey: ["request-terms", id],
      queryFn: ({ signal }) => gateway.requests.termsOfTarget(id, { signal }),
    }),
  requestTermsOfRecording: (sessionId: string) =>
    queryOptions({
      queryKey: ["request-terms", sessionId],
      queryFn: ({ signal }) => gateway.requests.termsOfRecording(sessionId, { signal }),
    }),
  coverage: queryOptions({
    queryKey: ["coverage"],
    queryFn: ({ signal }) => gateway.recordings.coverage({}, { signal }),
    refetchInterval: quietEveryMs,
  }),
  health: queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => gateway.health({ signal }),
    refetchInterval: liveEveryMs,
  }),
};
