import type { Team } from "@gatehouse/contracts/rest";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { gateway, queries } from "../gateway.ts";
import { PeopleRooms } from "../people/rooms.tsx";
import { TeamForm } from "../teams/team-form.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Command } from "../ui/elements.tsx";
import { Removal } from "../ui/removal.tsx";
import { Empty } from "../ui/states.tsx";
import { ListBody, itemsOf, useRowKeys } from "./list.tsx";
import { PageHead } from "./page-head.tsx";

/** Teams, who is in them, and who leads them. */
export function TeamsPage() {
  const me = useQuery(queries.me);
  const query = useInfiniteQuery(queries.teams);
  const mayWrite = me.data?.may.includes("team.write") ?? false;
  /** The one that is written: `new` for one that is not there yet. */
  const [edited, setEdited] = useState<Team | "new">();
  const items = itemsOf(query);
  const chosen = useRowKeys(items.length, (index) => mayWrite && setEdited(items[index]));
  const close = () => setEdited(undefined);
  return (
    <>
      <PeopleRooms />
      <PageHead title="Teams">
        {mayWrite && (
          <Button tone="primary" onClick={() => setEdited("new")}>
            <Plus size={15} aria-hidden /> Make a team
          </Button>
        )}
      </PageHead>
      <ListBody
        query={query}
        empty={
          <Empty title="No teams yet">
            <p>Whoever leads a team sees the sessions of its members, looks on, and ends them.</p>
            {mayWrite && <Command text="gatehouse teams add web --lead lea --member ann" />}
          </Empty>
        }
      >
        {(all) => (
          <ul aria-label="Teams" className="divide-y border-y">
            {all.map((team, index) => (
              <li
                key={team.id}
                data-row={index}
                data-chosen={index === chosen || undefined}
                className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 data-chosen:bg-chosen"
              >
                <div className="min-w-0 flex-1 basis-64">
                  <p>
                    <span className="font-medium">{team.name}</span>{" "}
                    <span className="text-soft">{team.description}</span>
                  </p>
                  <Members team={team} />
                </div>
                {mayWrite && (
                  <div className="flex gap-1 max-sm:ml-auto">
                    <Button tone="quiet" aria-label={`Change ${team.name}`} onClick={() => setEdited(team)}>
                      <Pencil size={14} aria-hidden /> Change
                    </Button>
                    <RemoveTeam team={team} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        )}
      </ListBody>
      <Dialog
        title={edited === undefined || edited === "new" ? "Make a team" : `The team ${edited.name}`}
        isOpen={edited !== undefined}
        onClose={close}
      >
        <TeamForm team={edited === "new" ? undefined : edited} onDone={close} />
      </Dialog>
    </>
  );
}

function Members({ team }: { team: Team }) {
  if (team.members.length === 0) return <p className="mt-0.5 text-faint">Nobody is in it.</p>;
  return (
    <ul className="mt-0.5 flex flex-wrap gap-x-3">
      {team.members
        .toSorted((a, b) => Number(b.leads) - Number(a.leads))
        .map(({ userId, name, leads }) => (
          <li key={userId}>
            <Link
              to="/people/$personId"
              params={{ personId: userId }}
              className="underline-offset-2 hover:underline"
            >
              {name}
            </Link>
            {leads && <span className="text-faint"> leads</span>}
          </li>
        ))}
    </ul>
  );
}

function RemoveTeam({ team }: { team: Team }) {
  const client = useQueryClient();
  return (
    <Removal
      what={team.name}
      means="Its members stay who they are; whoever leads it sees their sessions no longer."
      remove={async () => {
        await gateway.teams.remove(team.id);
        await client.invalidateQueries({ queryKey: ["teams"] });
      }}
    />
  );
}
