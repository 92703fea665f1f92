import type { Target } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { HostTrustBadge } from "../targets/host-trust.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Command, Field } from "../ui/elements.tsx";
import { Committed } from "../ui/filters.tsx";
import { Empty, InlineProblem } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/targets");

export function TargetsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/targets" });
  const me = useQuery(queries.me);
  const query = useInfiniteQuery(queries.targets(search));
  const [adds, setAdds] = useState(false);
  const items = itemsOf(query);
  const open = (target: Target | undefined) => {
    if (target) void navigate({ to: "/targets/$targetId", params: { targetId: target.id } });
  };
  const chosen = useRowKeys(items.length, (index) => open(items[index]));
  const mayWrite = me.data?.may.includes("target.write") ?? false;
  return (
    <>
      <PageHead title="Targets">
        <Committed
          label="Name or address"
          value={search.q}
          onCommit={(q) => void navigate({ search: q === "" ? {} : { q }, replace: true })}
          className="w-44"
        />
        {mayWrite && (
          <Button tone="primary" onClick={() => setAdds(true)}>
            <Plus size={15} aria-hidden /> Add a target
          </Button>
        )}
      </PageHead>
      <ListBody
        query={query}
        empty={
          search.q ? (
            <Empty title={`No target with “${search.q}”`} />
          ) : (
            <Empty title="No targets yet">
              <p>A target is a machine that people reach through the gate.</p>
              {mayWrite && (
                <Command text="gatehouse targets add <name> <address> --login <name> --allow-role <role>" />
              )}
            </Empty>
          )
        }
      >
        {(all) => (
          <table className="w-full border-t">
            <thead className="sticky top-0 bg-paper">
              <tr className="text-xs text-faint [&>th]:h-8 [&>th]:border-b [&>th]:px-2 [&>th:first-child]:pl-4">
                <th scope="col">Name</th>
                <th scope="col" className="max-sm:hidden">
                  Address
                </th>
                <th scope="col">Host keys</th>
                <th scope="col" className="max-md:hidden">
                  Logins
                </th>
                <th scope="col" className="max-lg:hidden">
                  Open to
                </th>
                <th scope="col" className="max-lg:hidden">
                  Labels
                </th>
              </tr>
            </thead>
            <tbody className="divide-y border-b">
              {all.map((target, index) => (
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
                <tr
                  key={target.id}
                  data-row={index}
                  data-chosen={index === chosen || undefined}
                  onClick={() => open(target)}
                  className="h-9 cursor-pointer transition-colors hover:bg-hover data-chosen:bg-chosen [&>td]:px-2 [&>td:first-child]:pl-4"
                >
                  <td className="font-medium">
                    <Link
                      to="/targets/$targetId"
                      params={{ targetId: target.id }}
                      onClick={(event) => event.stopPropagation()}
                    >
                      {target.name}
                    </Link>
                  </td>
                  <td className="text-soft max-sm:hidden">
                    {target.host}:{target.port}
                  </td>
                  <td>
                    <HostTrustBadge kind={target.hostTrust.kind} />
                  </td>
                  <td className="max-w-60 truncate text-soft max-md:hidden">
                    {target.logins.map((login) => login.name).join(", ") || "none"}
                  </td>
                  <td className="max-w-60 truncate text-soft max-lg:hidden">
                    {[...target.allowRoles, ...target.allowUsers].join(", ") || "nobody"}
                  </td>
                  <td className="max-w-60 truncate text-faint max-lg:hidden">
                    {Object.entries(target.labels)
                      .map(([name, value]) => `${name}=${value}`)
                      .join(" ")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </ListBody>
      <Dialog title="Add a target" isOpen={adds} onClose={() => setAdds(false)}>
        <AddTarget onAdded={open} />
      </Dialog>
    </>
  );
}

function AddTarget({ onAdded }: { onAdded: (target: Target) => void }) {
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      return gateway.targets.create({
        name: text("name"),
        host: text("host"),
        port: Number(text("port") || 22),
        logins: text("logins")
          .split(/[\s,]+/)
          .filter(Boolean),
        allowRoles: text("allow")
          .split(/[\s,]+/)
          .filter(Boolean),
      });
    },
    onSuccess: async (target) => {
      await client.invalidateQueries({ queryKey: ["targets"] });
      onAdded(target);
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
        placeholder="web-01"
        hint="What people type after the login: root+web-01"
      />
      <div className="grid grid-cols-[1fr_6rem] gap-3">
        <Field label="Host" name="host" required placeholder="10.0.4.11" />
        <Field label="Port" name="port" type="number" min={1} max={65_535} placeholder="22" />
      </div>
      <Field
        label="Logins"
        name="logins"
        placeholder="root, deploy"
        hint="Accounts on the target, separated by commas"
      />
      <Field label="Open to roles" name="allow" placeholder="user" hint="Nobody, if this is left empty" />
      {add.isError && <InlineProblem error={add.error} />}
      <p className="text-xs text-faint">
        Nobody is let through until its host key has been looked at and trusted, which is the next step.
      </p>
      <Button type="submit" tone="primary" disabled={add.isPending}>
        Add
      </Button>
    </form>
  );
}
