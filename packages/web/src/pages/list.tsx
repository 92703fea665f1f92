import type { Page } from "@gatehouse/contracts/rest";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../ui/elements.tsx";
import { useShortcuts } from "../ui/shortcuts.ts";
import { InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";

type ListQuery<T> = UseInfiniteQueryResult<InfiniteData<Page<T>>>;

export function itemsOf<T>(query: ListQuery<T>): T[] {
  return query.data?.pages.flatMap((page) => page.items) ?? [];
}

/** A list that streams in by cursor: skeleton, failure, emptiness, rows, and more as the end comes near. */
export function ListBody<T>({
  query,
  empty,
  children,
}: {
  query: ListQuery<T>;
  empty: ReactNode;
  children: (items: T[]) => ReactNode;
}) {
  const items = itemsOf(query);
  if (query.isPending) return <SkeletonRows />;
  if (query.isError && items.length === 0)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (items.length === 0) return empty;
  return (
    <>
      <StaleNote query={query} />
      {children(items)}
      <MoreWhenNear query={query} />
    </>
  );
}

function MoreWhenNear<T>({ query }: { query: ListQuery<T> }) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, error } = query;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!end.current || !hasNextPage || isFetchingNextPage || isFetchNextPageError) return;
    const near = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void fetchNextPage();
      },
      { rootMargin: "600px" },
    );
    near.observe(end.current);
    return () => near.disconnect();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  return (
    <div ref={end} className="grid min-h-12 place-items-center p-3 text-xs text-faint">
      {isFetchNextPageError ? <InlineProblem error={error} /> : null}
      {hasNextPage ? (
        <Button tone="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? "Loading…" : "More"}
        </Button>
      ) : (
        "That is all."
      )}
    </div>
  );
}

/** Moves a choice through the rows with `j` and `k`, and opens it with Enter. Rows carry `data-row`. */
export function useRowKeys(count: number, open: (index: number) => void): number {
  const [chosen, setChosen] = useState(-1);
  const move = (step: number) => {
    const next = Math.min(count - 1, Math.max(0, chosen + step));
    setChosen(next);
    document.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => {
      if (chosen >= 0 && chosen < count) open(chosen);
    },
  });
  return chosen;
}
