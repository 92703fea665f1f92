import { useMutation } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { Dialog } from "./dialog.tsx";
import { Button } from "./elements.tsx";
import { InlineProblem } from "./states.tsx";

/** Takes something away, in two steps: what becomes of it is said before it is done. */
export function Removal({
  what,
  verb = "Remove",
  means,
  remove,
  className = "",
}: {
  what: string;
  verb?: string;
  means: string;
  /** Resolves when it is gone from the lists too. */
  remove: () => Promise<unknown>;
  className?: string;
}) {
  const [asks, setAsks] = useState(false);
  const removing = useMutation({ mutationFn: remove, onSuccess: () => setAsks(false) });
  return (
    <>
      <Button
        aria-label={`${verb} ${what}`}
        tone="quiet"
        className={className}
        onClick={() => {
          removing.reset();
          setAsks(true);
        }}
      >
        <Trash2 size={14} aria-hidden /> {verb}
      </Button>
      <Dialog title={`${verb} ${what}?`} isOpen={asks} onClose={() => setAsks(false)}>
        <div className="grid gap-4">
          <p className="text-soft">{means}</p>
          {removing.isError && <InlineProblem error={removing.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsks(false)}>Keep it</Button>
            <Button tone="danger" disabled={removing.isPending} onClick={() => removing.mutate()}>
              {verb} {what}
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
