import type { LegalHold, Recording, Session } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Lock, LockOpen, Trash2 } from "lucide-react";
import { type SubmitEvent, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field, Time } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

/** Until when the recording is kept, who holds it beyond that, and holding it for those who may. */
export function Keeping({ session }: { session: Session }) {
  const { data: recording } = useQuery(queries.recording(session.id));
  const [isAsked, setIsAsked] = useState(false);
  if (!recording) return null;
  const { hold } = recording;
  const isGone = recording.state === "expired";
  const mayHold = recording.may.includes("recording.hold") && !isGone;
  const close = () => setIsAsked(false);
  if (!hold && !mayHold && !isGone && recording.retainUntil === null) return null;
  return (
    <div className="flex basis-full flex-wrap items-center gap-x-3 gap-y-1.5 text-xs text-soft max-sm:order-1">
      <p className="min-w-0 wrap-anywhere max-sm:flex-1">
        <KeepingWords recording={recording} />
      </p>
      {mayHold && (
        <Button className="text-xs" onClick={() => setIsAsked(true)}>
          {hold ? <LockOpen size={13} aria-hidden /> : <Lock size={13} aria-hidden />}
          {hold ? "Lift the hold" : "Hold"}
        </Button>
      )}
      <Dialog title={hold ? "Lift the hold" : "Hold this recording"} isOpen={isAsked} onClose={close}>
        {hold ? (
          <ReleaseForm recording={recording} hold={hold} onDone={close} />
        ) : (
          <HoldForm recording={recording} onDone={close} />
        )}
      </Dialog>
    </div>
  );
}

function KeepingWords({ recording: { state, hold, retainUntil, removedAt } }: { recording: Recording }) {
  if (state === "expired")
    return (
      <>
        <Trash2 size={13} aria-hidden className="mr-1 inline align-[-2px] text-faint" />
        {removedAt === null ? (
          "Being removed: its retention is over."
        ) : (
          <>
            Removed <Time iso={removedAt} />: its retention was over.
          </>
        )}
      </>
    );
  if (hold)
    return (
      <>
        <Lock size={13} aria-hidden className="mr-1 inline align-[-2px] text-attention" />
        On hold since <Time iso={hold.since} />, by {hold.by}
        {hold.owner !== hold.by && <> for {hold.owner}</>}: <span className="text-ink">{hold.reason}</span>
        {retainUntil !== null && (
          <>
            {" "}
            <span className="text-faint">Without it kept until</span> <Time iso={retainUntil} />
          </>
        )}
      </>
    );
  if (retainUntil === null) return <>Kept for as long as the rules say once it has ended.</>;
  return (
    <>
      Kept until <Time iso={retainUntil} />, then removed.
    </>
  );
}

/** What was done is shown at once: here, in the lists, and in the audit log of the session. */
function useKeeping<T>(act: (how: T) => Promise<unknown>, { sessionId }: Recording, onDone: () => void) {
  const client = useQueryClient();
  const renew = () =>
    Promise.all(
      [["recording", sessionId], ["session", sessionId], ["sessions"], ["audit"]].map((queryKey) =>
        client.invalidateQueries({ queryKey }),
      ),
    );
  return useMutation({
    mutationFn: act,
    onSuccess: async () => {
      await renew();
      onDone();
    },
    // Somebody else may have been quicker: the page then shows how it is.
    onError: () => void renew(),
  });
}

const wordsIn = (event: SubmitEvent<HTMLFormElement>, name: string): string => {
  const value = new FormData(event.currentTarget).get(name);
  return typeof value === "string" ? value.trim() : "";
};

function HoldForm({ recording, onDone }: { recording: Recording; onDone: () => void }) {
  const holding = useKeeping(
    (how: { reason: string; owner: string }) =>
      gateway.recordings.hold(recording.sessionId, {
        reason: how.reason,
        ...(how.owner !== "" && { owner: how.owner }),
      }),
    recording,
    onDone,
  );
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        holding.mutate({ reason: wordsIn(event, "reason"), owner: wordsIn(event, "owner") });
      }}
    >
      <p className="text-soft">
        It is kept whatever its retention, until somebody lifts the hold. Both are noted in the audit log.
      </p>
      <Field
        label="Reason: all that it is held for"
        name="reason"
        maxLength={1000}
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      <Field
        label="Who answers for it"
        name="owner"
        maxLength={256}
        hint="A person, a department, a case. Left empty: you."
      />
      {holding.isError && <InlineProblem error={holding.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="primary" disabled={holding.isPending}>
          <Lock size={14} aria-hidden /> Hold it
        </Button>
      </div>
    </form>
  );
}

function ReleaseForm({
  recording,
  hold,
  onDone,
}: {
  recording: Recording;
  hold: LegalHold;
  onDone: () => void;
}) {
  const releasing = useKeeping(
    (reason: string) => gateway.recordings.release(recording.sessionId, { reason }),
    recording,
    onDone,
  );
  const [nowMs] = useState(() => Date.now());
  const isOver = recording.retainUntil !== null && Date.parse(recording.retainUntil) <= nowMs;
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        releasing.mutate(wordsIn(event, "reason"));
      }}
    >
      <p className="border-l-2 pl-3 text-soft wrap-anywhere">
        Held by {hold.by}: {hold.reason}
      </p>
      <p className={isOver ? "text-danger" : "text-soft"}>
        {isOver
          ? "Its retention is over: once the hold is lifted it is removed, which cannot be taken back."
          : "Its retention counts again."}
      </p>
      <Field
        label="Reason"
        name="reason"
        maxLength={1000}
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      {releasing.isError && <InlineProblem error={releasing.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="danger" disabled={releasing.isPending}>
          <LockOpen size={14} aria-hidden /> Lift the hold
        </Button>
      </div>
    </form>
  );
}
