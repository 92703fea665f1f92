import type { AccessRequest } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { queries, toReview } from "../gateway.ts";
import { AskForRole } from "../requests/ask.tsx";
import { Progress, RequestBadge, wantedWords } from "../requests/words.tsx";
import { requestStates } from "../search.ts";
import { Choice } from "../ui/elements.tsx";
import { ago, spanWords, utcTime } from "../ui/format.ts";
import { Empty } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

const route = getRouteApi("/shell/requests");

/** What waits for one's word, and what one asked for; for those who see all of them, everybody's. */
export function RequestsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/requests" });
  const me = useQuery(queries.me);
  return (
    <>
      <PageHead title="Requests">
        <AskForRole />
        {me.data?.may.includes("audit.read") && (
          <>
            {search.of === "everybody" && (
              <Choice
                label="Any state"
                value={search.state ?? ""}
                onChange={(event) => {
                  const state = requestStates.find((one) => one === event.target.value);
                  void navigate({ search: { of: "everybody", ...(state && { state }) }, replace: true });
                }}
              >
                <option value="">Any state</option>
                {requestStates.map((state) => (
                  <option key={state}>{state}</option>
                ))}
              </Choice>
            )}
            <Choice
              label="Whose"
              value={search.of ?? ""}
              onChange={(event) =>
                void navigate({ search: event.target.value === "" ? {} : { of: "everybody" } })
              }
            >
              <option value="">Yours and to review</option>
              <option value="everybody">Everybody's</option>
            </Choice>
          </>
        )}
      </PageHead>
      {search.of === "everybody" ? <Everybodys state={search.state} /> : <Own />}
    </>
  );
}

function useOpen(all: readonly AccessRequest[]): number {
  const navigate = useNavigate();
  return useRowKeys(all.length, (index) => {
    const request = all[index];
    if (request) void navigate({ to: "/requests/$requestId", params: { requestId: request.id } });
  });
}

function Own() {
  const waiting = useInfiniteQuery(queries.requests(toReview));
  const mine = useInfiniteQuery(queries.requests({ mine: "true" }));
  const first = itemsOf(waiting);
  const chosen = useOpen([...first, ...itemsOf(mine)]);
  return (
    <>
      {first.length > 0 && (
        <section aria-labelledby="to-review" className="pb-6">
          <h2 id="to-review" className="px-4 pt-2 pb-1.5 text-xs font-medium text-faint">
            To review
          </h2>
          <RequestList label="To review" requests={first} chosen={chosen} />
        </section>
      )}
      <section aria-labelledby="yours">
        <h2 id="yours" className="px-4 pt-2 pb-1.5 text-xs font-medium text-faint">
          Yours
        </h2>
        <ListBody
          query={mine}
          empty={
            <Empty
              title={first.length > 0 ? "You have asked for nothing" : "Nothing asked, nothing to review"}
            >
              <p>
                Targets that can be asked for have a button for it on their{" "}
                <Link to="/targets" className="font-medium text-accent underline underline-offset-2">
                  page
                </Link>
                . What others ask of you appears here by itself.
              </p>
            </Empty>
          }
        >
          {(all) => <RequestList label="Yours" requests={all} chosen={chosen} before={first.length} />}
        </ListBody>
      </section>
    </>
  );
}

function Everybodys({ state }: { state: AccessRequest["state"] | undefined }) {
  const query = useInfiniteQuery(queries.requests(state ? { state } : {}));
  const chosen = useOpen(itemsOf(query));
  return (
    <ListBody
      query={query}
      empty={<Empty title={state ? "No request is in this state" : "Nobody has asked for anything yet"} />}
    >
      {(all) => <RequestList label="Requests" requests={all} chosen={chosen} />}
    </ListBody>
  );
}

function RequestList({
  label,
  requests,
  chosen,
  before = 0,
}: {
  label: string;
  requests: readonly AccessRequest[];
  chosen: number;
  before?: number;
}) {
  return (
    <ul aria-label={label} className="divide-y border-y">
      {requests.map((request, index) => (
        <li
          key={request.id}
          data-row={before + index}
          data-chosen={before + index === chosen || undefined}
          className="relative flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 transition-colors hover:bg-hover data-chosen:bg-chosen"
        >
          <div className="min-w-0 flex-1 basis-64">
            <p className="flex flex-wrap items-center gap-x-2">
              {/* The whole row is the link's. */}
              <Link
                to="/requests/$requestId"
                params={{ requestId: request.id }}
                className="font-medium after:absolute after:inset-0"
              >
                {request.user.name}
                <span className="font-normal text-faint"> asks for </span>
                {wantedWords(request)}
              </Link>
              <RequestBadge request={request} />
            </p>
            <p className="mt-0.5 truncate text-soft" title={request.reason}>
              {request.reason}
            </p>
          </div>
          <p className="flex gap-x-3 text-xs text-soft sm:w-72 sm:justify-end">
            <Progress request={request} />
            <span className="text-faint">
              {spanWords(request.minutes)}, asked{" "}
              <time dateTime={request.createdAt} title={utcTime(request.createdAt)}>
                {ago(request.createdAt)}
              </time>
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}
