import type { Me, Target } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { LockButton } from "../locks/lock-form.tsx";
import { StandingLocks } from "../locks/standing.tsx";
import { AskForTarget } from "../requests/ask.tsx";
import { HostKeys } from "../targets/host-keys.tsx";
import { Logins } from "../targets/logins.tsx";
import { TargetPolicy } from "../targets/policy.tsx";
import { TargetSettings } from "../targets/settings.tsx";
import { Why } from "../targets/why.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Time } from "../ui/elements.tsx";
import { InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { PageHead, Part } from "./page-head.tsx";

const route = getRouteApi("/shell/targets/$targetId");

export function TargetPage() {
  const { targetId } = route.useParams();
  const me = useQuery(queries.me);
  const query = useQuery(queries.target(targetId));
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data || !me.data) return <SkeletonRows />;
  const target = query.data;
  const may = (action: string) => me.data.may.includes(action);
  return (
    <>
      <StaleNote query={query} />
      <PageHead title={target.name} note={`${target.protocol} ${target.host}:${target.port}`}>
        <Link
          to="/sessions"
          search={{ target: target.name }}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          Its sessions
        </Link>
        {isAmong(target.access.requests?.askers, me.data) && (
          <AskForTarget
            targetId={target.id}
            isPrimary={!isAmong({ roles: target.allowRoles, users: target.allowUsers }, me.data)}
          />
        )}
        {may("target.write") && <RemoveTarget target={target} />}
        {may("lock.write") && <LockButton on="target" name={target.name} />}
      </PageHead>
      {may("lock.read") && <StandingLocks on="target" name={target.name} mayLift={may("lock.write")} />}
      <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] px-4 pb-10">
        <Part
          title="Host keys"
          note="What the gate accepts as this machine. Anything else is refused before a byte passes."
        >
          <HostKeys target={target} mayTrust={may("target.trust")} />
        </Part>
        <Part
          title="Logins"
          note="Accounts that people can ask for, and what the gate proves itself with there."
        >
          <Logins target={target} mayWrite={may("credential.write")} />
        </Part>
        <Part title="Settings" note="Who may come here, and what they may do beside a shell.">
          <TargetSettings key={JSON.stringify(target)} target={target} mayWrite={may("target.write")} />
        </Part>
        <Part title="Policy" note="What is asked beyond that. What is not checked does not limit.">
          <TargetPolicy key={target.id} target={target} mayWrite={may("target.write")} />
        </Part>
        {may("access.explain") && (
          <Part title="Why?" note="What somebody would be told here now, and by which rule.">
            <Why target={target} />
          </Part>
        )}
        <p className="pt-4 text-xs text-faint">
          Added <Time iso={target.createdAt} />
        </p>
      </div>
    </>
  );
}

type Some = { roles: readonly string[]; users: readonly string[] };

function isAmong(some: Some | undefined, { name, roles }: Me): boolean {
  return some !== undefined && (some.users.includes(name) || roles.some((role) => some.roles.includes(role)));
}

function RemoveTarget({ target }: { target: Target }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asks, setAsks] = useState(false);
  const remove = useMutation({
    mutationFn: () => gateway.targets.remove(target.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["targets"] });
      await navigate({ to: "/targets" });
    },
  });
  return (
    <>
      <Button tone="danger" onClick={() => setAsks(true)}>
        <Trash2 size={14} aria-hidden /> Remove
      </Button>
      <Dialog title={`Remove ${target.name}?`} isOpen={asks} onClose={() => setAsks(false)}>
        <div className="grid gap-4">
          <p className="text-soft">
            Nobody can connect to it any more, and its stored credentials are destroyed. Its sessions and
            recordings stay.
          </p>
          {remove.isError && <InlineProblem error={remove.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsks(false)}>Keep it</Button>
            <Button tone="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
              Remove {target.name}
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
