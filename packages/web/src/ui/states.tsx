import { isGatehouseError, messageOf } from "@gatehouse/kernel";
import { CloudOff, RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./elements.tsx";
import { localTime } from "./format.ts";

/** What will be there, in its shape, at once. */
export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y">
      {Array.from({ length: rows }, (_, i) => (
        <div
          key={i}
          className="flex h-10 items-center gap-6 px-3 motion-safe:animate-[skeleton_1.2s_infinite]"
        >
          <div className="h-2.5 w-24 rounded bg-line" />
          <div className="h-2.5 rounded bg-line" style={{ width: `${9 + ((i * 5) % 7)}rem` }} />
          <div className="ml-auto h-2.5 w-16 rounded bg-line" />
        </div>
      ))}
    </div>
  );
}

/** Says what would stand here, and how it comes to be. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-3 px-6 py-16 text-center">
      <h2 className="text-base">{title}</h2>
      {children && <div className="grid max-w-lg justify-items-center gap-3 text-soft">{children}</div>}
    </div>
  );
}

const titles: Partial<Record<string, string>> = {
  unavailable: "The gateway does not answer",
  denied: "You may not see this",
  not_found: "There is no such thing here",
  corrupt: "The stored bytes do not verify",
};

/** What happened, and what to do about it. Nothing on these pages is written where they fail, so nothing is lost. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = isGatehouseError(error) ? error : undefined;
  const requestId = known?.details["requestId"];
  return (
    <div role="alert" className="grid justify-items-center gap-3 px-6 py-14 text-center">
      <TriangleAlert size={20} className="text-danger" aria-hidden />
      <h2 className="text-base">{titles[known?.code ?? ""] ?? "This did not work"}</h2>
      <p className="max-w-lg text-soft">
        {messageOf(error)}
        {known?.hint ? <span className="block">{known.hint}</span> : null}
      </p>
      {requestId !== undefined && (
        <p className="font-mono text-2xs text-faint">request {String(requestId)}</p>
      )}
      {onRetry && (
        <Button onClick={onRetry}>
          <RotateCw size={14} aria-hidden /> Try again
        </Button>
      )}
    </div>
  );
}

/** A failure beside what is still shown. */
export function InlineProblem({ error, children }: { error: unknown; children?: ReactNode }) {
  const hint = isGatehouseError(error) ? error.hint : undefined;
  return (
    <p role="alert" className="rounded-md border border-danger/40 bg-danger-paper px-3 py-2 text-danger">
      {messageOf(error)}
      {hint ? <span className="block text-ink">{hint}</span> : null}
      {children ? <span className="block text-ink">{children}</span> : null}
    </p>
  );
}

/** Over data that could not be renewed: it is shown, and said to be old. */
export function StaleNote({ query }: { query: { isRefetchError: boolean; dataUpdatedAt: number } }) {
  if (!query.isRefetchError) return null;
  return (
    <p
      role="status"
      className="flex items-center gap-2 border-b bg-attention-paper px-4 py-1.5 text-xs text-attention"
    >
      <CloudOff size={14} aria-hidden />
      The gateway does not answer. This is as of {localTime(new Date(query.dataUpdatedAt).toISOString())};
      trying again.
    </p>
  );
}
