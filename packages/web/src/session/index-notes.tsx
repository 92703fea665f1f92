import type { Session } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { useMutation } from "@tanstack/react-query";
import { ListTree } from "lucide-react";
import { gateway } from "../gateway.ts";
import { Button } from "../ui/elements.tsx";
import { bytes } from "../ui/format.ts";
import { Empty, InlineProblem } from "../ui/states.tsx";

function useMakeIndex(sessionId: string, onMade: () => void) {
  return useMutation({ mutationFn: () => gateway.recordings.makeIndex(sessionId), onSuccess: onMade });
}

/** A recording that is small enough to be read whole, and has no index: said once, quietly. */
export function IndexNote({ sessionId, onMade }: { sessionId: string; onMade: () => void }) {
  const make = useMakeIndex(sessionId, onMade);
  return (
    <div role="note" className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pb-2 text-xs text-soft">
      <span>
        {isGatehouseError(make.error, "corrupt")
          ? "No index can be made of this recording, so all of it was read at once."
          : "This recording has no index yet, so all of it was read at once."}
      </span>
      {make.isError ? (
        !isGatehouseError(make.error, "corrupt") && <InlineProblem error={make.error} />
      ) : (
        <button
          type="button"
          disabled={make.isPending}
          onClick={() => make.mutate()}
          className="font-medium text-accent underline-offset-2 hover:underline disabled:no-underline disabled:opacity-60"
        >
          {make.isPending ? "Making the index…" : "Make the index"}
        </button>
      )}
    </div>
  );
}

/** A large recording without an index: it is made first. */
export function IndexFirst({
  session,
  onMade,
  onWhole,
}: {
  session: Session;
  onMade: () => void;
  onWhole: () => void;
}) {
  const make = useMakeIndex(session.id, onMade);
  return (
    <Empty title="This recording has no index yet">
      <p>
        It is large, {bytes(session.recording.bytes ?? 0)} as it is stored. With an index it opens at any
        moment at once. Indexes are made by themselves when sessions end, one after the other; this one can be
        made next.
      </p>
      {make.isError && <InlineProblem error={make.error} />}
      <div className="flex flex-wrap justify-center gap-2">
        <Button tone="primary" disabled={make.isPending} onClick={() => make.mutate()}>
          <ListTree size={15} aria-hidden /> {make.isPending ? "Making the index…" : "Make it now"}
        </Button>
        <Button onClick={onWhole}>Read it from the start</Button>
      </div>
    </Empty>
  );
}
