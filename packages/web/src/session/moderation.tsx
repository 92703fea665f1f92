import type { Session } from "@gatehouse/contracts/rest";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CirclePause, CirclePlay, OctagonX } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

type Act = "pause" | "resume" | "terminate";

/** The person and the account, as a sentence says them. */
export function passageWords({ user, login, target }: Session): string {
  return `${user.name} as ${login} on ${target.name}`;
}

/** Stop what the person types, let it pass again, end the session: each only for those who may, with a reason. */
export function ModerationButtons({ session }: { session: Session }) {
  const [asked, setAsked] = useState<Act>();
  const { live } = session;
  if (session.state !== "live" || !live) return null;
  const close = () => setAsked(undefined);
  return (
    <>
      {live.may.includes("session.pause") && !live.isEnding && (
        <Button onClick={() => setAsked(live.paused ? "resume" : "pause")}>
          {live.paused ? <CirclePlay size={15} aria-hidden /> : <CirclePause size={15} aria-hidden />}
          {live.paused ? "Resume input" : "Pause input"}
        </Button>
      )}
      {live.may.includes("session.terminate") && (
        <Button tone="danger" disabled={live.isEnding} onClick={() => setAsked("terminate")}>
          <OctagonX size={15} aria-hidden /> {live.isEnding ? "Ending…" : "Terminate"}
        </Button>
      )}
      <Dialog
        title={asked === "terminate" ? "Terminate" : asked === "resume" ? "Resume input" : "Pause input"}
        isOpen={asked !== undefined}
        onClose={close}
      >
        {asked === "terminate" ? (
          <TerminateForm session={session} onDone={close} />
        ) : (
          <PauseForm session={session} act={asked === "resume" ? "resume" : "pause"} onDone={close} />
        )}
      </Dialog>
    </>
  );
}

/** What was done is what is shown at once; lists learn of it when they look next. */
export function useAct<T>(act: (how: T) => Promise<Session>, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async (session) => {
      client.setQueryData(queries.session(session.id).queryKey, session);
      onDone();
      await client.invalidateQueries({ queryKey: ["sessions"] });
    },
    // It may have ended meanwhile, or somebody else was quicker: the page then shows how it is.
    onError: () => void client.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

function PauseForm({
  session,
  act,
  onDone,
}: {
  session: Session;
  act: "pause" | "resume";
  onDone: () => void;
}) {
  const doing = useAct(
    (reason: string) =>
      act === "pause"
        ? gateway.sessions.pause(session.id, { reason })
        : gateway.sessions.resume(session.id, reason === "" ? {} : { reason }),
    onDone,
  );
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        doing.mutate(wordsOf(event.currentTarget, "reason"));
      }}
    >
      <p className="text-soft">
        {act === "pause"
          ? `Nothing that ${session.user.name} types will reach ${session.target.name}; it is dropped, and they are told. What ${session.target.name} prints goes on.`
          : `What ${session.user.name} types will reach ${session.target.name} again. What was typed meanwhile is gone.`}
      </p>
      <Field
        label={act === "pause" ? "Reason, shown to them" : "Reason (may be left out)"}
        name="reason"
        maxLength={1000}
        required={act === "pause"}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      {doing.isError && <InlineProblem error={doing.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="primary" disabled={doing.isPending}>
          {act === "pause" ? "Pause input" : "Resume input"}
        </Button>
      </div>
    </form>
  );
}

const graces = [
  { seconds: 0, name: "At once" },
  { seconds: 30, name: "In 30 seconds, with a warning" },
  { seconds: 300, name: "In 5 minutes, with a warning" },
] as const;

/** Two steps: what and why, then once more with the whole of it in words. */
function TerminateForm({ session, onDone }: { session: Session; onDone: () => void }) {
  const [how, setHow] = useState<{ reason: string; graceSeconds: number }>();
  const doing = useAct(
    (chosen: { reason: string; graceSeconds: number }) =>
      gateway.sessions.terminate(session.id, {
        reason: chosen.reason,
        ...(chosen.graceSeconds > 0 && { graceSeconds: chosen.graceSeconds, warning: chosen.reason }),
      }),
    onDone,
  );
  if (how)
    return (
      <div className="grid gap-4">
        <p>
          End the session of <strong className="font-semibold">{passageWords(session)}</strong>
          {how.graceSeconds === 0 ? " now" : `: ${graceWords(how.graceSeconds)}`}? Their connection is closed
          and what runs in it is cut off. This cannot be taken back.
        </p>
        <p className="border-l-2 pl-3 text-soft break-words">{how.reason}</p>
        {doing.isError && <InlineProblem error={doing.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setHow(undefined)}>Back</Button>
          <Button
            tone="danger"
            disabled={doing.isPending}
            // oxlint-disable-next-line jsx-a11y/no-autofocus -- the second step of two
            autoFocus
            onClick={() => doing.mutate(how)}
          >
            <OctagonX size={15} aria-hidden /> End the session
          </Button>
        </div>
      </div>
    );
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const reason = wordsOf(event.currentTarget, "reason");
        if (reason !== "")
          setHow({ reason, graceSeconds: Number(wordsOf(event.currentTarget, "grace")) || 0 });
      }}
    >
      <Field
        label="Reason, shown to them and kept with the session"
        name="reason"
        maxLength={1000}
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      <fieldset className="grid gap-1">
        <legend className="mb-1 text-xs font-medium text-soft">When</legend>
        {graces.map(({ seconds, name }) => (
          <label key={seconds} className="flex items-center gap-2">
            <input type="radio" name="grace" value={seconds} defaultChecked={seconds === 0} /> {name}
          </label>
        ))}
      </fieldset>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="danger">
          Go on
        </Button>
      </div>
    </form>
  );
}

function graceWords(seconds: number): string {
  return (graces.find((one) => one.seconds === seconds)?.name ?? "").toLowerCase();
}

export function wordsOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}
