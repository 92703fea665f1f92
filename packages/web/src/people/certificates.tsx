import type { Certificate } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { gateway, queries } from "../gateway.ts";
import { Command, IconButton, Identifier, Time } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";

/** What it comes in by, or to. */
function opens({ kind, target, login }: Certificate): string {
  if (target) return login === null ? target.name : `${login}+${target.name}`;
  return kind === "ssh" ? "ssh" : "every database";
}

/** Certificates that are good now, each with a way to end it. */
export function Certificates({ personId, mayWrite }: { personId: string; mayWrite: boolean }) {
  const client = useQueryClient();
  const query = useQuery(queries.certificates(personId));
  const revoke = useMutation({
    mutationFn: (serial: string) => gateway.certificates.remove(personId, serial),
    onSuccess: () => client.invalidateQueries({ queryKey: ["certificates", personId] }),
  });
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={1} />;
  if (query.data.length === 0)
    return (
      <div className="grid gap-2">
        <p className="text-soft">None now. Signing in on the command line makes one:</p>
        <Command text={`gatehouse login ${window.location.origin}`} />
      </div>
    );
  return (
    <div className="grid gap-3">
      <ul className="divide-y border-y">
        {query.data.map((one) => (
          <li key={one.serial} className="flex flex-wrap items-center gap-x-3 py-1.5">
            <span className="min-w-0">
              <span className="font-medium">{opens(one)}</span>
              <span className="block text-xs text-soft tabular-nums">{one.serial}</span>
              <span className="block">
                <Identifier text={one.fingerprint} what="fingerprint" head={20} tail={6} />
              </span>
            </span>
            <span className="ml-auto flex items-center gap-x-3">
              <span className="text-right text-xs text-faint">
                until <Time iso={one.expiresAt} />
                <span className="block">
                  {one.lastUsedAt === null ? "never used" : `used ${ago(one.lastUsedAt)}`}
                </span>
              </span>
              {mayWrite && (
                <IconButton
                  label={`Revoke certificate ${one.serial}`}
                  disabled={revoke.isPending}
                  onClick={() => revoke.mutate(one.serial)}
                >
                  <Trash2 size={15} />
                </IconButton>
              )}
            </span>
          </li>
        ))}
      </ul>
      {revoke.isError && <InlineProblem error={revoke.error} />}
    </div>
  );
}
