import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { builtInWords } from "../access/role-words.ts";
import { statementWords } from "../access/selector.ts";
import { gateway, queries } from "../gateway.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Button, Field } from "../ui/elements.tsx";
import { InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

/** What people can be, and what each of it may do, in words. */
export function RolesPage() {
  const navigate = useNavigate();
  const me = useQuery(queries.me);
  const query = useQuery(queries.roles);
  const [adds, setAdds] = useState(false);
  const all = query.data?.items ?? [];
  const roles = [...all.filter(({ builtIn }) => !builtIn), ...all.filter(({ builtIn }) => builtIn)];
  const chosen = useRowKeys(roles.length, (index) => {
    const role = roles[index];
    if (role) void navigate({ to: "/roles/$roleName", params: { roleName: role.name } });
  });
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <>
      <StaleNote query={query} />
      <PeopleRooms />
      <PageHead title="Roles">
        {me.data?.may.includes("role.write") && (
          <Button tone="primary" onClick={() => setAdds(true)}>
            <Plus size={15} aria-hidden /> Make a role
          </Button>
        )}
      </PageHead>
      {!query.data ? (
        <SkeletonRows rows={5} />
      ) : (
        <ul aria-label="Roles" className="divide-y border-y">
          {roles.map((role, index) => (
            <li
              key={role.name}
              data-row={index}
              data-chosen={index === chosen || undefined}
              className="relative grid gap-x-8 gap-y-1 px-4 py-2.5 transition-colors hover:bg-hover data-chosen:bg-chosen md:grid-cols-[13rem_minmax(0,1fr)]"
            >
              <div>
                <Link
                  to="/roles/$roleName"
                  params={{ roleName: role.name }}
                  className="font-medium after:absolute after:inset-0"
                >
                  {role.name}
                </Link>{" "}
                {role.builtIn && <Badge tone="plain">built in</Badge>}
                {!role.builtIn && <p className="text-xs text-faint">{role.description}</p>}
              </div>
              <ul className="grid gap-0.5 text-soft">
                {(role.builtIn ? (builtInWords[role.name] ?? []) : role.statements.map(statementWords)).map(
                  (words) => (
                    <li key={words} className="break-words">
                      {words}
                    </li>
                  ),
                )}
                {!role.builtIn && role.statements.length === 0 && (
                  <li className="text-faint">A name for people, which targets and policies can mean</li>
                )}
              </ul>
            </li>
          ))}
        </ul>
      )}
      <Dialog title="Make a role" isOpen={adds} onClose={() => setAdds(false)}>
        <MakeRole />
      </Dialog>
    </>
  );
}

function MakeRole() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      return gateway.roles.set(text("name"), { description: text("description") });
    },
    onSuccess: async (role) => {
      await client.invalidateQueries({ queryKey: ["roles"] });
      await navigate({ to: "/roles/$roleName", params: { roleName: role.name } });
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(new FormData(event.currentTarget));
      }}
    >
      <Field label="Name" name="name" required maxLength={64} placeholder="db-reader" />
      <Field label="Description" name="description" maxLength={1000} placeholder="What it is for" />
      {make.isError && <InlineProblem error={make.error} />}
      <p className="text-xs text-faint">It allows nothing yet; what it allows is the next step.</p>
      <Button type="submit" tone="primary" disabled={make.isPending}>
        Make it
      </Button>
    </form>
  );
}
