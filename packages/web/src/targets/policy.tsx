import type { AccessPolicy, AllowedHours, Day, Reviewers, Target } from "@gatehouse/contracts/rest";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { Button, Field, IconButton } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

const days: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const workingDays: readonly Day[] = days.slice(0, 5);
type Windows = AllowedHours["windows"];
type Limit = "hours" | "networks" | "mfaWithinMinutes" | "requests" | "playback" | "watermark";

const zoneHere = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;
const textOf = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
const listOf = (form: FormData, name: string) =>
  textOf(form, name)
    .split(/[\s,]+/)
    .filter(Boolean);

/** What stands between somebody who may use the target and a session on it. What is not checked does not limit. */
export function TargetPolicy({ target, mayWrite }: { target: Target; mayWrite: boolean }) {
  const client = useQueryClient();
  const { access } = target;
  const [on, setOn] = useState<ReadonlySet<Limit>>(
    () =>
      new Set(
        (["hours", "networks", "mfaWithinMinutes", "requests", "playback", "watermark"] as const).filter(
          (limit) => access[limit] !== undefined && access[limit] !== false,
        ),
      ),
  );
  const [windows, setWindows] = useState<Windows>(
    access.hours?.windows ?? [{ days: [...workingDays], from: "08:00", to: "18:00" }],
  );
  const save = useMutation({
    mutationFn: (form: FormData) =>
      gateway.targets.update(target.id, { access: policyOf(form, access, on, windows) }),
    onSuccess: async (changed) => {
      client.setQueryData(queries.target(target.id).queryKey, changed);
      await client.invalidateQueries({ queryKey: ["targets"] });
    },
  });
  const limit = (name: Limit, title: string, fields: ReactNode) => (
    <fieldset className="grid gap-2 border-t py-3 first:border-t-0 first:pt-0">
      <label className="flex items-center gap-2 font-medium">
        <input
          type="checkbox"
          className="accent-accent"
          checked={on.has(name)}
          onChange={(event) => {
            const next = new Set(on);
            if (event.target.checked) next.add(name);
            else next.delete(name);
            setOn(next);
          }}
        />
        {title}
      </label>
      {on.has(name) && fields !== null && <div className="grid gap-3 pl-5.5">{fields}</div>}
    </fieldset>
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(new FormData(event.currentTarget));
      }}
    >
      <fieldset disabled={!mayWrite || save.isPending} className="grid min-w-0">
        {limit(
          "requests",
          "Can be asked for by those who may not use it",
          <>
            <div className="grid gap-3 sm:grid-cols-2">
              <Field
                label="Roles that may ask"
                name="askerRoles"
                defaultValue={(access.requests?.askers.roles ?? ["user"]).join(", ")}
              />
              <Field
                label="People who may ask"
                name="askerUsers"
                defaultValue={access.requests?.askers.users.join(", ") ?? ""}
              />
            </div>
            <ReviewerFields prefix="requests" reviewers={access.requests?.reviewers} roles="platform-admin" />
            <Numbers
              prefix="requests"
              approvals={access.requests?.approvals ?? 1}
              minutes={access.requests?.minutesMax ?? 480}
            />
            <Check name="warn" isChecked={access.requests?.atExpiry === "warn"}>
              Sessions that are live at its end may finish
            </Check>
          </>,
        )}
        {limit(
          "playback",
          "Recordings open only with a second person's approval",
          <>
            <ReviewerFields
              prefix="playback"
              reviewers={access.playback?.reviewers}
              roles="platform-admin, security-analyst, auditor"
            />
            <Numbers
              prefix="playback"
              approvals={access.playback?.approvals ?? 1}
              minutes={access.playback?.minutesMax ?? 60}
            />
          </>,
        )}
        {limit("watermark", "Whoever looks at a session sees their own name over it", null)}
        {limit(
          "mfaWithinMinutes",
          "Asks for a recent second factor",
          <Field
            label="Given within, minutes"
            name="mfaWithinMinutes"
            type="number"
            required
            min={1}
            max={7 * 24 * 60}
            defaultValue={access.mfaWithinMinutes ?? 60}
          />,
        )}
        {limit(
          "hours",
          "Open at these hours only",
          <>
            <Field label="Time zone" name="zone" required defaultValue={access.hours?.zone ?? zoneHere()} />
            <WindowRows windows={windows} onChange={setWindows} />
          </>,
        )}
        {limit(
          "networks",
          "Open to these networks only",
          <Field
            label="Networks"
            name="networks"
            required
            placeholder="10.0.0.0/8"
            defaultValue={access.networks?.join(", ") ?? ""}
          />,
        )}
        {access.statements && (
          <p className="border-t py-3 text-xs text-faint">
            {access.statements.rules.length} rules about statements stand beside these, and stay as they are:
            gatehouse targets policy {target.name}
          </p>
        )}
        {save.isError && <InlineProblem error={save.error} />}
        {mayWrite && (
          <div className="flex items-center justify-end gap-3">
            {save.isSuccess && (
              <span role="status" className="text-soft">
                Saved
              </span>
            )}
            <Button type="submit">Save the policy</Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}

function policyOf(
  form: FormData,
  before: AccessPolicy,
  on: ReadonlySet<Limit>,
  windows: Windows,
): AccessPolicy {
  const reviewersOf = (prefix: string): Reviewers => ({
    roles: listOf(form, `${prefix}Roles`),
    users: listOf(form, `${prefix}Users`),
    teamLeads: form.get(`${prefix}Leads`) === "on",
  });
  const numbersOf = (prefix: string) => ({
    approvals: Number(form.get(`${prefix}Approvals`)),
    minutesMax: Number(form.get(`${prefix}Minutes`)),
  });
  return {
    ...(before.statements && { statements: before.statements }),
    ...(on.has("hours") && { hours: { zone: textOf(form, "zone"), windows } }),
    ...(on.has("networks") && { networks: listOf(form, "networks") }),
    ...(on.has("mfaWithinMinutes") && { mfaWithinMinutes: Number(form.get("mfaWithinMinutes")) }),
    ...(on.has("requests") && {
      requests: {
        askers: { roles: listOf(form, "askerRoles"), users: listOf(form, "askerUsers") },
        reviewers: reviewersOf("requests"),
        ...numbersOf("requests"),
        atExpiry: form.get("warn") === "on" ? ("warn" as const) : ("end" as const),
      },
    }),
    ...(on.has("watermark") && { watermark: true }),
    ...(on.has("playback") && {
      playback: { reviewers: reviewersOf("playback"), ...numbersOf("playback") },
    }),
  };
}

function Check({ name, isChecked, children }: { name: string; isChecked: boolean; children: ReactNode }) {
  return (
    <label className="flex items-center gap-2">
      <input type="checkbox" name={name} defaultChecked={isChecked} className="accent-accent" />
      {children}
    </label>
  );
}

function ReviewerFields({
  prefix,
  reviewers,
  roles,
}: {
  prefix: string;
  reviewers: Reviewers | undefined;
  roles: string;
}) {
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field
          label="Roles that decide"
          name={`${prefix}Roles`}
          defaultValue={reviewers?.roles.join(", ") ?? roles}
        />
        <Field
          label="People who decide"
          name={`${prefix}Users`}
          defaultValue={reviewers?.users.join(", ") ?? ""}
        />
      </div>
      <Check name={`${prefix}Leads`} isChecked={reviewers?.teamLeads ?? false}>
        Whoever leads a team of the person who asks decides too
      </Check>
    </>
  );
}

function Numbers({ prefix, approvals, minutes }: { prefix: string; approvals: number; minutes: number }) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field
        label="How many must approve"
        name={`${prefix}Approvals`}
        type="number"
        required
        min={1}
        max={10}
        defaultValue={approvals}
      />
      <Field
        label="For at most, minutes"
        name={`${prefix}Minutes`}
        type="number"
        required
        min={1}
        max={prefix === "playback" ? 7 * 24 * 60 : 30 * 24 * 60}
        defaultValue={minutes}
      />
    </div>
  );
}

const timeStyle = "h-8 w-20 rounded-md border border-strong bg-raised px-2 tabular-nums";

function WindowRows({ windows, onChange }: { windows: Windows; onChange: (windows: Windows) => void }) {
  const id = useId();
  const set = (at: number, change: Partial<Windows[number]>) =>
    onChange(windows.map((one, index) => (index === at ? { ...one, ...change } : one)));
  return (
    <div className="grid gap-2">
      {windows.map((window, at) => (
        <div
          // oxlint-disable-next-line react/no-array-index-key -- windows have no name but their place
          key={`${id}-${at}`}
          role="group"
          aria-label={`Window ${at + 1}`}
          className="flex flex-wrap items-center gap-x-3 gap-y-1"
        >
          {days.map((day) => (
            <label key={day} className="flex items-center gap-1">
              <input
                type="checkbox"
                className="accent-accent"
                checked={window.days.includes(day)}
                onChange={(event) =>
                  set(at, {
                    days: days.filter((one) =>
                      one === day ? event.target.checked : window.days.includes(one),
                    ),
                  })
                }
              />
              {day}
            </label>
          ))}
          <span className="flex items-center gap-1.5">
            <input
              aria-label="From"
              value={window.from}
              placeholder="08:00"
              onChange={(event) => set(at, { from: event.target.value })}
              className={timeStyle}
            />
            to
            <input
              aria-label="To"
              value={window.to}
              placeholder="18:00"
              onChange={(event) => set(at, { to: event.target.value })}
              className={timeStyle}
            />
            {windows.length > 1 && (
              <IconButton
                label={`Take window ${at + 1} away`}
                onClick={() => onChange(windows.filter((_, index) => index !== at))}
              >
                <X size={15} />
              </IconButton>
            )}
          </span>
        </div>
      ))}
      <Button
        tone="quiet"
        className="justify-self-start"
        onClick={() => onChange([...windows, { days: [...workingDays], from: "08:00", to: "18:00" }])}
      >
        <Plus size={14} aria-hidden /> Another window
      </Button>
    </div>
  );
}
