import { isGatehouseError } from "@gatehouse/kernel";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Users } from "lucide-react";
import { queries } from "../gateway.ts";
import { itemsOf } from "../pages/list.tsx";
import { Problem, SkeletonRows } from "../ui/states.tsx";
import { AskForm } from "./ask.tsx";

/** In the player's place: why nothing is shown. Where a second person's approval is what is missing, it can be asked for here. */
export function ClosedRecording({
  sessionId,
  error,
  onRetry,
}: {
  sessionId: string;
  error: unknown;
  onRetry: () => void;
}) {
  const mayBeAsked = isGatehouseError(error, "denied");
  const terms = useQuery({
    ...queries.requestTermsOfRecording(sessionId),
    enabled: mayBeAsked,
    retry: false,
  });
  const mine = useInfiniteQuery({
    ...queries.requests({ mine: "true", state: "pending", limit: 100 }),
    enabled: mayBeAsked,
  });
  if (mayBeAsked && (terms.isPending || mine.isPending)) return <SkeletonRows rows={3} />;
  if (!terms.data) return <Problem error={error} onRetry={onRetry} />;
  const waits = itemsOf(mine).find(
    ({ wanted }) => wanted.kind === "playback" && wanted.sessionId === sessionId,
  );
  return (
    <div className="grid justify-items-center gap-3 overflow-y-auto px-6 py-12 text-center">
      <Users size={20} className="text-attention" aria-hidden />
      <h2 className="text-base">A second person must approve that this is opened</h2>
      {waits ? (
        <p className="text-soft">
          You have asked for it.{" "}
          <Link
            to="/requests/$requestId"
            params={{ requestId: waits.id }}
            className="font-medium text-accent underline underline-offset-2"
          >
            See how far it is
          </Link>
        </p>
      ) : (
        <div className="w-full max-w-md">
          <AskForm terms={terms.data} ask={() => ({ kind: "playback", sessionId })} />
        </div>
      )}
    </div>
  );
}
