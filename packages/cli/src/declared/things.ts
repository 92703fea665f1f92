import type { Declared, DeclaredKind, DeclaredOf } from "@gatehouse/contracts/declared";
import { type Person, type Role, type Target, type Team, accessPolicy } from "@gatehouse/contracts/rest";
import { isBuiltIn } from "@gatehouse/gateway/access";
import { ports } from "../ports.ts";

/** A thing by its fields, with the order taken out of what has none: two that mean the same are equal. */
export type Fields = Readonly<Record<string, unknown>>;

/** What the gate has, with the ids by which it is changed. */
export type Known = {
  kind: DeclaredKind;
  name: string;
  id: string;
  thing: Declared;
  /** Of a person's keys: their ids. */
  keyIds?: ReadonlyMap<string, string>;
};

const sorted = (names: readonly string[] = []) => [...new Set(names)].sort();
const byName = (record: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** A public key without its comment, a certificate without its line ends. */
export function bareKey(text: string): string {
  const words = text.trim().split(/\s+/);
  return text.trim().startsWith("-----") ? words.join(" ") : words.slice(0, 2).join(" ");
}

/** All that can differ. What a declaration leaves as it is has no field here. */
export function fieldsOf(thing: Declared): Fields {
  switch (thing.kind) {
    case "role":
      return {
        ...(!isBuiltIn(thing.name) && { description: thing.description, statements: thing.statements }),
        ...(thing.requests && { requests: thing.requests }),
      };
    case "user":
      return {
        displayName: thing.displayName ?? thing.name,
        roles: sorted(thing.roles),
        ...(thing.disabled !== undefined && { disabled: thing.disabled }),
        ...(thing.sshKeys && { sshKeys: sorted(thing.sshKeys.map(bareKey)) }),
      };
    case "team":
      return {
        description: thing.description,
        members: sorted(thing.members),
        leads: sorted(thing.leads),
      };
    case "target":
      return {
        protocol: thing.protocol,
        host: thing.host,
        port: portOf(thing),
        labels: byName(thing.labels),
        logins: byName(
          Object.fromEntries(
            thing.logins.map(({ name, credential }) => [
              name,
              credential === undefined ? {} : { credential },
            ]),
          ),
        ),
        allowRoles: sorted(thing.allowRoles),
        allowUsers: sorted(thing.allowUsers),
        permits: byName(Object.fromEntries(Object.entries(thing.permits).filter(([, may]) => may === true))),
        access: accessPolicy.parse(thing.access),
        ...(thing.hostTrust && {
          hostTrust: { kind: thing.hostTrust.kind, keys: sorted(thing.hostTrust.keys.map(bareKey)) },
        }),
      };
  }
}

export function portOf({ port, protocol }: DeclaredOf<"target">): number {
  return port ?? ports[protocol as keyof typeof ports];
}

export function declaredRole(role: Role): DeclaredOf<"role"> {
  const { name, description, statements, requests, builtIn } = role;
  return {
    kind: "role",
    name,
    description: builtIn ? "" : description,
    statements,
    ...(requests && { requests }),
  };
}

export function declaredUser(
  { name, displayName, roles, disabled }: Person,
  sshKeys: readonly string[] | undefined,
): DeclaredOf<"user"> {
  return {
    kind: "user",
    name,
    displayName: displayName ?? "",
    roles,
    disabled,
    ...(sshKeys && { sshKeys: [...sshKeys] }),
  };
}

export function declaredTeam({ name, description, members }: Team): DeclaredOf<"team"> {
  const names = (leads: boolean) =>
    members.filter((member) => member.leads === leads).map((member) => member.name);
  return { kind: "team", name, description, members: names(false), leads: names(true) };
}

export function declaredTarget(target: Target): DeclaredOf<"target"> {
  const { name, protocol, host, port, labels, allowRoles, allowUsers, permits, access, hostTrust } = target;
  return {
    kind: "target",
    name,
    protocol,
    host,
    port,
    labels,
    logins: target.logins.map(({ name: login, credential }) => ({
      name: login,
      ...(credential !== "none" && { credential }),
    })),
    allowRoles,
    allowUsers,
    permits,
    access,
    ...(hostTrust.kind !== "none" && {
      hostTrust: { kind: hostTrust.kind, keys: hostTrust.keys.map(({ publicKey }) => publicKey) },
    }),
  };
}

/** Of a role that is built in there is nothing to say but on which terms it can be asked for. */
export function isSaid(thing: Declared): boolean {
  return thing.kind !== "role" || !isBuiltIn(thing.name) || thing.requests !== undefined;
}

/** As a file would say it: what is left out anyway is left out. */
export function documentOf(thing: Declared): Record<string, unknown> {
  const says = (name: string, value: unknown) =>
    // Whoever has no role at all has not the one that a file without roles gives.
    name === "roles" || name === "kind" || name === "name" || !isNothing(value);
  const shown: Declared =
    thing.kind === "target"
      ? { ...thing, permits: Object.fromEntries(Object.entries(thing.permits).filter(([, may]) => may)) }
      : thing;
  const fields = Object.entries(shown).filter(([name, value]) =>
    name === "displayName" ? value !== thing.name : says(name, value),
  );
  return Object.fromEntries(fields);
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
