import type { ExplainQuery, Target } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { actionWords } from "../access/actions.ts";
import { ruleWords } from "@gatehouse/contracts/session-words";
import { gateway, queries } from "../gateway.ts";
import { itemsOf } from "../pages/list.tsx";
import { Badge, Button, Choice, FilterInput } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";
import { useSettled } from "../ui/use-settled.ts";

const asked = ["session.open", "target.write", "target.trust", "credential.write"];

/** What somebody would be told here now, and by which rule: asked of the same function that decides. */
export function Why({ target }: { target: Target }) {
  const listId = useId();
  const [typed, setTyped] = useState("");
  const [action, setAction] = useState("session.open");
  const q = useSettled(typed.trim());
  const people = useInfiniteQuery({ ...queries.people({ q, limit: 8 }), enabled: q !== "" });
  const explain = useMutation({ mutationFn: (query: ExplainQuery) => gateway.access.explain(query) });
  const said = explain.data;
  return (
    <div className="grid gap-3">
      <form
        className="flex flex-wrap gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          const login = String(form.get("login") ?? "");
          const address = String(form.get("address") ?? "").trim();
          explain.mutate({
            user: typed.trim(),
            action,
            target: target.name,
            ...(login !== "" && { login }),
            ...(address !== "" && { address }),
          });
        }}
      >
        <FilterInput
          label="Person"
          required
          list={listId}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          className="w-40"
        />
        <datalist id={listId}>
          {itemsOf(people).map(({ id, name }) => (
            <option key={id}>{name}</option>
          ))}
        </datalist>
        <Choice label="What" value={action} onChange={(event) => setAction(event.target.value)}>
          {asked.map((one) => (
            <option key={one} value={one}>
              {actionWords(one)}
            </option>
          ))}
        </Choice>
        {action === "session.open" && target.logins.length > 0 && (
          <Choice label="As" name="login">
            {target.logins.map(({ name }) => (
              <option key={name} value={name}>
                as {name}
              </option>
            ))}
          </Choice>
        )}
        <FilterInput label="From address" name="address" className="w-36" />
        <Button type="submit" disabled={explain.isPending}>
          Why?
        </Button>
      </form>
      {explain.isError && <InlineProblem error={explain.error} />}
      {said && (
        <div role="status" className="grid gap-1 border-l-2 pl-3">
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={said.allowed ? "verified" : "danger"}>{said.allowed ? "may" : "may not"}</Badge>
            <span>{ruleWords(said.rule)}</span>
            <code className="font-mono text-2xs text-faint">{said.rule}</code>
          </p>
          {said.because !== null && <p className="text-soft">They are told: {said.because}.</p>}
          {said.wouldAllow !== null && <p className="text-soft">Else: {ruleWords(said.wouldAllow)}</p>}
          {said.request !== null && (
            <p>
              <Link
                to="/requests/$requestId"
                params={{ requestId: said.request }}
                className="font-medium text-accent underline-offset-2 hover:underline"
              >
                The request
              </Link>
            </p>
          )}
          <p className="text-xs text-faint">Roles: {said.roles.join(", ") || "none"}</p>
        </div>
      )}
    </div>
  );
}
