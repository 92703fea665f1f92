import type { Declared } from "@gatehouse/contracts/declared";
import { builtInRoles } from "@gatehouse/contracts/rest";
import { faultOf, isBuiltIn } from "@gatehouse/gateway/access";
import { suggest } from "@gatehouse/gateway/config";
import { ports } from "../ports.ts";
import type { Fault } from "./faults.ts";
import type { Written } from "./read.ts";
import type { Known } from "./things.ts";

/** Names that a thing means, where they stand, and what they are of. */
type Reference = { path: PropertyKey[]; of: "role" | "user"; name: string };

/** What the gate would refuse, found before anything is changed: names of nobody, and what a thing cannot become. */
export function checkWritten(
  written: readonly Written[],
  known: readonly Known[],
  current: ReadonlyMap<string, Known>,
): Fault[] {
  const names = {
    role: new Set<string>(builtInRoles),
    user: new Set<string>(),
  };
  for (const { kind, name } of [...known, ...written.map(({ thing }) => thing)])
    if (kind === "role" || kind === "user") names[kind].add(name);

  return written.flatMap((one) => {
    const { thing, placeOf } = one;
    const before = current.get(`${thing.kind} ${thing.name}`)?.thing;
    // A name that the gate has there already is left in peace: its person or role may be gone since.
    const kept = new Set(before ? referencesOf(before).map(({ of, name }) => `${of} ${name}`) : []);
    const strange = referencesOf(thing)
      .filter(({ of, name }) => !names[of].has(name) && !kept.has(`${of} ${name}`))
      .map(({ path, of, name }): Fault => {
        const near = suggest(name, [...names[of]]);
        return {
          place: placeOf(path),
          message: `there is no ${of} ${name}, neither on the gate nor in these files${near === undefined ? "" : `; did you mean ${near}?`}`,
        };
      });
    return [...strange, ...impossible(one, before)];
  });
}

function impossible({ thing, placeOf }: Written, before: Declared | undefined): Fault[] {
  switch (thing.kind) {
    case "role":
      if (isBuiltIn(thing.name) && (thing.description !== "" || thing.statements.length > 0))
        return [
          {
            place: placeOf(["name"]),
            message: `${thing.name} is built in: only \`requests\` can be said of it`,
          },
        ];
      return thing.statements.flatMap((statement, i) => {
        const fault = faultOf(statement);
        return fault === undefined ? [] : [{ place: placeOf(["statements", i]), message: fault }];
      });
    case "user":
      return [];
    case "team": {
      const twice = thing.members.findIndex((name) => thing.leads.includes(name));
      if (twice < 0) return [];
      const name = thing.members[twice] ?? "";
      return [
        { place: placeOf(["members", twice]), message: `${name} leads the team: name them there alone` },
      ];
    }
    case "target": {
      const { protocol } = thing;
      if (!Object.hasOwn(ports, protocol)) {
        const near = suggest(protocol, Object.keys(ports));
        const message = `there is no protocol ${protocol}${near === undefined ? "" : `; did you mean ${near}?`}`;
        return [{ place: placeOf(["protocol"]), message }];
      }
      if (before?.kind === "target" && before.protocol !== protocol)
        return [
          {
            place: placeOf(["protocol"]),
            message: `${thing.name} speaks ${before.protocol}, and a target's protocol stays: remove it first, or give another name`,
          },
        ];
      const twice = thing.logins.findIndex(({ name }, i) =>
        thing.logins.slice(0, i).some((other) => other.name === name),
      );
      return twice < 0
        ? []
        : [
            {
              place: placeOf(["logins", twice]),
              message: `the login ${thing.logins[twice]?.name} stands here twice`,
            },
          ];
    }
  }
}

function referencesOf(thing: Declared): Reference[] {
  const all = (of: Reference["of"], list: readonly string[] = [], ...path: PropertyKey[]): Reference[] =>
    list.map((name, i) => ({ path: [...path, i], of, name }));
  const people = (some: { roles?: string[]; users?: string[] } | undefined, ...path: PropertyKey[]) => [
    ...all("role", some?.roles, ...path, "roles"),
    ...all("user", some?.users, ...path, "users"),
  ];
  switch (thing.kind) {
    case "role":
      return [
        ...people(thing.requests?.askers, "requests", "askers"),
        ...people(thing.requests?.reviewers, "requests", "reviewers"),
      ];
    case "user":
      return all("role", thing.roles, "roles");
    case "team":
      return [...all("user", thing.members, "members"), ...all("user", thing.leads, "leads")];
    case "target": {
      const { requests, playback } = thing.access;
      return [
        ...all("role", thing.allowRoles, "allowRoles"),
        ...all("user", thing.allowUsers, "allowUsers"),
        ...people(requests?.askers, "access", "requests", "askers"),
        ...people(requests?.reviewers, "access", "requests", "reviewers"),
        ...people(playback?.reviewers, "access", "playback", "reviewers"),
      ];
    }
  }
}
