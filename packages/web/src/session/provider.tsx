import { LogIn } from "lucide-react";

const key = "gatehouse.provider";

/** What the gate says of a sign-in with the identity provider, taken out of the address. */
export function takeProviderAnswer(): string | undefined {
  const answer = new URLSearchParams(location.hash.slice(1)).get("provider") ?? undefined;
  if (answer === undefined) return undefined;
  history.replaceState(history.state, "", location.pathname);
  if (answer === "done") localStorage.setItem(key, "yes");
  return answer;
}

/** Once: whether this browser signed in with the provider, and must sign out there too. */
export function takeProviderSession(): boolean {
  const signedIn = localStorage.getItem(key) !== null;
  localStorage.removeItem(key);
  return signedIn;
}
export const providerSignOutUrl = "/api/v1/auth/oidc/logout";

const words: Readonly<Record<string, string>> = {
  denied:
    "The identity provider's answer, or the rules of this gateway, do not let you in. Whoever runs it finds the reason in the audit log.",
  unauthenticated: "This sign-in was used already, took too long, or began in another browser. Begin again.",
  unavailable: "The identity provider does not answer. Try again in a while.",
};

export function ProviderProblem({ answer }: { answer: string }) {
  return (
    <p role="alert" className="text-danger">
      {words[answer] ?? "Signing in did not work. Try again."}
    </p>
  );
}

export function ProviderButton({ name, url }: { name: string; url: string }) {
  return (
    <a
      href={url}
      className="inline-flex h-9 items-center justify-center gap-2 rounded-md border border-strong bg-raised px-3 font-medium hover:bg-chosen"
    >
      <LogIn size={16} aria-hidden /> Sign in with {name}
    </a>
  );
}
