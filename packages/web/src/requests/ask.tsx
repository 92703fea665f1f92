import type { RequestCreate, RequestTerms } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Inbox } from "lucide-react";
import { useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field } from "../ui/elements.tsx";
import { spanWords } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { reviewerWords } from "./words.tsx";

const usualMinutes = [15, 30, 60, 120, 240, 480, 1440, 3 * 1440, 7 * 1440, 14 * 1440];
const proposedMinutes = 60;

/** For whoever may ask for this target by its policy. */
export function AskForTarget({ targetId, isPrimary }: { targetId: string; isPrimary: boolean }) {
  const terms = useQuery(queries.requestTermsOfTarget(targetId));
  const [asks, setAsks] = useState(false);
  if (!terms.data || terms.data.logins.length === 0) return null;
  return (
    <>
      <Button tone={isPrimary ? "primary" : "plain"} onClick={() => setAsks(true)}>
        <Inbox size={15} aria-hidden /> Ask for access
      </Button>
      <Dialog title={`Ask for ${terms.data.targetName}`} isOpen={asks} onClose={() => setAsks(false)}>
        <AskForm terms={terms.data} />
      </Dialog>
    </>
  );
}

/** The question to those who decide, with what the policy allows already in it. */
export function AskForm({ terms, sessionId }: { terms: RequestTerms; sessionId?: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const durationId = useId();
  const [logins, setLogins] = useState(() => terms.logins.slice(0, 1));
  const spans = [...new Set([...usualMinutes.filter((one) => one < terms.minutesMax), terms.minutesMax])];
  const ask = useMutation({
    mutationFn: (form: FormData) => {
      const asked = {
        reason: String(form.get("reason") ?? "").trim(),
        minutes: Number(form.get("minutes")),
      };
      const request: RequestCreate =
        sessionId === undefined
          ? { kind: "target", targetId: terms.targetId, logins, ...asked }
          : { kind: "playback", sessionId, ...asked };
      return gateway.requests.create(request);
    },
    onSuccess: async (request) => {
      await client.invalidateQueries({ queryKey: ["requests"] });
      await navigate({ to: "/requests/$requestId", params: { requestId: request.id } });
    },
  });
  return (
    <form
      className="grid gap-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(new FormData(event.currentTarget));
      }}
    >
      <Field
        label="Reason"
        name="reason"
        required
        maxLength={1000}
        placeholder="INC-4711: what is to be done"
        hint="Those who decide read it, and it stands in the audit log"
      />
      {terms.logins.length > 1 && (
        <fieldset className="grid gap-1">
          <legend className="mb-1 text-xs font-medium text-soft">As</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1">
            {terms.logins.map((login) => (
              <label key={login} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  className="accent-accent"
                  checked={logins.includes(login)}
                  onChange={(event) =>
                    setLogins(
                      terms.logins.filter((one) =>
                        one === login ? event.target.checked : logins.includes(one),
                      ),
                    )
                  }
                />
                {login}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <div className="grid gap-1">
        <label htmlFor={durationId} className="text-xs font-medium text-soft">
          For
        </label>
        <select
          id={durationId}
          name="minutes"
          defaultValue={Math.min(proposedMinutes, terms.minutesMax)}
          className="h-8 rounded-md border border-strong bg-raised px-2"
        >
          {spans.map((minutes) => (
            <option key={minutes} value={minutes}>
              {spanWords(minutes)}
              {minutes === terms.minutesMax ? ", the most" : ""}
            </option>
          ))}
        </select>
      </div>
      <p className="text-xs text-faint">
        {terms.approvals === 1 ? "One person decides" : `${terms.approvals} people must approve`}:{" "}
        {reviewerWords(terms.reviewers)}. The time begins with their approval
        {sessionId !== undefined
          ? "."
          : terms.atExpiry === "end"
            ? ", and sessions end with it."
            : "; sessions that are live at its end may finish."}
      </p>
      {ask.isError && <InlineProblem error={ask.error} />}
      <Button
        type="submit"
        tone="primary"
        disabled={ask.isPending || (sessionId === undefined && logins.length === 0)}
      >
        Ask
      </Button>
    </form>
  );
}
