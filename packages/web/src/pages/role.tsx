import type { Role, Statement } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Pencil, Plus } from "lucide-react";
import { useId, useState } from "react";
import { builtInWords } from "../access/role-words.ts";
import { ActionChecks } from "../access/checks.tsx";
import { parseSelector, selectorText, statementWords } from "../access/selector.ts";
import { gateway, queries } from "../gateway.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Button, Field, Time } from "../ui/elements.tsx";
import { Removal } from "../ui/removal.tsx";
import { Empty, InlineProblem, Problem, SkeletonRows } from "../ui/states.tsx";
import { PageHead, Part } from "./page-head.tsx";

const route = getRouteApi("/shell/roles/$roleName");
/** Who may ask and who decides is said by policies; a role cannot allow it. */
const neverByRole = ["request.create", "request.review"];
const isAboutTargets = (action: string) => /^(session|recording)\./.test(action);
const everyTarget = { "*": ["*"] };

export function RolePage() {
  const { roleName } = route.useParams();
  const me = useQuery(queries.me);
  const query = useQuery(queries.roles);
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data || !me.data) return <SkeletonRows />;
  const role = query.data.items.find(({ name }) => name === roleName);
  if (!role) return <Empty title={`There is no role ${roleName}`} />;
  const mayWrite = me.data.may.includes("role.write") && !role.builtIn;
  return (
    <>
      <PeopleRooms />
      <PageHead title={role.name} note={role.builtIn ? <Badge tone="plain">built in</Badge> : undefined}>
        {mayWrite && <RemoveRole role={role} />}
      </PageHead>
      <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] px-4 pb-10">
        <Part
          title="May"
          note={role.builtIn ? "Cannot be changed." : "Together. What no statement allows is refused."}
        >
          {role.builtIn ? (
            <ul className="divide-y border-y">
              {(builtInWords[role.name] ?? [role.description]).map((words) => (
                <li key={words} className="py-1.5">
                  {words}
                </li>
              ))}
            </ul>
          ) : (
            <Statements role={role} mayWrite={mayWrite} />
          )}
        </Part>
        {!role.builtIn && (
          <Part title="Description" note="For who gives it.">
            <Description key={role.description} role={role} mayWrite={mayWrite} />
          </Part>
        )}
        {role.updatedAt !== null && (
          <p className="pt-4 text-xs text-faint">
            Last changed <Time iso={role.updatedAt} />. It is given and taken on a person's page.
          </p>
        )}
      </div>
    </>
  );
}

function useSet(role: Role, onDone?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Pick<Role, "description" | "statements">>) =>
      gateway.roles.set(role.name, {
        description: role.description,
        statements: role.statements,
        ...change,
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["roles"] });
      onDone?.();
    },
  });
}

function Statements({ role, mayWrite }: { role: Role; mayWrite: boolean }) {
  /** Which of them is written; their count for a new one. */
  const [edited, setEdited] = useState<number>();
  const set = useSet(role);
  const { statements } = role;
  return (
    <div className="grid gap-3">
      {statements.length === 0 && (
        <p className="text-soft">
          Nothing by itself: a name for people, which targets and policies can mean.
        </p>
      )}
      {statements.length > 0 && (
        <ol className="divide-y border-y">
          {statements.map((statement, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- statements have no name but their place
            <li key={index} className="flex flex-wrap items-center gap-x-2 py-1.5">
              <span className="min-w-0 flex-1 basis-64 break-words">{statementWords(statement)}</span>
              {mayWrite && (
                <span className="flex max-sm:ml-auto">
                  <Button tone="quiet" aria-label={`Change ${index + 1}`} onClick={() => setEdited(index)}>
                    <Pencil size={14} aria-hidden /> Change
                  </Button>
                  <Removal
                    what={`statement ${index + 1}`}
                    means={`Whoever has the role may no longer: ${statementWords(statement)}.`}
                    remove={() => set.mutateAsync({ statements: statements.filter((_, at) => at !== index) })}
                  />
                </span>
              )}
            </li>
          ))}
        </ol>
      )}
      {mayWrite && (
        <Button className="justify-self-start" onClick={() => setEdited(statements.length)}>
          <Plus size={15} aria-hidden /> Allow something
        </Button>
      )}
      <Dialog
        title={`What ${role.name} may`}
        isOpen={edited !== undefined}
        onClose={() => setEdited(undefined)}
      >
        {edited !== undefined && (
          <StatementForm role={role} index={edited} onDone={() => setEdited(undefined)} />
        )}
      </Dialog>
    </div>
  );
}

function StatementForm({ role, index, onDone }: { role: Role; index: number; onDone: () => void }) {
  const labelsId = useId();
  const before: Statement = role.statements[index] ?? { actions: [] };
  const [actions, setActions] = useState<string[]>(before.actions);
  const [where, setWhere] = useState<"every" | "some">(
    before.targets === undefined || selectorText(before.targets) === selectorText(everyTarget)
      ? "every"
      : "some",
  );
  const set = useSet(role, onDone);
  const [fault, setFault] = useState<unknown>();
  const about = actions.filter(isAboutTargets);
  const needsTargets = about.length > 0;
  // A statement with targets allows nothing that is not about one: what is mixed is written as two, but for one that was so before.
  const wasMixed = before.targets !== undefined && !before.actions.every(isAboutTargets);
  const apart = needsTargets && !wasMixed ? actions.filter((action) => !isAboutTargets(action)) : [];
  const opens = actions.includes("session.open");
  const save = (form: FormData) => {
    try {
      const logins = String(form.get("logins") ?? "")
        .split(/[\s,]+/)
        .filter(Boolean);
      const statement: Statement = {
        actions: apart.length > 0 ? about : actions,
        ...(needsTargets && {
          targets: where === "every" ? everyTarget : parseSelector(String(form.get("labels") ?? "")),
        }),
        ...(opens && { logins }),
      };
      setFault(undefined);
      const written = apart.length > 0 ? [statement, { actions: apart }] : [statement];
      set.mutate({ statements: role.statements.toSpliced(index, 1, ...written) });
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        save(new FormData(event.currentTarget));
      }}
    >
      <div
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        tabIndex={0}
        role="group"
        aria-label="What is allowed"
        className="max-h-[45dvh] overflow-y-auto rounded-md border p-3"
      >
        <ActionChecks chosen={actions} without={neverByRole} onChange={setActions} />
      </div>
      {needsTargets && (
        <fieldset className="grid gap-1.5">
          <legend className="mb-1 text-xs font-medium text-soft">On</legend>
          <label className="flex items-center gap-2">
            <input
              type="radio"
              name="where"
              className="accent-accent"
              checked={where === "every"}
              onChange={() => setWhere("every")}
            />
            every target
          </label>
          <label className="flex items-center gap-2">
            <input
              type="radio"
              name="where"
              className="accent-accent"
              checked={where === "some"}
              onChange={() => setWhere("some")}
            />
            targets with these labels
          </label>
          {where === "some" && (
            <div className="grid gap-1">
              <textarea
                id={labelsId}
                name="labels"
                aria-label="Labels"
                required
                rows={2}
                spellCheck={false}
                placeholder="tier=db, cache"
                defaultValue={before.targets ? selectorText(before.targets) : ""}
                className="rounded-md border border-strong bg-raised px-2.5 py-1.5 font-mono text-xs placeholder:text-faint"
              />
              <p className="text-xs text-faint">
                One label a line with the values that fit; a target must have every label. <code>*</code> is
                any value.
              </p>
            </div>
          )}
        </fieldset>
      )}
      {opens && (
        <Field
          label="As"
          name="logins"
          required
          defaultValue={before.logins?.join(", ") ?? ""}
          placeholder="readonly"
          hint="Accounts on the target; * is each of its own"
        />
      )}
      {(fault !== undefined || set.isError) && <InlineProblem error={fault ?? set.error} />}
      <Button type="submit" tone="primary" disabled={set.isPending || actions.length === 0}>
        Set
      </Button>
    </form>
  );
}

function Description({ role, mayWrite }: { role: Role; mayWrite: boolean }) {
  const set = useSet(role);
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        set.mutate({
          description: String(new FormData(event.currentTarget).get("description") ?? "").trim(),
        });
      }}
    >
      <Field
        label="Description"
        name="description"
        maxLength={1000}
        defaultValue={role.description}
        disabled={!mayWrite}
      />
      {set.isError && <InlineProblem error={set.error} />}
      {mayWrite && (
        <Button type="submit" className="justify-self-end" disabled={set.isPending}>
          Save
        </Button>
      )}
    </form>
  );
}

function RemoveRole({ role }: { role: Role }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <Removal
      what={role.name}
      means="It can be removed when nobody has it any more. Targets and policies that name it mean nobody by it then."
      remove={async () => {
        await gateway.roles.remove(role.name);
        await client.invalidateQueries({ queryKey: ["roles"] });
        await navigate({ to: "/roles" });
      }}
    />
  );
}
