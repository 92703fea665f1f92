import type { ApiToken, ApiTokenMade } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useId, useState } from "react";
import { ActionChecks } from "../access/checks.tsx";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Command, Field, Time } from "../ui/elements.tsx";
import { ago, spanWords } from "../ui/format.ts";
import { Removal } from "../ui/removal.tsx";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";
import { useNow } from "../ui/use-now.ts";

const soonMs = 14 * 86_400_000;
const spansDays = [7, 30, 90, 180, 366];

/** What programs sign in with as this person: only they make them, and the secret is seen once. */
export function Tokens({
  personId,
  isOwn,
  mayWrite,
}: {
  personId: string;
  isOwn: boolean;
  mayWrite: boolean;
}) {
  const query = useQuery(queries.tokens(personId));
  const [adds, setAdds] = useState(false);
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={1} />;
  return (
    <div className="grid gap-3">
      {query.data.items.length === 0 ? (
        <p className="text-soft">None.</p>
      ) : (
        <ul aria-label="API tokens" className="divide-y border-y">
          {query.data.items.map((token) => (
            <li key={token.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
              <TokenWords token={token} />
              {mayWrite && <Revoke personId={personId} token={token} />}
            </li>
          ))}
        </ul>
      )}
      {isOwn && (
        <>
          <Button className="justify-self-start" onClick={() => setAdds(true)}>
            <Plus size={15} aria-hidden /> Make a token
          </Button>
          <Dialog title="Make a token" isOpen={adds} onClose={() => setAdds(false)}>
            <MakeToken personId={personId} onDone={() => setAdds(false)} />
          </Dialog>
        </>
      )}
    </div>
  );
}

export function TokenWords({ token }: { token: ApiToken }) {
  const endsSoon = Date.parse(token.expiresAt) - useNow() < soonMs;
  return (
    <>
      <span className="min-w-0 flex-1 basis-64">
        <span className="font-medium">{token.name}</span>
        <span className="block font-mono text-xs break-words text-faint">{token.scopes.join(" ")}</span>
      </span>
      <span className="text-xs text-soft sm:text-end">
        <span className={endsSoon ? "text-attention" : undefined}>
          until <Time iso={token.expiresAt} />
        </span>
        <span className="block text-faint">
          {token.lastUsedAt === null ? "never used" : `used ${ago(token.lastUsedAt)}`}
        </span>
      </span>
    </>
  );
}

export function Revoke({ personId, token }: { personId: string; token: ApiToken }) {
  const client = useQueryClient();
  return (
    <Removal
      what={token.name}
      verb="Revoke"
      className="max-sm:ml-auto"
      means="Programs that use it are refused from now on."
      remove={async () => {
        await gateway.tokens.remove(personId, token.id);
        await client.invalidateQueries({ queryKey: ["tokens"] });
      }}
    />
  );
}

function MakeToken({ personId, onDone }: { personId: string; onDone: () => void }) {
  const client = useQueryClient();
  const daysId = useId();
  const [scopes, setScopes] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: (form: FormData) =>
      gateway.tokens.create(personId, {
        name: String(form.get("name") ?? "").trim(),
        scopes,
        days: Number(form.get("days")),
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (make.data) return <Made made={make.data} onDone={onDone} />;
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(new FormData(event.currentTarget));
      }}
    >
      <div className="grid grid-cols-[minmax(0,1fr)_7rem] gap-3">
        <Field label="What it is for" name="name" required maxLength={64} placeholder="deploy pipeline" />
        <div className="grid content-start gap-1">
          <label htmlFor={daysId} className="text-xs font-medium text-soft">
            Ends in
          </label>
          <select
            id={daysId}
            name="days"
            defaultValue="90"
            className="h-8 rounded-md border border-strong bg-raised px-2"
          >
            {spansDays.map((days) => (
              <option key={days} value={days}>
                {spanWords(days * 1440)}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        tabIndex={0}
        role="group"
        aria-label="What it may do"
        className="max-h-[45dvh] overflow-y-auto rounded-md border p-3"
      >
        <ActionChecks chosen={scopes} onChange={setScopes} />
      </div>
      <p className="text-xs text-faint">
        It may do what is checked, as far as you may yourself when it asks.
      </p>
      {make.isError && <InlineProblem error={make.error} />}
      <Button type="submit" tone="primary" disabled={make.isPending || scopes.length === 0}>
        Make it
      </Button>
    </form>
  );
}

function Made({ made, onDone }: { made: ApiTokenMade; onDone: () => void }) {
  return (
    <div className="grid gap-3">
      <p role="status">
        This is <strong className="font-semibold">{made.name}</strong>, until <Time iso={made.expiresAt} />.
        Copy it now: it is not shown again.
      </p>
      <Command text={made.token} what="token" />
      <p className="text-xs text-faint">A program shows it as: Authorization: Bearer, and the token.</p>
      <div className="flex justify-end">
        <Button onClick={onDone}>I have it</Button>
      </div>
    </div>
  );
}
