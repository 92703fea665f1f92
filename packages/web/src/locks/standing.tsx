import type { Lock } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LockKeyhole, LockKeyholeOpen } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Time } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

/** On the page of somebody or something that is locked: by whom, why, and the way to lift it. */
export function StandingLocks({ on, name, mayLift }: { on: Lock["on"]; name: string; mayLift: boolean }) {
  const locks = useQuery(queries.locks);
  const standing = locks.data?.items.filter((lock) => lock.on === on && lock.name === name) ?? [];
  return standing.map((lock) => (
    <div
      key={lock.id}
      role="note"
      className="mx-4 mb-2 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md border border-danger/40 bg-danger-paper px-3 py-2"
    >
      <LockKeyhole size={15} aria-hidden className="text-danger" />
      <p className="min-w-0 flex-1">
        <strong className="font-semibold text-danger">Locked</strong> by {lock.createdBy}{" "}
        <Time iso={lock.createdAt} />
        {lock.until !== null && (
          <>
            , until <Time iso={lock.until} />
          </>
        )}
        : <span className="break-words">{lock.reason}</span>
      </p>
      {mayLift && <LiftButton lock={lock} />}
    </div>
  ));
}

export function LiftButton({ lock }: { lock: Lock }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const lift = useMutation({
    mutationFn: () => gateway.locks.remove(lock.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["locks"] }),
  });
  return (
    <>
      <Button aria-label={`Lift the lock on ${lock.name}`} onClick={() => setAsks(true)}>
        <LockKeyholeOpen size={15} aria-hidden /> Lift
      </Button>
      <Dialog title={`Lift the lock on ${lock.name}?`} isOpen={asks} onClose={() => setAsks(false)}>
        <div className="grid gap-4">
          <p className="text-soft">What it shut is open again at once. It was set for this:</p>
          <p className="border-l-2 pl-3 break-words">{lock.reason}</p>
          {lift.isError && <InlineProblem error={lift.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsks(false)}>Keep it</Button>
            <Button tone="primary" disabled={lift.isPending} onClick={() => lift.mutate()}>
              Lift it
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
