import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queries } from "../gateway.ts";
import { peopleRooms } from "../shell/places.ts";

/** People, and what decides about them: one place in the rail, several pages. */
export function PeopleRooms() {
  const me = useQuery(queries.me);
  const may = me.data?.may ?? [];
  const allowed = peopleRooms.filter(({ action }) => may.includes(action));
  return (
    <nav aria-label="About people" className="flex gap-4 overflow-x-auto border-b px-4">
      {allowed.map(({ to, name }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ includeSearch: false }}
          className="-mb-px flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent text-soft hover:text-ink"
          activeProps={{ className: "!border-accent !text-ink", "aria-current": "page" }}
        >
          {name}
          {to === "/locks" && <LockCount />}
        </Link>
      ))}
    </nav>
  );
}

function LockCount() {
  const locks = useQuery(queries.locks);
  const count = locks.data?.items.length ?? 0;
  return count === 0 ? null : <span className="figures text-2xs text-attention">{count}</span>;
}
