import type { Session, Verification } from "@gatehouse/contracts/rest";
import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleMinus, CircleX, RotateCw, ShieldCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { queries } from "../gateway.ts";
import { Button, Time } from "../ui/elements.tsx";
import { bytes, count } from "../ui/format.ts";
import { InlineProblem } from "../ui/states.tsx";
import { Group } from "./fact-group.tsx";

const checkNames: Record<Verification["checks"][number]["name"], string> = {
  segments: "Segments",
  chain: "Chain",
  signature: "Signature",
  audit: "Audit log",
  frames: "Frames",
};
const checkMarks = {
  ok: { icon: CircleCheck, style: "text-verified", says: "holds" },
  failed: { icon: CircleX, style: "text-danger", says: "does not hold" },
  absent: { icon: CircleMinus, style: "text-faint", says: "not there" },
} as const;

/** Whether the gateway, reading every stored byte, finds that it holds. */
export function VerificationGroup({ sessionId }: { sessionId: string }) {
  const query = useQuery(queries.verification(sessionId));
  return (
    <Group title="Verified from the stored bytes">
      {query.isFetching && (
        <p role="status" className="text-soft">
          Reading and checking every segment…
        </p>
      )}
      {query.isError && !query.isFetching && <InlineProblem error={query.error} />}
      {query.data && !query.isFetching && (
        <>
          <p className={`font-medium ${query.data.ok ? "text-verified" : "text-danger"}`}>
            {query.data.ok
              ? "Whole and unaltered"
              : `Does not verify${query.data.firstFault ? `: ${query.data.firstFault}` : ""}`}
          </p>
          <ul className="mt-1.5 grid gap-1">
            {query.data.checks.map((check) => {
              const { icon: Icon, style, says } = checkMarks[check.status];
              return (
                <li key={check.name} className="flex gap-2">
                  <Icon size={15} className={`mt-0.5 shrink-0 ${style}`} aria-label={says} />
                  <span className="min-w-0">
                    {checkNames[check.name]}
                    <span className="block text-xs wrap-anywhere text-faint">{check.detail}</span>
                  </span>
                </li>
              );
            })}
          </ul>
          <p className="mt-2 text-xs text-faint">
            Checked <Time iso={query.data.checkedAt} />
          </p>
        </>
      )}
      <Button className="mt-2" disabled={query.isFetching} onClick={() => void query.refetch()}>
        <RotateCw size={14} aria-hidden /> Check again
      </Button>
    </Group>
  );
}

/** For whoever does not take the gateway's word: the same check, made by this browser from the sealed bytes. */
export function CheckedHere({ session }: { session: Session }) {
  const [takenBytes, setTakenBytes] = useState(0);
  const stop = useRef<AbortController>(undefined);
  // It goes on in the background of this page, and ends with it.
  useEffect(() => () => stop.current?.abort(), []);
  const check = useMutation({
    mutationFn: async () => {
      const { checkHere } = await import("./check-here.ts");
      setTakenBytes(0);
      stop.current = new AbortController();
      return checkHere(session, stop.current.signal, setTakenBytes);
    },
  });
  const verified = check.data;
  return (
    <Group title="Verified in this browser">
      {check.isError && <InlineProblem error={check.error} />}
      {verified && (
        <div role="status">
          <p className={`font-medium ${verified.ok ? "text-verified" : "text-danger"}`}>
            {verified.ok ? "It holds, computed here" : "It does not hold, computed here"}
          </p>
          <p className="text-xs text-soft">
            {count(verified.segments)} {verified.segments === 1 ? "segment" : "segments"},{" "}
            {bytes(verified.bytes)}, hashed and chained
            {verified.signer && (
              <>
                ; signed by <code className="font-mono break-all">{verified.signer.keyId}</code>
                {verified.signer.trusted ? ", this gateway's key" : ", which is not this gateway's key"}
              </>
            )}
            .
          </p>
          <ul className="mt-1 grid gap-1 text-xs text-danger">
            {verified.findings.slice(0, 5).map((finding) => (
              <li key={finding.message} className="wrap-anywhere">
                {finding.message}
              </li>
            ))}
          </ul>
        </div>
      )}
      {!verified && (
        <p className="text-xs text-faint">
          Takes the sealed recording
          {session.recording.bytes === null ? "" : `, ${bytes(session.recording.bytes)},`} and checks hashes,
          chain and signatures here. It is noted as an export.
        </p>
      )}
      <Button className="mt-2" disabled={check.isPending} onClick={() => check.mutate()}>
        <ShieldCheck size={14} aria-hidden />{" "}
        {!check.isPending
          ? "Check in this browser"
          : takenBytes === 0
            ? "Checking…"
            : `Checking, ${bytes(takenBytes)} taken…`}
      </Button>
    </Group>
  );
}
