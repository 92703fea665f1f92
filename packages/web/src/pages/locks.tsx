import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { LockKeyhole } from "lucide-react";
import { queries } from "../gateway.ts";
import { LockForm } from "../locks/lock-form.tsx";
import { LiftButton } from "../locks/standing.tsx";
import { thingWords } from "../locks/words.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Command, Time } from "../ui/elements.tsx";
import { duration } from "../ui/format.ts";
import { Empty, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { useNow } from "../ui/use-now.ts";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/locks");

/** Who and what is shut now. The address can name what is about to be, so that a command leads here with it filled in. */
export function LocksPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/locks" });
  const me = useQuery(queries.me);
  const query = useQuery(queries.locks);
  const nowMs = useNow();
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  const mayWrite = me.data?.may.includes("lock.write") ?? false;
  const close = () => void navigate({ search: {}, replace: true });
  return (
    <>
      <StaleNote query={query} />
      <PeopleRooms />
      <PageHead title="Locks">
        {mayWrite && (
          <Button tone="danger" onClick={() => void navigate({ search: { on: "user" } })}>
            <LockKeyhole size={15} aria-hidden /> Lock
          </Button>
        )}
      </PageHead>
      {!query.data ? (
        <SkeletonRows rows={3} />
      ) : query.data.items.length === 0 ? (
        <Empty title="Nothing is locked">
          <p>
            A lock shuts a person, a target, a role, a login or a network at once, and ends what is live of
            it.
          </p>
          {mayWrite && <Command text={`gatehouse lock user <name> --reason "lost laptop" --for 8h`} />}
        </Empty>
      ) : (
        <ul aria-label="Locks" className="divide-y border-y">
          {query.data.items.map((lock) => (
            <li key={lock.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5">
              <div className="min-w-0 flex-1 basis-64">
                <p>
                  <span className="text-faint">{thingWords[lock.on]} </span>
                  <span className="font-medium">{lock.name}</span>
                </p>
                <p className="mt-0.5 break-words text-soft">{lock.reason}</p>
              </div>
              <p className="text-xs text-soft sm:text-end">
                {lock.until === null ? (
                  "until it is lifted"
                ) : (
                  <span className="figures">
                    {duration(Math.max(0, Date.parse(lock.until) - nowMs))} left
                  </span>
                )}
                <span className="block text-faint">
                  by {lock.createdBy}, <Time iso={lock.createdAt} />
                </span>
              </p>
              {mayWrite && (
                <div className="max-sm:ml-auto">
                  <LiftButton lock={lock} />
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      <Dialog
        title={search.name === undefined ? "Lock" : `Lock ${search.name}`}
        isOpen={mayWrite && search.on !== undefined}
        onClose={close}
      >
        <LockForm given={search} onDone={close} />
      </Dialog>
    </>
  );
}
