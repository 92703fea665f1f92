import type { SignInAnswer } from "@gatehouse/contracts/rest";
import { useMutation } from "@tanstack/react-query";
import { gateway } from "../gateway.ts";
import { Button, Field } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

export function PasswordForm({ onAnswer }: { onAnswer: (answer: SignInAnswer) => Promise<void> }) {
  const signIn = useMutation({
    mutationFn: async (form: FormData) =>
      onAnswer(
        await gateway.auth.signInByPassword({
          name: String(form.get("name") ?? "").trim(),
          password: String(form.get("password") ?? ""),
        }),
      ),
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate(new FormData(event.currentTarget));
      }}
    >
      <Field
        label="Name"
        name="name"
        required
        maxLength={128}
        autoComplete="username"
        autoCapitalize="none"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is there for nothing else
        autoFocus
      />
      <Field
        label="Password"
        name="password"
        type="password"
        required
        maxLength={1024}
        autoComplete="current-password"
      />
      {signIn.isError && <InlineProblem error={signIn.error} />}
      <Button type="submit" tone="primary" disabled={signIn.isPending}>
        {signIn.isPending ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
