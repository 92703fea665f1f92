import type { FactorAdd, PasskeyOptions, TotpOffer } from "@gatehouse/contracts/rest";
import { useMutation } from "@tanstack/react-query";
import { KeyRound, Smartphone } from "lucide-react";
import { useState } from "react";
import { Button, CopyButton, Field } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";
import { makePasskey, mayUsePasskeys } from "./passkey.ts";
import { QrCode } from "./qr-code.tsx";

/** Adding a second factor: the same while signing in and on the account page. */
export function AddFactor({
  offerTotp,
  offerPasskey,
  add,
}: {
  offerTotp: () => Promise<TotpOffer>;
  offerPasskey: () => Promise<PasskeyOptions>;
  add: (added: FactorAdd) => Promise<void>;
}) {
  const [offer, setOffer] = useState<TotpOffer>();
  const app = useMutation({ mutationFn: async () => setOffer(await offerTotp()) });
  const passkey = useMutation({
    mutationFn: async () => add(await makePasskey(await offerPasskey(), "passkey")),
  });
  const confirm = useMutation({
    mutationFn: async (form: FormData) => {
      if (!offer) return;
      const said = String(form.get("name") ?? "").trim();
      await add({
        ticket: offer.ticket,
        name: said === "" ? "authenticator app" : said,
        code: String(form.get("code") ?? ""),
      });
      setOffer(undefined);
    },
  });
  if (offer)
    return (
      <form
        className="grid max-w-sm gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          confirm.mutate(new FormData(event.currentTarget));
        }}
      >
        <p className="text-soft">
          Point your authenticator app at this, or type the secret into it. It is not shown again.
        </p>
        <QrCode text={offer.uri} label="QR code with the secret" />
        <p className="flex items-center gap-2">
          <code className="min-w-0 font-mono text-xs break-all" data-testid="totp-secret">
            {offer.secret}
          </code>
          <CopyButton text={offer.secret} label="Copy the secret" />
        </p>
        <Field label="What you call it" name="name" maxLength={64} placeholder="authenticator app" />
        <Field
          label="Code that the app shows"
          name="code"
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={16}
        />
        {confirm.isError && <InlineProblem error={confirm.error} />}
        <div className="flex gap-2">
          <Button type="submit" tone="primary" disabled={confirm.isPending}>
            Add it
          </Button>
          <Button tone="quiet" onClick={() => setOffer(undefined)}>
            Not now
          </Button>
        </div>
      </form>
    );
  const problem = app.error ?? passkey.error;
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap gap-2">
        <Button disabled={app.isPending} onClick={() => app.mutate()}>
          <Smartphone size={15} aria-hidden /> Add an authenticator app
        </Button>
        {mayUsePasskeys && (
          <Button disabled={passkey.isPending} onClick={() => passkey.mutate()}>
            <KeyRound size={15} aria-hidden /> Add a passkey
          </Button>
        )}
      </div>
      {problem && <InlineProblem error={problem} />}
    </div>
  );
}
