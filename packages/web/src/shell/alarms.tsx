import type { Me, RecordingAlarms } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ShieldAlert } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field, Time } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

type Alarm = RecordingAlarms["items"][number];

/** Over every page, until somebody has taken note of it: a recording that was found damaged. */
export function Alarms({ me }: { me: Me }) {
  const { data } = useQuery({ ...queries.alarms, enabled: me.may.includes("health.read") });
  const [showsAll, setShowsAll] = useState(false);
  const [asked, setAsked] = useState<Alarm>();
  const close = () => setAsked(undefined);
  const alarms = data?.items ?? [];
  const [newest, ...others] = alarms;
  if (!newest) return null;
  return (
    <section
      aria-label="Damaged recordings"
      className="max-h-[40dvh] shrink-0 overflow-y-auto border-b border-danger/40 bg-danger-paper px-4 py-1.5 text-xs"
    >
      <div role="alert">
        <ul className="grid gap-1">
          {(showsAll ? alarms : [newest]).map((alarm) => (
            <li key={alarm.sessionId} className="flex items-center gap-2">
              <ShieldAlert size={14} aria-hidden className="shrink-0 text-danger" />
              <p className="min-w-0 flex-1 wrap-anywhere">
                <Link
                  to="/sessions/$sessionId"
                  params={{ sessionId: alarm.sessionId }}
                  className="font-medium text-danger underline underline-offset-2"
                >
                  {alarm.user === null
                    ? "A recording was found damaged"
                    : `${alarm.user} on ${alarm.target}: the recording was found damaged`}
                </Link>{" "}
                <span className="text-soft">
                  <Time iso={alarm.foundAt} />, {alarm.detail}
                </span>
              </p>
              {me.may.includes("recording.acknowledge") && (
                <Button tone="danger" className="shrink-0 text-xs" onClick={() => setAsked(alarm)}>
                  Acknowledge
                </Button>
              )}
            </li>
          ))}
        </ul>
      </div>
      {others.length > 0 && (
        <button
          type="button"
          aria-expanded={showsAll}
          onClick={() => setShowsAll(!showsAll)}
          className="mt-1 ml-5.5 font-medium text-danger underline underline-offset-2"
        >
          {showsAll ? "Show the newest only" : `${others.length} more`}
        </button>
      )}
      <Dialog title="Acknowledge" isOpen={asked !== undefined} onClose={close}>
        {asked && <AcknowledgeForm alarm={asked} onDone={close} />}
      </Dialog>
    </section>
  );
}

function AcknowledgeForm({ alarm, onDone }: { alarm: Alarm; onDone: () => void }) {
  const client = useQueryClient();
  const acknowledging = useMutation({
    mutationFn: (reason: string) => gateway.recordings.acknowledge(alarm.sessionId, { reason }),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: ["alarms"] });
    },
    onError: () => void client.invalidateQueries({ queryKey: ["alarms"] }),
  });
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const reason = new FormData(event.currentTarget).get("reason");
        if (typeof reason === "string") acknowledging.mutate(reason.trim());
      }}
    >
      <p className="border-l-2 pl-3 text-soft wrap-anywhere">{alarm.detail}</p>
      <p className="text-soft">
        The alarm ends for everybody, and your name stands in the audit log. The recording stays as it is: one
        that does not verify stays <em>corrupt</em>.
      </p>
      <Field
        label="What was found out, or is done about it"
        name="reason"
        maxLength={1000}
        required
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus
      />
      {acknowledging.isError && <InlineProblem error={acknowledging.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="danger" disabled={acknowledging.isPending}>
          Acknowledge it
        </Button>
      </div>
    </form>
  );
}
