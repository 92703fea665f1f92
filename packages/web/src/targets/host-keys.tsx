import type { HostKey, Target } from "@gatehouse/contracts/rest";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ScanSearch } from "lucide-react";
import { gateway, queries } from "../gateway.ts";
import { Button, Command, CopyButton } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";
import { HostTrustBadge } from "./host-trust.tsx";

/** What is trusted now, and the act of trusting: look at what the target shows, compare, then say so. */
export function HostKeys({ target, mayTrust }: { target: Target; mayTrust: boolean }) {
  const client = useQueryClient();
  const scan = useMutation({ mutationFn: () => gateway.targets.scanHostKeys(target.id) });
  const trust = useMutation({
    mutationFn: (keys: readonly HostKey[]) =>
      gateway.targets.trustHostKeys(target.id, { kind: "pinned", keys: keys.map((key) => key.publicKey) }),
    onSuccess: async (changed) => {
      client.setQueryData(queries.target(target.id).queryKey, changed);
      scan.reset();
      await client.invalidateQueries({ queryKey: ["targets"] });
    },
  });
  const trusted = new Set(target.hostTrust.keys.map((key) => key.fingerprint));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <HostTrustBadge kind={target.hostTrust.kind} />
        {target.hostTrust.kind === "none" && <span className="text-soft">Nobody is let through to it.</span>}
        {mayTrust && (
          <Button className="ml-auto" disabled={scan.isPending} onClick={() => scan.mutate()}>
            <ScanSearch size={15} aria-hidden /> {scan.isPending ? "Asking…" : "See what it shows now"}
          </Button>
        )}
      </div>
      {target.hostTrust.keys.length > 0 && <KeyTable keys={target.hostTrust.keys} />}
      {scan.isError && <InlineProblem error={scan.error} />}
      {scan.data && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-3 rounded-md border border-strong p-3">
          <p>
            <strong className="font-medium">{scan.data.address}</strong> shows these keys. They are trusted
            only when you have compared them with what the machine itself says:
          </p>
          <Command text="ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" />
          <KeyTable keys={scan.data.keys} trusted={trusted} />
          {trust.isError && <InlineProblem error={trust.error} />}
          <div className="flex flex-wrap justify-end gap-2 max-sm:[&>button]:flex-1">
            <Button onClick={() => scan.reset()}>Not now</Button>
            <Button
              tone="primary"
              disabled={trust.isPending || scan.data.keys.length === 0}
              onClick={() => trust.mutate(scan.data.keys)}
            >
              I compared them: trust these keys
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}

function KeyTable({ keys, trusted }: { keys: readonly HostKey[]; trusted?: ReadonlySet<string> }) {
  return (
    <ul className="divide-y border-y">
      {keys.map((key) => (
        <li key={key.fingerprint} className="flex flex-wrap items-center gap-x-3 py-1.5">
          <span className="text-soft max-sm:w-full">{key.algorithm}</span>
          <span className="font-mono text-xs break-all">{key.fingerprint}</span>
          <CopyButton text={key.fingerprint} label="Copy the fingerprint" />
          {trusted && (
            <span
              className={`ml-auto text-xs ${trusted.has(key.fingerprint) ? "text-faint" : "text-attention"}`}
            >
              {trusted.has(key.fingerprint) ? "trusted already" : "new"}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
