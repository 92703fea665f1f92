import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { gateway, queries } from "../gateway.ts";
import { Badge, Button, IconButton, Time } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";

const ways: Readonly<Record<string, string>> = {
  link: "one-time link",
  password: "password",
  passkey: "passkey",
  oidc: "single sign-on",
  browser: "command line",
  device_code: "command line, by a code",
};

/** Where somebody is signed in, each with a way to end it. */
export function SignIns({ personId, mayWrite }: { personId: string; mayWrite: boolean }) {
  const client = useQueryClient();
  const query = useQuery(queries.signIns(personId));
  const renew = () => client.invalidateQueries({ queryKey: ["sign-ins", personId] });
  const end = useMutation({
    mutationFn: (id: string) => gateway.signIns.end(personId, id),
    onSuccess: renew,
  });
  const endOthers = useMutation({
    mutationFn: () => gateway.signIns.endOthers(personId),
    onSuccess: renew,
  });
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={2} />;
  const problem = end.error ?? endOthers.error;
  const others = query.data.filter(({ current }) => !current);
  if (query.data.length === 0) return <p className="text-soft">Nowhere now.</p>;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <ul className="divide-y border-y">
        {query.data.map((one) => (
          <li key={one.id} className="flex items-center gap-x-3 py-1.5">
            <span className="min-w-0">
              <span className="flex items-center gap-2">
                <span className="font-medium">{ways[one.method] ?? one.method}</span>
                <span className="figures text-soft">{one.remoteAddress}</span>
                {one.current && <Badge tone="plain">this one</Badge>}
              </span>
              <span className="block truncate text-xs text-faint" title={one.client}>
                {one.client}
              </span>
            </span>
            <span className="ml-auto shrink-0 text-right text-xs text-faint">
              seen {ago(one.lastSeenAt)}
              <span className="block">
                since <Time iso={one.createdAt} />
              </span>
              <span className="block">
                {one.mfaAt === null ? "no second factor" : `second factor ${ago(one.mfaAt)}`}
              </span>
            </span>
            {mayWrite && !one.current && (
              <IconButton
                label={`End the sign-in from ${one.remoteAddress}`}
                disabled={end.isPending}
                onClick={() => end.mutate(one.id)}
              >
                <LogOut size={15} />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      {problem && <InlineProblem error={problem} />}
      {mayWrite && others.length > 0 && (
        <Button
          tone="danger"
          className="justify-self-start"
          disabled={endOthers.isPending}
          onClick={() => endOthers.mutate()}
        >
          {others.length === query.data.length ? "End all" : "End all others"}
        </Button>
      )}
    </div>
  );
}
