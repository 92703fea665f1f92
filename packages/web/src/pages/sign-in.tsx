import { isGatehouseError, messageOf } from "@gatehouse/kernel";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { ProviderButtons, ProviderProblem, takeProviderAnswer } from "../session/provider.tsx";
import { takePlace } from "../session/return-place.ts";
import { Gate } from "../shell/gate.tsx";
import { Button, Command } from "../ui/elements.tsx";

/** The token is in the fragment, which no browser sends, and leaves the address bar before anything else happens. */
function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
  return token;
}

type Step =
  | { is: "asking" }
  | { is: "exchanging" }
  | { is: "spent" }
  | { is: "failed"; error: unknown; token: string };

export function SignInPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [providerAnswer, setProviderAnswer] = useState<string>();
  const [step, setStep] = useState<Step>({ is: "asking" });

  const exchange = async (token: string) => {
    setStep({ is: "exchanging" });
    try {
      client.setQueryData(queries.me.queryKey, await gateway.auth.exchangeLink(token));
      await navigate({ href: takePlace(), replace: true });
    } catch (error) {
      setStep(isGatehouseError(error, "unauthenticated") ? { is: "spent" } : { is: "failed", error, token });
    }
  };
  useEffect(() => {
    const begin = () => {
      const answer = takeProviderAnswer();
      setProviderAnswer(answer);
      if (answer === "done") return void navigate({ href: takePlace(), replace: true });
      const token = takeToken();
      if (token !== undefined) void exchange(token);
    };
    begin();
    // A second link may be pasted into this same page.
    addEventListener("hashchange", begin);
    return () => removeEventListener("hashchange", begin);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once: a link can be used once
  }, []);

  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <div className="grid w-full max-w-md gap-6">
        <header className="flex items-center gap-3">
          <Gate className="size-7 text-accent" />
          <h1 className="text-xl tracking-tight">Gatehouse</h1>
        </header>
        {providerAnswer !== undefined && providerAnswer !== "done" && (
          <ProviderProblem answer={providerAnswer} />
        )}
        {step.is === "asking" && <ProviderButtons />}
        <div className="grid gap-3 border-t pt-5" role="status">
          {step.is === "asking" && (
            <>
              <h2 className="text-base">Sign in with a one-time link</h2>
              <p className="text-soft">
                There are no passwords here. Whoever runs this gateway makes a link for you, which works once:
              </p>
              <Command text="gatehouse users link <name>" />
              <p className="text-soft">Open the link that it prints in this browser.</p>
            </>
          )}
          {step.is === "exchanging" && <p className="text-soft">Signing in…</p>}
          {step.is === "spent" && (
            <>
              <h2 className="text-base">This link does not work any more</h2>
              <p className="text-soft">
                It was used already, or it has expired. If you did not use it yourself, tell whoever runs this
                gateway. A new one is made with
              </p>
              <Command text="gatehouse users link <name>" />
            </>
          )}
          {step.is === "failed" && (
            <>
              <h2 className="text-base">Signing in did not work</h2>
              <p className="text-soft">
                {messageOf(step.error)}. {isGatehouseError(step.error) ? step.error.hint : null}
              </p>
              <div>
                <Button tone="primary" onClick={() => void exchange(step.token)}>
                  Try again
                </Button>
              </div>
            </>
          )}
        </div>
      </div>
    </main>
  );
}
