import type { Me } from "@gatehouse/contracts/rest";
import { useMutation } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { mayUsePasskeys, showPasskey } from "../account/passkey.ts";
import { gateway } from "../gateway.ts";
import { Button } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

/** Without a name: the passkey says who it is. */
export function PasskeyWay({ onEnter }: { onEnter: (me: Me) => Promise<void> }) {
  const signIn = useMutation({
    mutationFn: async () =>
      onEnter(await gateway.auth.signInByPasskey(await showPasskey(await gateway.auth.passkeyOptions()))),
  });
  if (!mayUsePasskeys) return null;
  return (
    <div className="grid gap-2">
      <Button disabled={signIn.isPending} onClick={() => signIn.mutate()}>
        <KeyRound size={15} aria-hidden /> Sign in with a passkey
      </Button>
      {signIn.isError && <InlineProblem error={signIn.error} />}
    </div>
  );
}
