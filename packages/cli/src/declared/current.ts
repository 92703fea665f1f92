import { type Client, everyPage } from "@gatehouse/contracts/client";
import { type DeclaredKind, declaredKinds } from "@gatehouse/contracts/declared";
import { type Known, bareKey, declaredRole, declaredTarget, declaredTeam, declaredUser } from "./things.ts";

/** What the gate has of these kinds, by their names in order. Keys of those people alone who are asked for. */
export async function currentThings(
  client: Client,
  kinds: readonly DeclaredKind[],
  keysOf: (name: string) => boolean,
): Promise<Known[]> {
  const known: Known[] = [];
  for (const kind of declaredKinds)
    if (kinds.includes(kind)) known.push(...(await things[kind](client, keysOf)));
  return known;
}

const limit = 200;
const after = (cursor: string | undefined) => ({ limit, ...(cursor !== undefined && { cursor }) });

const things: Record<DeclaredKind, (client: Client, keysOf: (name: string) => boolean) => Promise<Known[]>> =
  {
    async role(client) {
      const { items } = await client.roles.list();
      return items.map((role) => ({
        kind: "role",
        name: role.name,
        id: role.name,
        thing: declaredRole(role),
      }));
    },
    async user(client, keysOf) {
      const known: Known[] = [];
      for await (const person of everyPage((cursor) => client.people.list(after(cursor)))) {
        const { id, name } = person;
        const keys = !keysOf(name) ? undefined : person.sshKeys > 0 ? await client.people.sshKeys(id) : [];
        known.push({
          kind: "user",
          name,
          id,
          thing: declaredUser(
            person,
            keys?.map(({ publicKey }) => publicKey),
          ),
          ...(keys && { keyIds: new Map(keys.map((key) => [bareKey(key.publicKey), key.id])) }),
        });
      }
      return known;
    },
    async team(client) {
      const known: Known[] = [];
      for await (const team of everyPage((cursor) => client.teams.list(after(cursor))))
        known.push({ kind: "team", name: team.name, id: team.id, thing: declaredTeam(team) });
      return known;
    },
    async target(client) {
      const known: Known[] = [];
      for await (const target of everyPage((cursor) => client.targets.list(after(cursor))))
        known.push({ kind: "target", name: target.name, id: target.id, thing: declaredTarget(target) });
      return known;
    },
  };
