import type { SteppedUp } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { gateway, queries } from "../gateway.ts";
import { Button, Field } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { mayUsePasskeys, showPasskey } from "./passkey.ts";

/** Giving a second factor once more, for what asks for one given of late. */
export function StepUp({ personId }: { personId: string }) {
  const client = useQueryClient();
  const me = useQuery(queries.me);
  const factors = useQuery(queries.factors(personId));
  const step = useMutation({
    mutationFn: async (shown: () => Promise<SteppedUp>) => {
      // What is asked meanwhile would carry the cookie that ends here.
      await client.cancelQueries();
      return shown();
    },
    onSuccess: async ({ me: renewed }) => {
      client.setQueryData(queries.me.queryKey, renewed);
      await client.invalidateQueries();
    },
  });
  if (!me.data || !factors.data || factors.data.items.length === 0) return null;
  const { mfaAt } = me.data;
  const hasPasskey = factors.data.items.some(({ kind }) => kind === "passkey");
  return (
    <div className="grid gap-3">
      <p className="text-soft">
        {mfaAt === null ? "None was given in this sign-in." : `Given ${ago(mfaAt)} in this sign-in.`}
      </p>
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const code = String(new FormData(form).get("code") ?? "");
          step.mutate(async () => {
            const stepped = await gateway.factors.stepUp({ code });
            form.reset();
            return stepped;
          });
        }}
      >
        <Field label="Code" name="code" required minLength={6} maxLength={64} autoComplete="one-time-code" />
        <Button type="submit" disabled={step.isPending}>
          Give it
        </Button>
        {hasPasskey && mayUsePasskeys && (
          <Button
            disabled={step.isPending}
            onClick={() =>
              step.mutate(async () =>
                gateway.factors.stepUp(await showPasskey(await gateway.factors.stepUpByPasskey())),
              )
            }
          >
            Use a passkey
          </Button>
        )}
      </form>
      {step.isError && <InlineProblem error={step.error} />}
    </div>
  );
}
