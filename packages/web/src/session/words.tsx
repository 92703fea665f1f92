import type { Session } from "@gatehouse/contracts/rest";
import { CircleAlert, CircleCheck, CircleDot, CloudUpload, Lock, ShieldAlert, Trash2 } from "lucide-react";
import { Badge } from "../ui/elements.tsx";

/** The state of a session, in a word. */
export function StateBadge({ state }: { state: Session["state"] }) {
  switch (state) {
    case "live":
      return (
        <Badge tone="live">
          <span aria-hidden className="size-1.5 rounded-full bg-accent motion-safe:animate-pulse" />
          live
        </Badge>
      );
    case "interrupted":
      return <Badge tone="attention">interrupted</Badge>;
    case "ended":
      return <Badge tone="plain">ended</Badge>;
  }
}

/** What each state of a recording promises, and what it does not. */
export const recordingWords: Record<Session["recording"]["state"], { name: string; means: string }> = {
  recording: { name: "recording", means: "On the gateway's journal; being written now." },
  shipping: {
    name: "on its way",
    means: "Complete and sealed on the gateway; not yet confirmed in the store.",
  },
  stored: { name: "stored", means: "In the store, read back, and its hash compared." },
  interrupted: {
    name: "interrupted",
    means: "The gateway stopped during the session. All that either side saw is here, up to the last moment.",
  },
  corrupt: {
    name: "corrupt",
    means: "Not all of what was recorded can be vouched for. What can be read is shown.",
  },
  held: { name: "on hold", means: "In the store, and kept there until its hold is lifted." },
  expired: {
    name: "expired",
    means: "Removed from the store when its retention was over. The audit log still has the session.",
  },
};

/** All of it is in the store: it will not grow any more. */
export const isAtRest = (state: Session["recording"]["state"]) => state === "stored" || state === "held";

const marks = {
  recording: { icon: CircleDot, style: "text-accent" },
  shipping: { icon: CloudUpload, style: "text-soft" },
  stored: { icon: CircleCheck, style: "text-soft" },
  interrupted: { icon: CircleAlert, style: "text-attention" },
  corrupt: { icon: ShieldAlert, style: "text-danger" },
  held: { icon: Lock, style: "text-soft" },
  expired: { icon: Trash2, style: "text-faint" },
} as const;

export function RecordingMark({ recording }: { recording: Session["recording"] }) {
  const { name, means } = recordingWords[recording.state];
  const { icon: Icon, style } = marks[recording.state];
  return (
    <span
      className={`inline-flex items-center gap-1.5 whitespace-nowrap ${style}`}
      title={recording.detail ?? means}
    >
      <Icon size={14} aria-hidden />
      {name}
    </span>
  );
}

const reasons: Record<string, string> = {
  closed: "closed",
  connection_lost: "the person's connection was lost",
  target_lost: "the target's connection was lost",
  idle_timeout: "idle for too long",
  max_duration: "reached its time limit",
  terminated: "ended by an administrator",
  recording_unavailable: "recording could not be guaranteed any longer",
  gateway_stopped: "the gateway was stopped",
  interrupted: "the gateway stopped unexpectedly",
  failed: "the target could not be reached, or refused",
};

/** How a session ended, in a sentence's end. */
export function endWords(session: Session): string {
  if (!session.end) return "still live";
  const { reason, detail, exitStatus, exitSignal } = session.end;
  const how = reasons[reason] ?? reason;
  const exit = exitSignal ? `, by signal ${exitSignal}` : exitStatus === null ? "" : `, exit ${exitStatus}`;
  return `${how}${exit}${detail ? `: ${detail}` : ""}`;
}
