import { providerSignOutUrl, takeProviderSession } from "../session/provider.tsx";
import type { Me, Page } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { CircleHelp, KeyRound, LogOut, PanelLeft } from "lucide-react";
import { useState } from "react";
import { gateway, queries, toReview } from "../gateway.ts";
import { IconButton } from "../ui/elements.tsx";
import { Gate } from "./gate.tsx";
import { peopleRooms, places } from "./places.ts";

const foldKey = "gatehouse.rail-folded";

/** The places: a rail at the left, icons only when folded or when there is little room, a bar at the bottom of a phone. */
export function Rail({ me, onShowKeys }: { me: Me; onShowKeys: () => void }) {
  const [folded, setFolded] = useState(localStorage.getItem(foldKey) === "yes");
  const fold = () => {
    localStorage.setItem(foldKey, folded ? "no" : "yes");
    setFolded(!folded);
  };
  const name = folded ? "sm:sr-only max-sm:text-2xs" : "max-sm:text-2xs sm:max-xl:sr-only";
  const path = useLocation({ select: ({ pathname }) => pathname });
  const isAbout = (to: string) => to === "/people" && peopleRooms.some((room) => path.startsWith(room.to));
  const allowed = places.filter((place) => me.may.includes(place.action));
  return (
    <nav
      aria-label="Places"
      className={`flex shrink-0 border-t bg-sunken sm:flex-col sm:border-t-0 sm:border-r ${folded ? "sm:w-13" : "sm:w-13 xl:w-48"}`}
    >
      <div className="hidden h-12 items-center gap-2 px-3.5 sm:flex">
        <Gate className="size-5 shrink-0 text-accent" />
        <span className={`font-semibold tracking-tight ${name}`}>Gatehouse</span>
      </div>
      <ul className="flex flex-1 justify-around gap-px sm:flex-none sm:flex-col sm:px-2 sm:py-1">
        {allowed.map(({ to, name: placeName, icon: Icon }) => (
          <li key={to} className="max-sm:flex-1">
            <Link
              to={to}
              title={placeName}
              data-here={isAbout(to) || undefined}
              className="relative flex items-center gap-2.5 rounded-md text-soft transition-colors hover:bg-hover hover:text-ink max-sm:h-13 max-sm:flex-col max-sm:justify-center max-sm:gap-0.5 sm:h-8 sm:px-2 data-here:font-medium data-here:text-accent! sm:data-here:bg-chosen"
              activeProps={{ className: "sm:bg-chosen !text-accent font-medium", "aria-current": "page" }}
            >
              <Icon size={17} strokeWidth={1.75} aria-hidden className="shrink-0" />
              <span className={name}>{placeName}</span>
              {to === "/live" && <LiveCount />}
              {to === "/requests" && <ReviewCount />}
            </Link>
          </li>
        ))}
      </ul>
      <div className="mt-auto hidden flex-col gap-px p-2 sm:flex">
        <Account me={me} nameStyle={name} />
        <div className={`flex ${folded ? "flex-col" : "max-xl:flex-col"}`}>
          <IconButton label="Keys (?)" onClick={onShowKeys}>
            <CircleHelp size={16} strokeWidth={1.75} />
          </IconButton>
          <IconButton
            label={folded ? "Unfold the rail" : "Fold the rail"}
            aria-expanded={!folded}
            onClick={fold}
            className="max-xl:hidden"
          >
            <PanelLeft size={16} strokeWidth={1.75} />
          </IconButton>
          <SignOut />
        </div>
      </div>
    </nav>
  );
}

function LiveCount() {
  const query = useInfiniteQuery(queries.liveSessions);
  return <Count pages={query.data?.pages} means="live now" />;
}

function ReviewCount() {
  const query = useInfiniteQuery(queries.requests(toReview));
  return <Count pages={query.data?.pages} means="to review" />;
}

function Count({ pages, means }: { pages: readonly Page<unknown>[] | undefined; means: string }) {
  const count = pages?.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  if (count === 0) return null;
  return (
    <span
      title={`${count} ${means}`}
      className="figures ml-auto rounded-full text-2xs leading-4 text-accent max-xl:absolute max-xl:top-0 max-xl:right-1 max-sm:left-1/2 max-sm:ml-2.5 max-sm:right-auto max-sm:top-1"
    >
      {count}
      {pages?.at(-1)?.next ? "+" : ""}
      <span className="sr-only"> {means}</span>
    </span>
  );
}

function Account({ me, nameStyle }: { me: Me; nameStyle: string }) {
  const inner = (
    <>
      <KeyRound size={16} strokeWidth={1.75} aria-hidden className="shrink-0" />
      <span className={`min-w-0 ${nameStyle}`}>
        <span className="block truncate text-ink">{me.name}</span>
        <span className="block truncate text-2xs text-faint">{me.roles.join(", ")}</span>
      </span>
    </>
  );
  return (
    <Link
      to="/account"
      title={`${me.name}: your account and keys`}
      className="flex min-h-8 items-center gap-2.5 rounded-md px-2 py-1 text-soft hover:bg-hover"
    >
      {inner}
    </Link>
  );
}

export function SignOut() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await gateway.auth.signOut();
    client.clear();
    if (takeProviderSession()) location.assign(providerSignOutUrl);
    else await navigate({ to: "/sign-in", search: {} });
  };
  return (
    <IconButton label="Sign out" onClick={() => void leave()}>
      <LogOut size={16} strokeWidth={1.75} />
    </IconButton>
  );
}
