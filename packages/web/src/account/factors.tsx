import type { Factor } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Pencil, Smartphone, Trash2 } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field, IconButton, Time } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";
import { AddFactor } from "./add-factor.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";

/** Second factors: one's own to add, name and remove; somebody else's to reset. */
export function Factors({
  personId,
  isOwn,
  mayReset,
}: {
  personId: string;
  isOwn: boolean;
  mayReset: boolean;
}) {
  const client = useQueryClient();
  const query = useQuery(queries.factors(personId));
  const [codes, setCodes] = useState<readonly string[]>();
  const [named, setNamed] = useState<Factor>();
  const renew = () => client.invalidateQueries({ queryKey: ["factors", personId] });
  const remove = useMutation({
    mutationFn: (id: string) => gateway.factors.remove(personId, id),
    onSuccess: renew,
  });
  const reset = useMutation({
    mutationFn: () => gateway.factors.reset(personId),
    onSuccess: () => Promise.all([renew(), client.invalidateQueries({ queryKey: ["sign-ins", personId] })]),
  });
  const other = useMutation({
    mutationFn: () => gateway.factors.renewRecoveryCodes(),
    onSuccess: async ({ recoveryCodes }) => {
      setCodes(recoveryCodes);
      await renew();
    },
  });
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={1} />;
  const { items, recoveryCodesLeft, required } = query.data;
  const problem = remove.error ?? reset.error ?? other.error;
  return (
    <div className="grid gap-4">
      {items.length === 0 ? (
        <p className="text-soft">None{required ? ", and one is required here" : ""}.</p>
      ) : (
        <ul className="divide-y border-y">
          {items.map((factor) => (
            <li key={factor.id} className="flex items-center gap-x-3 py-1.5">
              {factor.kind === "totp" ? (
                <Smartphone size={16} aria-hidden className="shrink-0 text-faint" />
              ) : (
                <KeyRound size={16} aria-hidden className="shrink-0 text-faint" />
              )}
              <span className="min-w-0">
                <span className="block truncate font-medium">{factor.name}</span>
                <span className="block text-xs text-faint">
                  {factor.kind === "totp" ? "authenticator app" : "passkey"}, added{" "}
                  <Time iso={factor.createdAt} />
                </span>
              </span>
              <span className="ml-auto text-right text-xs text-faint">
                {factor.lastUsedAt === null ? "never used" : `used ${ago(factor.lastUsedAt)}`}
              </span>
              {isOwn && (
                <IconButton label={`Rename ${factor.name}`} onClick={() => setNamed(factor)}>
                  <Pencil size={15} />
                </IconButton>
              )}
              {(isOwn || mayReset) && (
                <IconButton
                  label={`Remove ${factor.name}`}
                  disabled={remove.isPending}
                  onClick={() => remove.mutate(factor.id)}
                >
                  <Trash2 size={15} />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
      )}
      {problem && <InlineProblem error={problem} />}
      {isOwn && (
        <AddFactor
          offerTotp={gateway.factors.offerTotp}
          offerPasskey={gateway.factors.offerPasskey}
          add={async (added) => {
            const { recoveryCodes } = await gateway.factors.add(added);
            if (recoveryCodes) setCodes(recoveryCodes);
            await renew();
          }}
        />
      )}
      {codes && <RecoveryCodes codes={codes} />}
      {items.length > 0 && (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-2 text-soft">
          {recoveryCodesLeft} recovery {recoveryCodesLeft === 1 ? "code" : "codes"} left.
          {isOwn && (
            <Button tone="quiet" disabled={other.isPending} onClick={() => other.mutate()}>
              Make others
            </Button>
          )}
          {mayReset && !isOwn && (
            <Button
              tone="danger"
              className="ml-auto"
              disabled={reset.isPending}
              onClick={() => reset.mutate()}
            >
              Reset all, and end their sign-ins
            </Button>
          )}
        </p>
      )}
      <Rename factor={named} onDone={() => setNamed(undefined)} onSaved={renew} />
    </div>
  );
}

function Rename({
  factor,
  onDone,
  onSaved,
}: {
  factor: Factor | undefined;
  onDone: () => void;
  onSaved: () => Promise<void>;
}) {
  const save = useMutation({
    mutationFn: (name: string) => gateway.factors.rename(factor?.id ?? "", { name }),
    onSuccess: async () => {
      await onSaved();
      onDone();
    },
  });
  return (
    <Dialog title={`Rename ${factor?.name ?? ""}`} isOpen={factor !== undefined} onClose={onDone}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(String(new FormData(event.currentTarget).get("name") ?? ""));
        }}
      >
        <Field label="What you call it" name="name" required maxLength={64} defaultValue={factor?.name} />
        {save.isError && <InlineProblem error={save.error} />}
        <Button type="submit" className="justify-self-end" disabled={save.isPending}>
          Save
        </Button>
      </form>
    </Dialog>
  );
}
