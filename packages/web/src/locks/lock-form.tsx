import type { Lock, LockSet } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LockKeyhole } from "lucide-react";
import { useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { itemsOf } from "../pages/list.tsx";
import { lockedThings } from "../search.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Field, Time } from "../ui/elements.tsx";
import { spanWords } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { useSettled } from "../ui/use-settled.ts";
import { sessionWords, shutWords, thingWords } from "./words.ts";

const spansMinutes = [60, 480, 1440, 7 * 1440];
const selectStyle = "h-8 w-full rounded-md border border-strong bg-raised px-2";

/** On a page of somebody or something: shuts it in three keystrokes and a reason. */
export function LockButton({ on, name }: { on: Lock["on"]; name: string }) {
  const [asks, setAsks] = useState(false);
  return (
    <>
      <Button tone="danger" onClick={() => setAsks(true)}>
        <LockKeyhole size={15} aria-hidden /> Lock
      </Button>
      <Dialog title={`Lock ${name}`} isOpen={asks} onClose={() => setAsks(false)}>
        <LockForm given={{ on, name }} onDone={() => setAsks(false)} />
      </Dialog>
    </>
  );
}

/** What is shut, why, and until when; under it, what will become of whom. `given` is known already. */
export function LockForm({
  given,
  onDone,
}: {
  given?: { on?: Lock["on"]; name?: string };
  onDone: () => void;
}) {
  const client = useQueryClient();
  const fieldId = useId();
  const [on, setOn] = useState<Lock["on"]>(given?.on ?? "user");
  const [typed, setTyped] = useState(given?.name ?? "");
  const name = typed.trim();
  const isGiven = given?.on !== undefined && given.name !== undefined;
  const set = useMutation({
    mutationFn: (form: FormData) => {
      const minutes = Number(form.get("minutes"));
      const reason = String(form.get("reason") ?? "").trim();
      return gateway.locks.create({ on, name, reason, ...(minutes > 0 && { seconds: minutes * 60 }) });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["locks"] }),
  });
  if (set.data) return <Done set={set.data} onDone={onDone} />;
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        set.mutate(new FormData(event.currentTarget));
      }}
    >
      {!isGiven && (
        <div className="grid grid-cols-[8rem_minmax(0,1fr)] gap-3">
          <div className="grid content-start gap-1">
            <label htmlFor={`${fieldId}-on`} className="text-xs font-medium text-soft">
              What
            </label>
            <select
              id={`${fieldId}-on`}
              value={on}
              onChange={(event) => setOn(lockedThings.find((one) => one === event.target.value) ?? "user")}
              className={selectStyle}
            >
              {lockedThings.map((thing) => (
                <option key={thing} value={thing}>
                  {thingWords[thing]}
                </option>
              ))}
            </select>
          </div>
          <Field
            label={on === "address" ? "Address or network" : "Name"}
            required
            maxLength={128}
            list={`${fieldId}-names`}
            placeholder={on === "address" ? "10.0.0.0/8" : undefined}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
            autoFocus
          />
          <Names id={`${fieldId}-names`} on={on} name={name} />
        </div>
      )}
      <Field
        label="Reason, told to whoever is refused"
        name="reason"
        required
        maxLength={1000}
        placeholder="INC-4711: lost laptop"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write this
        autoFocus={isGiven}
      />
      <div className="grid gap-1">
        <label htmlFor={`${fieldId}-until`} className="text-xs font-medium text-soft">
          Until
        </label>
        <select id={`${fieldId}-until`} name="minutes" defaultValue="0" className={selectStyle}>
          <option value="0">Somebody lifts it</option>
          {spansMinutes.map((minutes) => (
            <option key={minutes} value={minutes}>
              In {spanWords(minutes)}
            </option>
          ))}
        </select>
      </div>
      <Consequences on={on} name={name} />
      {set.isError && <InlineProblem error={set.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="danger" disabled={set.isPending || name === ""}>
          <LockKeyhole size={15} aria-hidden /> Lock {name}
        </Button>
      </div>
    </form>
  );
}

/** Proposed while it is written. */
function Names({ id, on, name }: { id: string; on: Lock["on"]; name: string }) {
  const q = useSettled(name);
  const people = useInfiniteQuery({ ...queries.people({ q, limit: 8 }), enabled: on === "user" && q !== "" });
  const targets = useInfiniteQuery({
    ...queries.targets({ q, limit: 8 }),
    enabled: on === "target" && q !== "",
  });
  const roles = useQuery({ ...queries.roles, enabled: on === "role" });
  const names = {
    user: itemsOf(people),
    target: itemsOf(targets),
    role: roles.data?.items ?? [],
    login: [],
    address: [],
  }[on];
  return (
    <datalist id={id}>
      {names.map((one) => (
        <option key={one.name}>{one.name}</option>
      ))}
    </datalist>
  );
}

function Consequences({ on, name }: { on: Lock["on"]; name: string }) {
  const settled = useSettled(name);
  const preview = useQuery({ ...queries.lockPreview({ on, name: settled }), enabled: settled !== "" });
  if (settled === "" || !preview.data) return null;
  const { sessions, fault } = preview.data;
  if (fault !== null)
    return (
      <p role="status" className="text-attention">
        It cannot be set: {fault}.
      </p>
    );
  return (
    <p role="status" className="rounded-md border border-danger/40 bg-danger-paper px-3 py-2">
      {shutWords(on, settled)}{" "}
      {sessions === 0 ? (
        "No live session ends by it now."
      ) : (
        <strong className="font-semibold text-danger">
          {sessionWords(sessions)} {sessions === 1 ? "ends" : "end"} at once.
        </strong>
      )}
    </p>
  );
}

function Done({ set: { lock, ended }, onDone }: { set: LockSet; onDone: () => void }) {
  return (
    <div className="grid gap-4">
      <p role="status">
        <strong className="font-semibold">{lock.name} is locked</strong>
        {lock.until !== null && (
          <>
            {" "}
            until <Time iso={lock.until} />
          </>
        )}
        . {ended.length === 0 ? "Nothing of it was live here." : `${sessionWords(ended.length)} ended.`}
      </p>
      <div className="flex justify-end">
        {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- nothing else is left to do */}
        <Button tone="primary" autoFocus onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}
