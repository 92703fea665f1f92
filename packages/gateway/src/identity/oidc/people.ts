import { GatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../../audit/mod.ts";
import type { OidcAccounts, Team, Teams, User, Users } from "../../directory/mod.ts";
import type { OidcConfig } from "./config.ts";
import type { OidcClaims } from "./provider.ts";

/** As people's names are everywhere: no white space, no separators. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

/** Finds or adds the person whom a provider's claims are about, and brings their roles and teams to what their groups give. */
export function createOidcPeople(options: {
  config: Pick<
    OidcConfig,
    "person_claim" | "verified_email" | "create" | "groups_claim" | "roles" | "teams" | "team_leads"
  >;
  users: Pick<Users, "byId" | "byName" | "create" | "update">;
  teams: Pick<Teams, "byName" | "update">;
  accounts: OidcAccounts;
  audit: Pick<AuditLog, "append">;
  /** Called when what somebody may do has changed. */
  rightsChanged(): void;
}): (claims: OidcClaims) => Promise<User> {
  const { config, users, teams, accounts, audit } = options;
  const managedTeams = new Set([...Object.values(config.teams), ...Object.values(config.team_leads)].flat());

  return async (claims) => {
    const groups = groupsIn(claims[config.groups_claim]);
    const account = { issuer: claims.iss, subject: claims.sub };
    const linked = await accounts.userOf(account);
    const known = linked === undefined ? undefined : await users.byId(linked);
    let user = known ?? (await firstTime(claims, account, groups));
    if (user.disabled) throw refused(`${user.name} is shut out`);
    user = await withRoles(user, groups);
    await withTeams(user, groups);
    return user;
  };

  /** An account that was never here: the person whom it names, or a new one where that is allowed. */
  async function firstTime(
    claims: OidcClaims,
    account: { issuer: string; subject: string },
    groups: readonly string[],
  ): Promise<User> {
    const name = claims[config.person_claim];
    if (typeof name !== "string" || !nameForm.test(name))
      throw refused(`the claim ${config.person_claim} is no name that people can have here`);
    // Else whoever may write any address into their account is whoever has that address here.
    if (config.person_claim === "email" && config.verified_email && claims["email_verified"] !== true)
      throw refused("the provider has not verified the address");
    const there = await users.byName(name);
    if (!there && !mayBeAdded(groups)) throw refused(`${name} is nobody here, and nobody is added for it`);
    const user = there ?? (await added(name, claims));
    await accounts.link({ ...account, userId: user.id });
    return user;
  }

  function mayBeAdded(groups: readonly string[]): boolean {
    const named = [config.roles, config.teams, config.team_leads];
    return (
      config.create === "anybody" ||
      (config.create === "grouped" && groups.some((group) => named.some((map) => Object.hasOwn(map, group))))
    );
  }

  async function added(name: string, claims: OidcClaims): Promise<User> {
    const said = claims["name"];
    const displayName = typeof said === "string" && said !== "" ? said.slice(0, 256) : name;
    const user = await users.create({ name, displayName, roles: ["user"] });
    await audit.append({
      event: "user.create",
      user: "oidc",
      success: true,
      fields: { user_id: user.id, name, roles: [...user.roles] },
    });
    return user;
  }

  async function withRoles(user: User, groups: readonly string[]): Promise<User> {
    if (Object.keys(config.roles).length === 0) return user;
    const roles = [...new Set(["user", ...givenBy(config.roles, groups)])].toSorted();
    if (roles.join() === [...new Set(["user", ...user.roles])].toSorted().join()) return user;
    const changed = await users.update(user.id, { roles });
    options.rightsChanged();
    await audit.append({
      event: "user.update",
      user: "oidc",
      success: true,
      fields: {
        user_id: user.id,
        name: user.name,
        roles: [...changed.roles],
        disabled: changed.disabled,
        changed: ["roles"],
      },
    });
    return changed;
  }

  async function withTeams(user: User, groups: readonly string[]): Promise<void> {
    const leads = givenBy(config.team_leads, groups);
    const member = new Set([...givenBy(config.teams, groups), ...leads]);
    for (const name of managedTeams) {
      // A team that nobody made yet is not made by an identity provider.
      const team = await teams.byName(name);
      if (!team) continue;
      const wanted = member.has(name) ? { leads: leads.includes(name) } : undefined;
      const is = team.members.find(({ userId }) => userId === user.id);
      if (wanted?.leads === is?.leads) continue;
      const others = team.members.filter(({ userId }) => userId !== user.id);
      const members = wanted ? [...others, { userId: user.id, leads: wanted.leads }] : others;
      await teamChanged(await teams.update(team.id, { members }));
    }
  }

  async function teamChanged({ id, name, members }: Team): Promise<void> {
    options.rightsChanged();
    await audit.append({
      event: "team.update",
      user: "oidc",
      success: true,
      fields: {
        team_id: id,
        name,
        members: members.map((member) => member.name),
        leads: members.filter((member) => member.leads).map((member) => member.name),
      },
    });
  }
}

const groupsMax = 1_000;
function groupsIn(claim: unknown): string[] {
  const all: unknown[] = Array.isArray(claim) ? claim.slice(0, groupsMax) : [claim];
  return all.filter((group) => typeof group === "string");
}

function givenBy(map: Readonly<Record<string, readonly string[]>>, groups: readonly string[]): string[] {
  return groups.flatMap((group) => (Object.hasOwn(map, group) ? (map[group] ?? []) : []));
}

function refused(why: string): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "oidc.person",
    message: `signing in is refused: ${why}`,
    hint: "Ask whoever runs this gateway.",
  });
}
