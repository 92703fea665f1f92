import type { Health } from "@gatehouse/contracts/rest";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { queries } from "../gateway.ts";
import { recordingStates } from "../search.ts";
import { recordingWords } from "../session/words.tsx";
import { Time } from "../ui/elements.tsx";
import { ago, bytes, count } from "../ui/format.ts";
import { Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { Coverage } from "./coverage.tsx";
import { Line, Part } from "./health-part.tsx";
import { PageHead } from "./page-head.tsx";

/** A Monday's question: is everything recorded, stored, delivered? */
export function HealthPage() {
  const query = useQuery(queries.health);
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <SkeletonRows />;
  const health = query.data;
  return (
    <>
      <StaleNote query={query} />
      <PageHead title="Health" />
      <div className="grid gap-5 px-4 pb-8">
        <Verdict health={health} />
        <div className="grid border-t md:grid-cols-2 md:[&>section:nth-child(even)]:border-l md:[&>section:nth-child(even)]:pl-6 md:[&>section:nth-child(odd)]:pr-6">
          <Journal health={health} />
          <Store health={health} />
          <Keys health={health} />
          <Shipping health={health} />
          <Recordings health={health} />
          <Coverage />
          <AuditLog health={health} />
          <Gateway health={health} />
        </div>
      </div>
    </>
  );
}

const verdicts = {
  ok: { icon: CircleCheck, style: "text-verified", words: "Everything is recorded, stored and delivered." },
  degraded: {
    icon: TriangleAlert,
    style: "text-attention",
    words: "Sessions are recorded. Something needs attention.",
  },
  refusing: {
    icon: CircleX,
    style: "text-danger",
    words: "No session is admitted now, because its recording could not be guaranteed.",
  },
} as const;

const levelStyles = { ok: "text-soft", warning: "text-attention", problem: "text-danger" } as const;

function Verdict({ health }: { health: Health }) {
  const { icon: Icon, style, words } = verdicts[health.status];
  return (
    <div role="status" className="grid gap-2">
      <p className="flex items-center gap-2 text-base font-medium">
        <Icon size={18} aria-hidden className={style} /> {words}
      </p>
      {health.findings.length > 0 && (
        <ul className="grid gap-1.5 pl-6.5">
          {health.findings.map((finding) => (
            <li key={finding.message}>
              <span className={levelStyles[finding.level]}>{finding.message}</span>
              {finding.hint && <span className="block text-soft">{finding.hint}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Journal({ health: { journal } }: { health: Health }) {
  const share = (n: number) => `${Math.min(100, (100 * n) / Math.max(1, journal.capacityBytes))}%`;
  return (
    <Part title="Journal" fault={journal.failure}>
      <div className="mb-1 flex h-2 overflow-hidden rounded bg-line" aria-hidden>
        <div className="bg-accent" style={{ width: share(journal.usedBytes) }} />
        <div className="bg-accent/40" style={{ width: share(journal.reservedBytes) }} />
      </div>
      <Line name="Used">{bytes(journal.usedBytes)}</Line>
      <Line name="Reserved">{bytes(journal.reservedBytes)} for live sessions</Line>
      <Line name="Room for">
        {bytes(Math.max(0, journal.capacityBytes - journal.usedBytes - journal.reservedBytes))} more
      </Line>
    </Part>
  );
}

const whoRefuses = {
  backend: "refused by the store itself",
  gatehouse: "refused by Gatehouse only",
  none: "not refused",
} as const;

function Store({ health: { store } }: { health: Health }) {
  return (
    <Part title="Store" fault={store.reachable ? null : (store.lastError ?? "The store cannot be reached.")}>
      <Line name="Kind">{store.kind}</Line>
      <Line name="Place">
        <span className="font-mono text-xs break-all">{store.location}</span>
      </Line>
      <Line name="Overwriting">{whoRefuses[store.overwrite]}</Line>
      <Line name="Early deletion">{whoRefuses[store.deletion]}</Line>
    </Part>
  );
}

/** Nothing where recordings are wrapped for age recipients alone: these need no service. */
function Keys({ health: { keyServices } }: { health: Health }) {
  if (keyServices.length === 0) return null;
  const failed = keyServices.find(({ reachable }) => reachable === false);
  return (
    <Part title="Key services" fault={failed?.lastError ?? null}>
      {keyServices.map(({ service, key, wraps, reachable, failedForMs }) => (
        <Line key={`${service} ${key} ${wraps}`} name={service}>
          {reachable === null
            ? "not asked yet"
            : reachable
              ? "wraps keys"
              : `does not answer rightly for ${Math.round((failedForMs ?? 0) / 1000)} s`}
          <span className="block font-mono text-xs break-all text-soft">
            {key}
            {wraps === "input" && ", for what was typed"}
          </span>
        </Line>
      ))}
    </Part>
  );
}

function Shipping({ health: { shipping } }: { health: Health }) {
  return (
    <Part title="On the way to the store" fault={shipping.lastError}>
      <Line name="Waiting">
        {shipping.waitingSegments === 0
          ? "nothing"
          : `${count(shipping.waitingSegments)} segments, ${bytes(shipping.waitingBytes)}`}
      </Line>
    </Part>
  );
}

function Recordings({ health: { recordings } }: { health: Health }) {
  return (
    <Part title="Recordings" fault={recordings ? null : "The database does not say how many there are."}>
      {recordings &&
        recordingStates.map((state) =>
          recordings[state] === 0 && state !== "corrupt" ? null : (
            <Line key={state} name={recordingWords[state].name}>
              <Link
                to="/sessions"
                search={{ recording: state }}
                title={recordingWords[state].means}
                className="font-medium text-accent underline-offset-2 hover:underline"
              >
                {count(recordings[state])}
              </Link>
            </Line>
          ),
        )}
    </Part>
  );
}

function AuditLog({ health: { audit } }: { health: Health }) {
  return (
    <Part title="Audit log" fault={audit.appendable ? null : (audit.lastError ?? "Nothing can be appended.")}>
      <Line name="Events">{count(audit.events)}</Line>
    </Part>
  );
}

function Gateway({ health: { gateway, sessions } }: { health: Health }) {
  return (
    <Part title="Gateway" fault={null}>
      <Line name="Live sessions">{count(sessions.live)}</Line>
      <Line name="Name">{gateway.id}</Line>
      <Line name="Version">{gateway.version}</Line>
      <Line name="Started">
        <Time iso={gateway.startedAt} /> <span className="text-faint">({ago(gateway.startedAt)})</span>
      </Line>
    </Part>
  );
}
