import type { SessionEvent } from "@gatehouse/contracts/rest";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { queries } from "../gateway.ts";

/** What the audit log says of a session, as far as the viewer may know it, oldest first. */
export function useSessionEvents(sessionId: string, isLive: boolean) {
  const query = useInfiniteQuery(queries.sessionEvents(sessionId, isLive));
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  const pages = query.data?.pages.length ?? 0;
  // A session of many transfers has many; what people did in it stands among them.
  const wantsMore = hasNextPage && !isFetching && !isError && pages < pagesMax;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);
  const events = useMemo(
    () => query.data?.pages.flatMap(({ items }) => items).toReversed() ?? noEvents,
    [query.data],
  );
  return { query, events };
}
const pagesMax = 5;
const noEvents: SessionEvent[] = [];
