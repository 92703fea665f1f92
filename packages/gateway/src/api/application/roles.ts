import { type RequestPolicy, type Role, requestPolicy } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { faultOf, isBuiltIn, notTheirsToGive, roles as builtIn } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import {
  type AccessRequests,
  type Roles,
  type StoredRole,
  type Targets,
  type Users,
  everyItem,
} from "../../directory/mod.ts";
import type { Principal, RolesDoor } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { checkGiven, checkThere, rolesIn } from "./given-roles.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

const rolesMax = 500;

/** The operator's own roles. Nobody puts into one, nor gives by one, what they have not themselves. */
export function createRoles(options: {
  roles: Roles;
  users: Pick<Users, "list">;
  targets: Pick<Targets, "list">;
  accessRequests: Pick<AccessRequests, "openOfRole">;
  audit: Pick<AuditLog, "append">;
  /** Called when what somebody may do has changed. */
  rightsChanged(): void;
}): RolesDoor {
  const { roles, users, targets, accessRequests, audit, rightsChanged } = options;
  const note = (principal: Principal, event: string, { name, statements }: StoredRole) =>
    noteChange(audit, principal, event, {
      name,
      ...(event !== "role.deleted" && { statements: statements.map((one) => JSON.stringify(one)) }),
    });

  async function holderOf(role: string): Promise<string | undefined> {
    for await (const user of everyItem((page) => users.list({}, page)))
      if (user.roles.includes(role)) return user.name;
    return undefined;
  }
  /** The targets, and the terms of other roles, that name it. */
  async function namersOf(role: string): Promise<string[]> {
    const namers: string[] = [];
    for await (const { name, allowed, access } of everyItem((page) => targets.list({}, page)))
      if (rolesIn({ allowRoles: allowed.roles, access }).includes(role)) namers.push(`the target ${name}`);
    for (const [name, requests] of await roles.requestPolicies())
      if (name !== role && rolesIn({ access: { requests } }).includes(role))
        namers.push(`the terms of the role ${name}`);
    return namers;
  }
  const policyOf = async (name: string) => (await roles.requestPolicies()).get(name);

  async function get(name: string): Promise<Role> {
    const policy = await policyOf(name);
    return isBuiltIn(name)
      ? builtInWords(name, policy)
      : words(found(await roles.byName(name), "role", name), policy);
  }

  return {
    async list() {
      const policies = await roles.requestPolicies();
      const own = await roles.list();
      return {
        items: [
          ...builtIn.map((name) => builtInWords(name, policies.get(name))),
          ...own.map((role) => words(role, policies.get(role.name))),
        ],
      };
    },
    get,
    async set(principal, name, { description = "", statements = [] }) {
      requireNoToken(principal, "change roles");
      if (isBuiltIn(name)) throw unchangeable(name);
      for (const [at, statement] of statements.entries()) {
        const fault = faultOf(statement);
        if (fault !== undefined) throw invalid(`statement ${at + 1}: ${fault}`);
        const missing = notTheirsToGive(principal.subject, statement);
        if (missing !== undefined)
          throw new GatehouseError({
            code: "denied",
            op: "roles.set",
            message: `statement ${at + 1}: nobody can give what they have not, and you have not got ${missing} there`,
          });
      }
      const before = await roles.byName(name);
      if (!before && (await roles.list()).length >= rolesMax)
        throw invalid(`there are ${rolesMax} roles already`);
      const role = await roles.set(name, { description, statements });
      rightsChanged();
      await note(principal, before ? "role.updated" : "role.created", role);
      return words(role, await policyOf(name));
    },
    async setRequests(principal, name, wanted) {
      requireNoToken(principal, "change roles");
      const role = await get(name);
      if (name === "user") throw invalid("everybody is a user: nobody needs to ask for it");
      // Who says on which terms a role is had could have it had on any.
      await checkGiven(roles, principal, [name]);
      const policy = wanted && requestPolicy.parse(wanted);
      if (policy) await checkThere(roles, rolesIn({ access: { requests: policy } }));
      await roles.setRequestPolicy(name, policy);
      rightsChanged();
      await noteChange(audit, principal, "role.updated", {
        name,
        requests: policy ? JSON.stringify(policy) : "none",
      });
      return { ...role, requests: policy ?? null };
    },
    async remove(principal, name) {
      if (isBuiltIn(name)) throw unchangeable(name);
      const role = found(await roles.byName(name), "role", name);
      // Else whoever had it would have another one, should it ever be made again.
      const holder = await holderOf(name);
      if (holder !== undefined)
        throw new GatehouseError({
          code: "conflict",
          op: "roles.remove",
          message: `${holder} has the role ${name}`,
          hint: "Take it from everybody first.",
        });
      const [asked] = await accessRequests.openOfRole(name);
      if (asked)
        throw new GatehouseError({
          code: "conflict",
          op: "roles.remove",
          message: `${asked.user.name} has asked for the role ${name}`,
          hint: `The request ${asked.id} must be over first: denied, taken back, or at its end.`,
        });
      const namers = await namersOf(name);
      if (namers.length > 0)
        throw new GatehouseError({
          code: "conflict",
          op: "roles.remove",
          message: `the role ${name} is named by ${namersWords(namers)}`,
          hint: "Take it out of them first: another role of this name would be let in there.",
        });
      await roles.remove(name);
      rightsChanged();
      await note(principal, "role.deleted", role);
    },
  };
}

const descriptions: Record<(typeof builtIn)[number], string> = {
  "platform-admin": "all recordings and live sessions; targets, people, teams, roles, locks and health",
  "security-analyst": "all recordings and live sessions; locks; people and the audit log to read",
  auditor: "all recordings; people, locks and the audit log to read",
  "team-lead": "recordings of their team; joins and ends its live sessions",
  user: "their own recordings; everybody is one",
};

function builtInWords(name: string, requests: RequestPolicy | undefined): Role {
  const description = descriptions[name as keyof typeof descriptions];
  return { name, description, builtIn: true, statements: [], requests: requests ?? null, updatedAt: null };
}

function words(
  { name, description, statements, updatedAtMs }: StoredRole,
  requests: RequestPolicy | undefined,
): Role {
  return {
    name,
    description,
    builtIn: false,
    statements: [...statements],
    requests: requests ?? null,
    updatedAt: isoTime(updatedAtMs),
  };
}

const namersShown = 10;

function namersWords(namers: readonly string[]): string {
  const more = namers.length - namersShown;
  return namers.slice(0, namersShown).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function unchangeable(name: string): GatehouseError {
  return new GatehouseError({
    code: "conflict",
    op: "roles",
    message: `${name} is built in, and cannot be changed`,
    hint: "Make one of your own with another name.",
  });
}
function invalid(message: string, hint?: string): GatehouseError {
  return new GatehouseError({ code: "invalid", op: "roles", message, hint });
}
