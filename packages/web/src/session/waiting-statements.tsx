import type { Session, WaitingStatement } from "@gatehouse/contracts/rest";
import { Check, Hourglass, X } from "lucide-react";
import { useState } from "react";
import { gateway } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field, Time } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";
import { passageWords, useAct, wordsOf } from "./moderation.tsx";

type Decision = "approve" | "deny";

/** Statements that wait until somebody else has decided about them, for those who may: what they are, and what they would do. */
export function WaitingStatements({ session }: { session: Session }) {
  const waiting = session.live?.waiting ?? [];
  if (waiting.length === 0) return null;
  return (
    <ul aria-label="Statements that wait for an approval" className="grid basis-full gap-2">
      {waiting.map((one) => (
        <Waiting key={one.statement} session={session} waiting={one} />
      ))}
    </ul>
  );
}

function Waiting({ session, waiting }: { session: Session; waiting: WaitingStatement }) {
  const [asked, setAsked] = useState<Decision>();
  const { statement, rule, text, until, plan, planMissing } = waiting;
  const close = () => setAsked(undefined);
  return (
    <li className="rounded-md border border-attention/50 bg-raised p-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p className="min-w-0 flex-1 basis-60">
          <Hourglass size={14} aria-hidden className="mr-1.5 inline align-[-2px] text-attention" />
          This statement waits for an approval, by the rule <strong className="font-semibold">{rule}</strong>
          <span className="text-soft">
            , until <Time iso={until} />
          </span>
        </p>
        <div className="flex gap-2">
          <Button onClick={() => setAsked("approve")}>
            <Check size={15} aria-hidden /> Approve
          </Button>
          <Button tone="danger" onClick={() => setAsked("deny")}>
            <X size={15} aria-hidden /> Deny
          </Button>
        </div>
      </div>
      <Code text={text} label={`Statement ${statement}`} />
      {plan === null ? (
        <p className="mt-2 text-xs text-soft">
          {planMissing === null ? "The database is being asked for its plan." : `No plan: ${planMissing}.`}
        </p>
      ) : (
        <details className="mt-2" open>
          <summary className="cursor-pointer text-xs text-soft">What the database would do</summary>
          <Code text={plan} label="Plan" />
        </details>
      )}
      <Dialog
        title={asked === "deny" ? "Deny this statement" : "Approve this statement"}
        isOpen={asked !== undefined}
        onClose={close}
      >
        <ReviewForm session={session} waiting={waiting} decision={asked ?? "deny"} onDone={close} />
      </Dialog>
    </li>
  );
}

function Code({ text, label }: { text: string; label: string }) {
  return (
    <pre
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and must for whoever has no mouse
      tabIndex={0}
      className="mt-2 max-h-60 overflow-auto rounded-md border bg-sunken p-2 font-mono text-xs whitespace-pre-wrap wrap-anywhere"
    >
      {text}
    </pre>
  );
}

function ReviewForm({
  session,
  waiting: { statement, text },
  decision,
  onDone,
}: {
  session: Session;
  waiting: WaitingStatement;
  decision: Decision;
  onDone: () => void;
}) {
  const doing = useAct(
    (comment: string) =>
      gateway.sessions.review(session.id, statement, {
        decision,
        ...(comment !== "" && { comment }),
      }),
    onDone,
  );
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        doing.mutate(wordsOf(event.currentTarget, "comment"));
      }}
    >
      <p className="text-soft">
        {decision === "approve"
          ? `It is run at once, for ${passageWords(session)}.`
          : `It is not run. ${session.user.name} is told that you denied it.`}
      </p>
      <Code text={text} label="Statement" />
      <Field
        label="Comment, shown to them and kept (may be left out)"
        name="comment"
        maxLength={1000}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      {doing.isError && <InlineProblem error={doing.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone={decision === "deny" ? "danger" : "primary"} disabled={doing.isPending}>
          {decision === "approve" ? "Approve and run" : "Deny"}
        </Button>
      </div>
    </form>
  );
}
