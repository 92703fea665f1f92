import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { queries } from "../gateway.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { Revoke, TokenWords } from "../tokens/tokens.tsx";
import { Command } from "../ui/elements.tsx";
import { Empty } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

/** Everybody's tokens for programs. Each is made by its own person, on their page. */
export function TokensPage() {
  const navigate = useNavigate();
  const me = useQuery(queries.me);
  const query = useInfiniteQuery(queries.allTokens);
  const items = itemsOf(query);
  const chosen = useRowKeys(items.length, (index) => {
    const token = items[index];
    if (token) void navigate({ to: "/people/$personId", params: { personId: token.owner.id } });
  });
  const mayWrite = me.data?.may.includes("person.write") ?? false;
  return (
    <>
      <PeopleRooms />
      <PageHead title="API tokens">
        {me.data && (
          <Link
            to="/people/$personId"
            params={{ personId: me.data.id }}
            className="font-medium text-accent underline-offset-2 hover:underline"
          >
            Yours
          </Link>
        )}
      </PageHead>
      <ListBody
        query={query}
        empty={
          <Empty title="No program has a token">
            <p>People make them on their own page, for what they name and for a time:</p>
            <Command text="gatehouse tokens create siem --scope audit.read --days 30" />
          </Empty>
        }
      >
        {(all) => (
          <ul aria-label="API tokens" className="divide-y border-y">
            {all.map((token, index) => (
              <li
                key={token.id}
                data-row={index}
                data-chosen={index === chosen || undefined}
                className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 data-chosen:bg-chosen"
              >
                <Link
                  to="/people/$personId"
                  params={{ personId: token.owner.id }}
                  className="w-36 truncate underline-offset-2 hover:underline"
                >
                  {token.owner.name}
                </Link>
                <TokenWords token={token} />
                {mayWrite && <Revoke personId={token.owner.id} token={token} />}
              </li>
            ))}
          </ul>
        )}
      </ListBody>
    </>
  );
}
