import type { Me, SecondStep, SignInAnswer, WayIn } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { ProviderButton, ProviderProblem, takeProviderAnswer } from "../session/provider.tsx";
import { takePlace } from "../session/return-place.ts";
import { Gate } from "../shell/gate.tsx";
import { Enrolment } from "../sign-in/enrolment.tsx";
import { PasskeyWay } from "../sign-in/passkey-way.tsx";
import { PasswordForm } from "../sign-in/password-form.tsx";
import { SecondStepForm } from "../sign-in/second-step.tsx";
import { Button, Command } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

/** The token is in the fragment, which no browser sends, and leaves the address bar before anything else happens. */
function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (location.hash !== "") history.replaceState(history.state, "", location.pathname);
  return token;
}

type Step =
  | { is: "asking" }
  | { is: "exchanging" }
  | { is: "second"; step: SecondStep }
  | { is: "spent" }
  | { is: "failed"; error: unknown; token: string };

export function SignInPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [providerAnswer, setProviderAnswer] = useState<string>();
  const [step, setStep] = useState<Step>({ is: "asking" });
  const ways = useQuery(queries.waysIn);
  const providers = ways.data?.filter((way) => way.kind === "provider") ?? [];
  const own = ways.data?.filter((way) => way.kind !== "provider") ?? [];

  const enter = async (me: Me) => {
    // What somebody else saw here before must not show through.
    client.clear();
    client.setQueryData(queries.me.queryKey, me);
    await navigate({ href: takePlace(), replace: true });
  };
  const goOn = async (answer: SignInAnswer) => {
    if ("needs" in answer) setStep({ is: "second", step: answer });
    else await enter(answer);
  };
  const exchange = async (token: string) => {
    setStep({ is: "exchanging" });
    try {
      await goOn(await gateway.auth.exchangeLink(token));
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
      <div className="grid w-full max-w-sm gap-6">
        <header className="flex items-center gap-3">
          <Gate className="size-7 text-accent" />
          <h1 className="text-xl tracking-tight">Gatehouse</h1>
        </header>
        {providerAnswer !== undefined && providerAnswer !== "done" && (
          <ProviderProblem answer={providerAnswer} />
        )}
        {step.is === "asking" &&
          providers.map(({ name, url }) => <ProviderButton key={url} name={name} url={url} />)}
        <div className="grid gap-4 border-t pt-5">
          <div className="grid gap-3" role="status">
            {step.is === "exchanging" && <p className="text-soft">Signing in…</p>}
            {step.is === "spent" && (
              <>
                <h2 className="text-base">This link does not work any more</h2>
                <p className="text-soft">
                  It was used already, or it has expired. If you did not use it yourself, tell whoever runs
                  this gateway. A new one is made with
                </p>
                <Command text="gatehouse users link <name>" />
              </>
            )}
            {step.is === "failed" && (
              <>
                <h2 className="text-base">Signing in did not work</h2>
                <InlineProblem error={step.error} />
                <div>
                  <Button tone="primary" onClick={() => void exchange(step.token)}>
                    Try again
                  </Button>
                </div>
              </>
            )}
          </div>
          {step.is === "second" && step.step.needs === "enrolment" && (
            <Enrolment step={step.step} onEnter={enter} />
          )}
          {step.is === "second" && step.step.needs === "second_factor" && (
            <SecondStepForm step={step.step} onEnter={enter} onAgain={() => setStep({ is: "asking" })} />
          )}
          {step.is !== "exchanging" && step.is !== "second" && (
            <div className="grid gap-6">
              {ways.isError && <InlineProblem error={ways.error} />}
              {own
                .filter(({ kind }) => kind !== "link" || step.is === "asking")
                .map((way) => (
                  <Way key={way.kind} way={way} isOnly={own.length === 1} onAnswer={goOn} onEnter={enter} />
                ))}
            </div>
          )}
        </div>
      </div>
    </main>
  );
}

/** One way in. Another kind is another line here. */
function Way({
  way,
  isOnly,
  onAnswer,
  onEnter,
}: {
  way: Exclude<WayIn, { kind: "provider" }>;
  isOnly: boolean;
  onAnswer: (answer: SignInAnswer) => Promise<void>;
  onEnter: (me: Me) => Promise<void>;
}) {
  switch (way.kind) {
    case "password":
      return <PasswordForm onAnswer={onAnswer} />;
    case "passkey":
      return <PasskeyWay onEnter={onEnter} />;
    case "link":
      return <LinkWay isOpen={isOnly} />;
  }
}

function LinkWay({ isOpen }: { isOpen: boolean }) {
  return (
    <details open={isOpen} className="group">
      <summary className="cursor-pointer text-soft hover:text-ink">
        {isOpen ? "Sign in with a one-time link" : "No password yet, or forgotten?"}
      </summary>
      <div className="grid gap-3 pt-3">
        <p className="text-soft">
          Whoever runs this gateway makes a link for you, which works once and lets you set a password:
        </p>
        <Command text="gatehouse users link <name>" />
        <p className="text-soft">Open the link that it prints in this browser.</p>
      </div>
    </details>
  );
}
