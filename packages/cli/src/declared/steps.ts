import type { Client } from "@gatehouse/contracts/client";
import type { Declared, DeclaredOf } from "@gatehouse/contracts/declared";
import { GatehouseError } from "@gatehouse/kernel";
import type { Difference } from "./differences.ts";
import type { WantedSecret } from "./secrets.ts";
import { type Known, bareKey, fieldsOf, portOf } from "./things.ts";

/** The id of a thing by `kind name`; what is made on the way is added. */
export type Ids = Map<string, string>;
export type Step = { says: string; run(client: Client, ids: Ids): Promise<unknown> };

/** How a thing becomes what its file says: calls of the API, one after another, each decided and audited as any other. */
export function stepsOf(
  thing: Declared,
  before: Known | undefined,
  { differences, secrets }: { differences: readonly Difference[]; secrets: readonly WantedSecret[] },
): Step[] {
  const changed = new Set(differences.map(({ path }) => path.split(/[.[]/)[0] ?? ""));
  switch (thing.kind) {
    case "role":
      return roleSteps(thing, before, changed);
    case "user":
      return userSteps(thing, before, changed);
    case "team":
      return teamSteps(thing, before);
    case "target":
      return targetSteps(thing, before, changed, secrets);
  }
}

function roleSteps(thing: DeclaredOf<"role">, before: Known | undefined, changed: Set<string>): Step[] {
  const { name, description, statements, requests } = thing;
  const steps: Step[] = [];
  if (!before || changed.has("description") || changed.has("statements"))
    steps.push({
      says: `${before ? "changed" : "made"} the role ${name}`,
      run: (client) => client.roles.set(name, { description, statements }),
    });
  if (changed.has("requests"))
    steps.push(
      requests
        ? {
            says: `let people ask for the role ${name}`,
            run: (client) => client.roles.setRequests(name, requests),
          }
        : {
            says: `let nobody ask for the role ${name}`,
            run: (client) => client.roles.removeRequests(name),
          },
    );
  return steps;
}

function userSteps(thing: DeclaredOf<"user">, before: Known | undefined, changed: Set<string>): Step[] {
  const { name, roles, disabled, sshKeys } = thing;
  const displayName = thing.displayName ?? name;
  const own = idOf("user", name);
  const steps: Step[] = [];
  if (!before)
    steps.push({
      says: `added the user ${name}`,
      run: async (client, ids) => own.made(ids, await client.people.create({ name, displayName, roles })),
    });
  const change = {
    ...(before && changed.has("displayName") && { displayName }),
    ...(before && changed.has("roles") && { roles }),
    ...((before ? changed.has("disabled") : disabled === true) && disabled !== undefined && { disabled }),
  };
  if (Object.keys(change).length > 0)
    steps.push({
      says: `changed ${Object.keys(change).join(", ")} of the user ${name}`,
      run: (client, ids) => client.people.update(own.id(ids), change),
    });
  if (!sshKeys) return steps;
  const wanted = new Map(sshKeys.map((key) => [bareKey(key), key]));
  for (const [bare, publicKey] of wanted)
    if (!before?.keyIds?.has(bare))
      steps.push({
        says: `registered an SSH key of ${name}`,
        run: (client, ids) => client.people.addSshKey(own.id(ids), { publicKey }),
      });
  for (const [bare, keyId] of before?.keyIds ?? [])
    if (!wanted.has(bare))
      steps.push({
        says: `took an SSH key of ${name} away`,
        run: (client, ids) => client.people.removeSshKey(own.id(ids), keyId),
      });
  return steps;
}

function teamSteps(
  { name, description, members, leads }: DeclaredOf<"team">,
  before: Known | undefined,
): Step[] {
  const own = idOf("team", name);
  const membersIn = (ids: Ids) =>
    [...new Set([...leads, ...members])].map((person) => ({
      userId: idOf("user", person).id(ids),
      leads: leads.includes(person),
    }));
  return [
    before
      ? {
          says: `changed the team ${name}`,
          run: (client, ids) => client.teams.update(own.id(ids), { description, members: membersIn(ids) }),
        }
      : {
          says: `made the team ${name}`,
          run: async (client, ids) =>
            own.made(ids, await client.teams.create({ name, description, members: membersIn(ids) })),
        },
  ];
}

function targetSteps(
  thing: DeclaredOf<"target">,
  before: Known | undefined,
  changed: Set<string>,
  secrets: readonly WantedSecret[],
): Step[] {
  const { name, protocol, host, labels, allowRoles, allowUsers, access, hostTrust } = thing;
  const own = idOf("target", name);
  const logins = thing.logins.map((login) => login.name);
  const steps: Step[] = [];
  if (before) {
    const changeable = {
      host,
      port: portOf(thing),
      labels,
      allowRoles,
      allowUsers,
      access,
      permits: permitsFor(thing.permits, before),
      logins,
    };
    const change = Object.fromEntries(Object.entries(changeable).filter(([field]) => changed.has(field)));
    if (Object.keys(change).length > 0)
      steps.push({
        says: `changed ${Object.keys(change).join(", ")} of the target ${name}`,
        run: (client, ids) => client.targets.update(own.id(ids), change),
      });
  } else {
    const permits = permitsFor(thing.permits, undefined);
    steps.push({
      says: `added the target ${name}`,
      run: async (client, ids) =>
        own.made(
          ids,
          await client.targets.create({
            name,
            protocol,
            host,
            port: portOf(thing),
            labels,
            logins,
            allowRoles,
            allowUsers,
            permits,
            access,
          }),
        ),
    });
  }
  for (const { login, credential } of secrets)
    steps.push({
      says: `set the ${credential.kind} of ${login} on ${name}`,
      run: (client, ids) => client.targets.setCredential(own.id(ids), login, credential),
    });
  if (hostTrust && changed.has("hostTrust"))
    steps.push({
      says: `trusted the host keys of ${name} that the file names`,
      run: (client, ids) => client.targets.trustHostKeys(own.id(ids), hostTrust),
    });
  return steps;
}

/** What is permitted; and what no longer is, where the gate permits it. */
function permitsFor(
  permits: DeclaredOf<"target">["permits"],
  before: Known | undefined,
): Record<string, boolean> {
  const had = before ? Object.keys(fieldsOf(before.thing)["permits"] as object) : [];
  const wanted = Object.entries(permits).filter(([, may]) => may === true);
  return { ...Object.fromEntries(had.map((name) => [name, false])), ...Object.fromEntries(wanted) } as Record<
    string,
    boolean
  >;
}

/** A thing's id, which is known once it was made. */
function idOf(kind: string, name: string) {
  const key = `${kind} ${name}`;
  return {
    made: (ids: Ids, { id }: { id: string }) => void ids.set(key, id),
    id(ids: Ids): string {
      const id = ids.get(key);
      if (id === undefined)
        throw new GatehouseError({
          code: "not_found",
          op: "cli.apply",
          message: `the ${key} is not there any more`,
        });
      return id;
    },
  };
}
