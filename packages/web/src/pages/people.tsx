import type { Person } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { RoleChoice } from "../people/roles.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Button, Field } from "../ui/elements.tsx";
import { Committed } from "../ui/filters.tsx";
import { ago } from "../ui/format.ts";
import { Empty, InlineProblem } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/people");

export function PeoplePage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/people" });
  const me = useQuery(queries.me);
  const query = useInfiniteQuery(queries.people(search));
  const [adds, setAdds] = useState(false);
  const items = itemsOf(query);
  const open = (person: Person | undefined) => {
    if (person) void navigate({ to: "/people/$personId", params: { personId: person.id } });
  };
  const chosen = useRowKeys(items.length, (index) => open(items[index]));
  return (
    <>
      <PeopleRooms />
      <PageHead title="People">
        <Committed
          label="Name"
          value={search.q}
          onCommit={(q) => void navigate({ search: q === "" ? {} : { q }, replace: true })}
          className="w-44"
        />
        {me.data?.may.includes("person.write") && (
          <Button tone="primary" onClick={() => setAdds(true)}>
            <Plus size={15} aria-hidden /> Add a person
          </Button>
        )}
      </PageHead>
      <ListBody query={query} empty={<Empty title={search.q ? `Nobody with “${search.q}”` : "Nobody yet"} />}>
        {(all) => (
          <table className="w-full border-t">
            <thead className="sticky top-0 bg-paper">
              <tr className="text-xs text-faint [&>th]:h-8 [&>th]:border-b [&>th]:px-2 [&>th:first-child]:pl-4">
                <th scope="col">Name</th>
                <th scope="col" className="max-md:hidden">
                  Called
                </th>
                <th scope="col">Roles</th>
                <th scope="col" className="text-end! max-sm:hidden">
                  SSH keys
                </th>
                <th scope="col" className="pl-6! max-sm:hidden">
                  Last seen
                </th>
              </tr>
            </thead>
            <tbody className="divide-y border-b">
              {all.map((person, index) => (
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
                <tr
                  key={person.id}
                  data-row={index}
                  data-chosen={index === chosen || undefined}
                  onClick={() => open(person)}
                  className="h-9 cursor-pointer transition-colors hover:bg-hover data-chosen:bg-chosen [&>td]:px-2 [&>td:first-child]:pl-4"
                >
                  <td className="font-medium">
                    <Link
                      to="/people/$personId"
                      params={{ personId: person.id }}
                      onClick={(event) => event.stopPropagation()}
                    >
                      {person.name}
                    </Link>
                    {person.disabled && (
                      <span className="ml-2">
                        <Badge tone="attention">shut out</Badge>
                      </span>
                    )}
                  </td>
                  <td className="text-soft max-md:hidden">{person.displayName}</td>
                  <td className="text-soft">{person.roles.join(", ")}</td>
                  <td className="text-end text-soft max-sm:hidden">{person.sshKeys}</td>
                  <td className="pl-6! whitespace-nowrap text-soft max-sm:hidden">
                    {person.lastSeenAt === null ? "never" : ago(person.lastSeenAt)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </ListBody>
      <Dialog title="Add a person" isOpen={adds} onClose={() => setAdds(false)}>
        <AddPerson onAdded={open} />
      </Dialog>
    </>
  );
}

function AddPerson({ onAdded }: { onAdded: (person: Person) => void }) {
  const client = useQueryClient();
  const [roles, setRoles] = useState<Person["roles"]>(["user"]);
  const add = useMutation({
    mutationFn: (form: FormData) => {
      const displayName = String(form.get("displayName") ?? "").trim();
      return gateway.people.create({
        name: String(form.get("name") ?? "").trim(),
        roles,
        ...(displayName === "" ? {} : { displayName }),
      });
    },
    onSuccess: async (person) => {
      await client.invalidateQueries({ queryKey: ["people"] });
      onAdded(person);
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(new FormData(event.currentTarget));
      }}
    >
      <Field
        label="Name"
        name="name"
        required
        placeholder="jane.doe"
        hint="Stands in every session and audit event; it cannot be changed"
      />
      <Field label="Called" name="displayName" placeholder="Jane Doe" />
      <RoleChoice roles={roles} onChange={setRoles} />
      {add.isError && <InlineProblem error={add.error} />}
      <Button type="submit" tone="primary" disabled={add.isPending}>
        Add
      </Button>
    </form>
  );
}
