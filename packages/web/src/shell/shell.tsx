import { isGatehouseError } from "@gatehouse/kernel";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { SetUpNote } from "../account/set-up-note.tsx";
import { onSignedOut, queries } from "../gateway.ts";
import { rememberPlace } from "../session/return-place.ts";
import { useShortcuts } from "../ui/shortcuts.ts";
import { Problem } from "../ui/states.tsx";
import { Alarms } from "./alarms.tsx";
import { Commands } from "./commands.tsx";
import { KeysHelp } from "./keys-help.tsx";
import { Rail } from "./rail.tsx";
import { SearchBar } from "./search-bar.tsx";

/** The frame around every page: the rail, the search box, the keys. */
export function Shell() {
  const navigate = useNavigate();
  const me = useQuery(queries.me);
  const [showsKeys, setShowsKeys] = useState(false);
  const [showsCommands, setShowsCommands] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() !== "k" ||
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.shiftKey
      )
        return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      setShowsCommands(true);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const search = useRef<HTMLInputElement>(null);
  const awaitsPlace = useRef(0);

  useEffect(
    () =>
      onSignedOut(() => {
        rememberPlace();
        void navigate({ to: "/sign-in" });
      }),
    [navigate],
  );

  const goTo =
    (to: "/live" | "/sessions" | "/audit" | "/requests" | "/health", otherwise?: () => void) => () => {
      if (performance.now() - awaitsPlace.current < 1000) void navigate({ to });
      else otherwise?.();
    };
  useShortcuts({
    "/": () => search.current?.select(),
    "?": () => setShowsKeys(true),
    g: () => {
      awaitsPlace.current = performance.now();
    },
    l: goTo("/live"),
    s: goTo("/sessions"),
    a: goTo("/audit"),
    r: goTo("/requests"),
    h: goTo("/health"),
  });

  if (me.isError && !isGatehouseError(me.error, "unauthenticated"))
    return <Problem error={me.error} onRetry={() => void me.refetch()} />;
  // Nobody is told apart from somebody before the answer: nothing flashes.
  if (!me.data) return null;
  return (
    <div className="flex h-dvh flex-col-reverse sm:flex-row">
      <Rail me={me.data} onShowKeys={() => setShowsKeys(true)} />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <SearchBar me={me.data} ref={search} />
        <SetUpNote me={me.data} />
        <Alarms me={me.data} />
        <main
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
          tabIndex={0}
          className="min-h-0 flex-1 overflow-y-auto"
          id="main"
          data-scroll-restoration-id="main"
        >
          <Outlet />
        </main>
      </div>
      <Commands me={me.data} isOpen={showsCommands} onClose={() => setShowsCommands(false)} />
      <KeysHelp isOpen={showsKeys} onClose={() => setShowsKeys(false)} />
    </div>
  );
}
