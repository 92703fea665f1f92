import type { CommandSignInAnswer } from "@gatehouse/contracts/rest";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Badge, Button } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/approve");

type Named = Omit<CommandSignInAnswer, "approve">;

/** Where a command line asks to be signed in: by its link on this machine, or by the code that it shows elsewhere. */
export function ApprovePage() {
  const { request } = route.useSearch();
  const [typed, setTyped] = useState<string>();
  const named: Named | undefined =
    request !== undefined ? { id: request } : typed === undefined ? undefined : { userCode: typed };
  return (
    <>
      <PageHead title="Sign in on the command line" />
      <div className="grid max-w-xl gap-4 px-4 pb-10">
        {named === undefined ? (
          <CodeForm onCode={setTyped} />
        ) : (
          <Asked key={JSON.stringify(named)} named={named} onAgain={() => setTyped(undefined)} />
        )}
      </div>
    </>
  );
}

function CodeForm({ onCode }: { onCode: (code: string) => void }) {
  const fieldId = useId();
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onCode(String(new FormData(event.currentTarget).get("code") ?? ""));
      }}
    >
      <label htmlFor={fieldId} className="text-soft">
        The code that your terminal shows
      </label>
      <div className="flex gap-2">
        <input
          id={fieldId}
          name="code"
          required
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          placeholder="ABCD-EFGH"
          className="h-9 w-44 rounded-md border border-strong bg-raised px-2.5 font-mono tracking-wider uppercase placeholder:text-faint"
        />
        <Button type="submit" tone="primary">
          Continue
        </Button>
      </div>
    </form>
  );
}

function Asked({ named, onAgain }: { named: Named; onAgain: () => void }) {
  const me = useQuery(queries.me);
  const asked = useQuery({
    queryKey: ["command-sign-in", named],
    queryFn: ({ signal }) => gateway.commandSignIn.get(named, { signal }),
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const answer = useMutation({
    mutationFn: (approve: boolean) => gateway.commandSignIn.answer({ ...named, approve }),
    onSuccess: ({ returnTo }) => {
      if (returnTo !== null) location.assign(returnTo);
    },
  });
  if (asked.isError)
    return (
      <div className="grid justify-items-start gap-3">
        <InlineProblem error={asked.error} />
        {named.userCode !== undefined && <Button onClick={onAgain}>Type another code</Button>}
      </div>
    );
  if (!asked.data || !me.data) return <SkeletonRows rows={3} />;
  if (answer.isSuccess)
    return (
      <p role="status">
        {answer.variables
          ? "Signed in. Go back to your terminal; this page can be closed."
          : "Refused. Nobody was signed in."}
      </p>
    );
  const { client, remoteAddress, ownMachine, createdAt } = asked.data;
  return (
    <div className="grid gap-4">
      <p>
        A command line asks to act as <strong>{me.data.name}</strong>, with all that you may do.
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 border-y py-3">
        <dt className="text-soft">Machine, as it says</dt>
        <dd className="font-mono break-all">{client}</dd>
        <dt className="text-soft">From</dt>
        <dd className="font-mono">{remoteAddress}</dd>
        <dt className="text-soft">Asked</dt>
        <dd>{ago(createdAt)}</dd>
      </dl>
      {!ownMachine && (
        <p>
          <Badge tone="attention">Was it you?</Badge> Approve only if you began this yourself just now.
          Whoever gave you the code would be signed in as you.
        </p>
      )}
      {answer.isError && <InlineProblem error={answer.error} />}
      <div className="flex gap-2">
        <Button tone="primary" disabled={answer.isPending} onClick={() => answer.mutate(true)}>
          Sign it in
        </Button>
        <Button disabled={answer.isPending} onClick={() => answer.mutate(false)}>
          Refuse
        </Button>
      </div>
    </div>
  );
}
