import { useEffect, useMemo, useRef } from "react";
import { clockTime } from "../ui/format.ts";
import { Empty } from "../ui/states.tsx";
import type { Moment } from "./moments.ts";

const styles: Partial<Record<Moment["kind"], string>> = {
  typed: "font-mono text-xs text-ink",
  hidden: "italic text-faint",
  notice: "text-attention",
  break: "text-danger",
  people: "text-attention",
};

/** The recording in words. It follows the player, and leads it when a moment is chosen. */
export function MomentList({
  moments,
  timeUs,
  isLoading,
  onChoose,
}: {
  moments: readonly Moment[];
  timeUs: number;
  isLoading: boolean;
  onChoose: (timeUs: number) => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  const current = useMemo(
    () => moments.findLastIndex((moment) => moment.timeUs <= timeUs),
    [moments, timeUs],
  );
  useEffect(() => {
    const row = list.current?.children[current];
    const room = list.current?.parentElement;
    if (!(row instanceof HTMLElement) || !room || room.scrollHeight <= room.clientHeight) return;
    // Only within the panel: the page itself must not move under somebody's hand.
    room.scrollTo({ top: row.offsetTop - room.clientHeight / 2, behavior: "auto" });
  }, [current]);
  if (moments.length === 0)
    return isLoading ? null : (
      <Empty title="No moments to name">
        <p>Nothing was typed that you may see, and nothing happened beside the output.</p>
      </Empty>
    );
  return (
    <ol ref={list} className="relative py-1">
      {moments.map((moment, index) => (
        <li key={moment.seq}>
          <button
            type="button"
            aria-current={index === current || undefined}
            onClick={() => onChoose(moment.timeUs)}
            className="flex w-full items-baseline gap-3 border-l-2 border-transparent px-3 py-1 text-start hover:bg-hover aria-current:border-accent aria-current:bg-chosen"
          >
            <span className="figures w-11 shrink-0 text-end text-xs text-faint">
              {clockTime(moment.timeUs)}
            </span>
            <span
              className={`min-w-0 break-words ${styles[moment.kind] ?? "text-soft"}`}
              title={
                moment.isGuessed
                  ? "Taken from what stood beside the cursor when Enter was pressed"
                  : undefined
              }
            >
              {moment.text}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
