import type { Session } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { LockKeyhole } from "lucide-react";
import { queries } from "../gateway.ts";

/** Says that something is missing where nothing would show it: what was typed, under keys that are not here. */
export function SealedNote({ session }: { session: Session }) {
  const { data } = useQuery(queries.recording(session.id));
  // A recording that cannot be opened at all says so in the player's place.
  if (session.state === "live" || !data?.withheld.includes("input") || data.withheld.includes("output"))
    return null;
  return (
    <p role="note" className="flex items-center gap-2 px-4 pb-2 text-xs text-soft">
      <LockKeyhole size={14} aria-hidden />
      What was typed is sealed for others and left out here. Export the sealed bundle and play it with their
      key.
    </p>
  );
}
