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
        <AskForm
          terms={terms.data}
          logins={terms.data.logins}
          ask={(logins) => ({ kind: "target", targetId: terms.data.targetId, logins })}
        />
      </Dialog>
    </>
  );
}

/** For whoever may ask for a role, for a time. */
export function AskForRole() {
  const roles = useQuery(queries.askableRoles);
  const [asks, setAsks] = useState(false);
  const [chosen, setChosen] = useState("");
  const roleId = useId();
  const terms = roles.data?.find(({ role }) => role === chosen) ?? roles.data?.[0];
  if (!roles.data || !terms) return null;
  return (
    <>
      <Button onClick={() => setAsks(true)}>
        <Inbox size={15} aria-hidden /> Ask for a role
      </Button>
      <Dialog title="Ask for a role" isOpen={asks} onClose={() => setAsks(false)}>
        <div className="mb-3 grid gap-1 text-left">
          <label htmlFor={roleId} className="text-xs font-medium text-soft">
            Role
          </label>
          <select
            id={roleId}
            value={terms.role}
            onChange={(event) => setChosen(event.target.value)}
            className="h-8 rounded-md border border-strong bg-raised px-2"
          >
            {roles.data.map(({ role }) => (
              <option key={role}>{role}</option>
            ))}
          </select>
        </div>
        <AskForm key={terms.role} terms={terms} ask={() => ({ kind: "role", role: terms.role })} />
      </Dialog>
    </>
  );
}

type Asked<Request = RequestCreate> = Request extends unknown ? Omit<Request, "reason" | "minutes"> : never;

const none: readonly string[] = [];

/** The question to those who decide, with what the policy allows already in it. */
export function AskForm({
  terms,
  logins: possible = none,
  ask: asked,
}: {
  terms: Pick<RequestTerms, "approvals" | "minutesMax" | "reviewers" | "atExpiry">;
  /** Those that may be chosen from; none where it is about no target. */
  logins?: readonly string[];
  ask(logins: string[]): Asked;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const durationId = useId();
  const [logins, setLogins] = useState(() => possible.slice(0, 1));
  const spans = [...new Set([...usualMinutes.filter((one) => one < terms.minutesMax), terms.minutesMax])];
  const ask = useMutation({
    mutationFn: (form: FormData) =>
      gateway.requests.create({
        ...asked(logins),
        reason: String(form.get("reason") ?? "").trim(),
        minutes: Number(form.get("minutes")),
      }),
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
      {possible.length > 1 && (
        <fieldset className="grid gap-1">
          <legend className="mb-1 text-xs font-medium text-soft">As</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1">
            {possible.map((login) => (
              <label key={login} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  className="accent-accent"
                  checked={logins.includes(login)}
                  onChange={(event) =>
                    setLogins(
                      possible.filter((one) => (one === login ? event.target.checked : logins.includes(one))),
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
        {asked(logins).kind === "playback"
          ? "."
          : terms.atExpiry === "end"
            ? ", and sessions end with it."
            : "; sessions that are live at its end may finish."}
      </p>
      {ask.isError && <InlineProblem error={ask.error} />}
      <Button
        type="submit"
        tone="primary"
        disabled={ask.isPending || (possible.length > 0 && logins.length === 0)}
      >
        Ask
      </Button>
    </form>
  );
}
