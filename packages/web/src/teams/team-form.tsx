import type { Team } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { itemsOf } from "../pages/list.tsx";
import { Button, Field, IconButton } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";
import { useSettled } from "../ui/use-settled.ts";

type Member = Team["members"][number];

/** A new team, or with `team` all of one that is there but its name. */
export function TeamForm({ team, onDone }: { team?: Team | undefined; onDone: () => void }) {
  const client = useQueryClient();
  const [members, setMembers] = useState<readonly Member[]>(team?.members ?? []);
  const save = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      const change = {
        description: text("description"),
        members: members.map(({ userId, leads }) => ({ userId, leads })),
      };
      return team
        ? gateway.teams.update(team.id, change)
        : gateway.teams.create({ name: text("name"), ...change });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["teams"] });
      onDone();
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(new FormData(event.currentTarget));
      }}
    >
      {!team && <Field label="Name" name="name" required maxLength={64} placeholder="web" />}
      <Field
        label="Description"
        name="description"
        maxLength={1000}
        defaultValue={team?.description ?? ""}
        placeholder="Who they are, and what they run"
      />
      <fieldset className="grid gap-2">
        <legend className="mb-1 text-xs font-medium text-soft">Members</legend>
        {members.length > 0 && (
          <ul className="divide-y border-y">
            {members.map((member) => (
              <li key={member.userId} className="flex items-center gap-3 py-1">
                <span className="min-w-0 flex-1 truncate font-medium">{member.name}</span>
                <label className="flex items-center gap-2 text-soft">
                  <input
                    type="checkbox"
                    className="accent-accent"
                    aria-label={`${member.name} leads`}
                    checked={member.leads}
                    onChange={(event) =>
                      setMembers(
                        members.map((one) =>
                          one === member ? { ...member, leads: event.target.checked } : one,
                        ),
                      )
                    }
                  />
                  leads
                </label>
                <IconButton
                  label={`Take ${member.name} out`}
                  onClick={() => setMembers(members.filter((one) => one !== member))}
                >
                  <X size={15} />
                </IconButton>
              </li>
            ))}
          </ul>
        )}
        <AddMember
          without={members.map(({ userId }) => userId)}
          onAdd={(member) => setMembers([...members, member])}
        />
        <p className="text-xs text-faint">
          Who leads, and has the role team-lead, sees the sessions of the others and ends them.
        </p>
      </fieldset>
      {save.isError && <InlineProblem error={save.error} />}
      <Button type="submit" tone="primary" disabled={save.isPending}>
        {team ? "Save" : "Make the team"}
      </Button>
    </form>
  );
}

/** By name, proposed while it is written; Enter takes the first. */
function AddMember({ without, onAdd }: { without: readonly string[]; onAdd: (member: Member) => void }) {
  const listId = useId();
  const [typed, setTyped] = useState("");
  const q = useSettled(typed.trim());
  const people = useInfiniteQuery({ ...queries.people({ q, limit: 8 }), enabled: q !== "" });
  const found = q === "" ? [] : itemsOf(people).filter(({ id }) => !without.includes(id));
  const add = (index: number) => {
    const person = found[index];
    if (!person) return;
    onAdd({ userId: person.id, name: person.name, leads: false });
    setTyped("");
  };
  return (
    <div className="grid gap-1">
      <input
        aria-label="Add a person"
        placeholder="Add a person"
        autoComplete="off"
        spellCheck={false}
        aria-controls={listId}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add(0);
        }}
        className="h-8 rounded-md border border-strong bg-raised px-2.5 placeholder:text-faint"
      />
      <ul id={listId} aria-label="People found" className="flex flex-wrap gap-1">
        {typed.trim() !== "" &&
          found.map((person, index) => (
            <li key={person.id}>
              <Button onClick={() => add(index)}>{person.name}</Button>
            </li>
          ))}
      </ul>
    </div>
  );
}
