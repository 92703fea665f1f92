import type { Me } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { queries } from "../gateway.ts";

/** To whoever came by a one-time link and has nothing else to come by next time. */
export function SetUpNote({ me }: { me: Me }) {
  const facts = useQuery({ ...queries.signInFacts(me.id), enabled: me.method === "link" });
  if (me.method !== "link" || !facts.data || facts.data.password) return null;
  return (
    <p role="status" className="flex items-center gap-2 border-b bg-sunken px-4 py-1.5 text-xs text-soft">
      <KeyRound size={14} aria-hidden className="shrink-0" />
      <span>
        You came by a one-time link.{" "}
        <Link to="/account" className="font-medium text-accent underline underline-offset-2">
          Set a password
        </Link>{" "}
        to come back without one.
      </span>
    </p>
  );
}
