import type { Me } from "@gatehouse/contracts/rest";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { KeyRound, Search } from "lucide-react";
import type { Ref } from "react";
import { Kbd } from "../ui/elements.tsx";
import { SignOut } from "./rail.tsx";

/** One box on every page: who, where, which command. What it finds is the list of sessions, with the words in the address. */
export function SearchBar({ me, ref }: { me: Me; ref: Ref<HTMLInputElement> }) {
  const navigate = useNavigate();
  const asked = useLocation({
    select: ({ pathname, search }) => (pathname === "/sessions" ? ((search as { q?: string }).q ?? "") : ""),
  });
  return (
    <search className="flex h-12 shrink-0 items-center border-b px-3 sm:px-4">
      <form
        className="relative flex w-full max-w-xl items-center"
        onSubmit={(event) => {
          event.preventDefault();
          const words = String(new FormData(event.currentTarget).get("q") ?? "").trim();
          event.currentTarget.querySelector("input")?.blur();
          void navigate({
            to: "/sessions",
            search: (before) => {
              const { q: _old, ...rest } =
                location.pathname === "/sessions" ? (before as { q?: string }) : {};
              return words === "" ? rest : { ...rest, q: words };
            },
          });
        }}
      >
        <Search size={15} aria-hidden className="pointer-events-none absolute left-2 text-faint" />
        <input
          ref={ref}
          type="search"
          aria-label="Search sessions"
          placeholder="Person, login, target or command"
          autoComplete="off"
          spellCheck={false}
          name="q"
          key={asked}
          defaultValue={asked}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
          className="h-8 w-full rounded-md border border-transparent bg-transparent pr-9 pl-8 placeholder:text-faint hover:border-line focus:border-strong focus:bg-raised"
        />
        <span className="pointer-events-none absolute right-1.5 max-sm:hidden" aria-hidden>
          <Kbd>/</Kbd>
        </span>
      </form>
      <div className="ml-auto flex sm:hidden">
        <Link
          to="/account"
          aria-label={`${me.name}: your account and keys`}
          className="grid size-8 place-items-center rounded-md text-soft"
        >
          <KeyRound size={16} aria-hidden />
        </Link>
        <SignOut />
      </div>
    </search>
  );
}
