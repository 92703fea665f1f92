import type { Me, SecondStep } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { useMutation } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { mayUsePasskeys, showPasskey } from "../account/passkey.ts";
import { gateway } from "../gateway.ts";
import { Button, Field } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

/** What comes after a password or a link, for whoever has a second factor. */
export function SecondStepForm({
  step,
  onEnter,
  onAgain,
}: {
  step: SecondStep;
  onEnter: (me: Me) => Promise<void>;
  onAgain: () => void;
}) {
  const show = useMutation({
    mutationFn: async (code: string) =>
      onEnter(await gateway.auth.secondFactor({ ticket: step.ticket, code })),
  });
  const passkey = useMutation({
    mutationFn: async () => {
      const asked = await gateway.auth.secondFactorByPasskey({ ticket: step.ticket });
      await onEnter(await gateway.auth.secondFactor(await showPasskey(asked)));
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        show.mutate(String(new FormData(event.currentTarget).get("code") ?? ""));
      }}
    >
      <h2 className="text-base">One step more</h2>
      <Field
        label="Code"
        name="code"
        required
        minLength={6}
        maxLength={64}
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        hint={
          step.ways.includes("totp")
            ? "Six digits of your authenticator app, or a recovery code."
            : "One of your recovery codes."
        }
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is there for nothing else
        autoFocus
      />
      {show.isError && <InlineProblem error={show.error} />}
      <div className="flex gap-2">
        <Button type="submit" tone="primary" disabled={show.isPending}>
          {show.isPending ? "Signing in…" : "Sign in"}
        </Button>
        <Button tone="quiet" onClick={onAgain}>
          Begin again
        </Button>
      </div>
      {step.ways.includes("passkey") && mayUsePasskeys && (
        <Button className="justify-self-start" disabled={passkey.isPending} onClick={() => passkey.mutate()}>
          <KeyRound size={15} aria-hidden /> Use a passkey
        </Button>
      )}
      {passkey.isError && <InlineProblem error={passkey.error} />}
      {isGatehouseError(show.error, "unauthenticated") && (
        <p className="text-xs text-faint">
          Lost the device and the codes? An administrator can reset your second factors.
        </p>
      )}
    </form>
  );
}
