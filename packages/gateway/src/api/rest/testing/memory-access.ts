import { type Lock, type Role, type Team, builtInRoles } from "@gatehouse/contracts/rest";
import { type Clock, GatehouseError, newId, systemRandom } from "@gatehouse/kernel";
import type { RestDoors } from "../../door.ts";
import { memoryRequests } from "./memory-requests.ts";
import { samplePeople } from "./sample-sessions.ts";

/** Teams, locks and requests in memory: enough for the pages, and for what REST itself does with them. */
export function memoryAccess(
  clock: Clock,
): Pick<
  RestDoors,
  "teams" | "roles" | "locks" | "requests" | "explain" | "tokens" | "certificates" | "commandSignIn" | "oidc"
> {
  const iso = () => new Date(clock.nowMs()).toISOString();
  const { jane, sam } = samplePeople;
  const teams: Team[] = [
    {
      id: newId(clock.nowMs(), systemRandom),
      name: "web",
      description: "The shop, and what it runs on",
      members: [
        { userId: jane.id, name: jane.name, leads: false },
        { userId: sam.id, name: sam.name, leads: true },
      ],
      createdAt: iso(),
    },
  ];
  const locks: Lock[] = [
    {
      id: newId(clock.nowMs(), systemRandom),
      on: "login",
      name: "oracle",
      reason: "Shared password was found in a ticket",
      createdBy: "otto.auditor",
      createdAt: iso(),
      until: null,
    },
    {
      id: newId(clock.nowMs(), systemRandom),
      on: "address",
      name: "10.9.0.0/16",
      reason: "INC-4711: guest network until it is cleaned",
      createdBy: "ada.admin",
      createdAt: iso(),
      until: new Date(clock.nowMs() + 5 * 3_600_000).toISOString(),
    },
  ];
  const notFound = (what: string): never => {
    throw new GatehouseError({ code: "not_found", op: "memory", message: `there is no such ${what}` });
  };
  const teamOf = (id: string) => teams.find((team) => team.id === id) ?? notFound("team");
  const token = {
    id: newId(clock.nowMs(), systemRandom),
    name: "deploy pipeline",
    scopes: ["session.list", "session.view", "target.*"],
    createdAt: iso(),
    expiresAt: new Date(clock.nowMs() + 12 * 86_400_000).toISOString(),
    lastUsedAt: null,
  };
  const builtIn = (name: string): Role => ({
    name,
    description: "",
    builtIn: true,
    statements: [],
    requests: null,
    updatedAt: null,
  });
  const ownRole: Role = {
    name: "db-reader",
    description: "Opens databases to read, and watches what was done there",
    builtIn: false,
    statements: [
      {
        actions: ["session.open"],
        targets: { tier: ["db"], region: ["eu-west", "us-west"] },
        logins: ["readonly"],
      },
      { actions: ["session.view", "recording.play"], targets: { tier: ["db"] } },
      { actions: ["audit.read"] },
    ],
    requests: null,
    updatedAt: iso(),
  };
  return {
    teams: {
      list: async () => ({ items: teams, next: null }),
      get: async (id) => teamOf(id),
      async create(_principal, { name, description = "" }) {
        const made = {
          id: newId(clock.nowMs(), systemRandom),
          name,
          description,
          members: [],
          createdAt: iso(),
        };
        teams.push(made);
        return made;
      },
      update: async (_principal, id, { description }) =>
        Object.assign(teamOf(id), description !== undefined && { description }),
      async remove(_principal, id) {
        teams.splice(teams.indexOf(teamOf(id)), 1);
      },
    },
    roles: {
      list: async () => ({
        items: [...builtInRoles.map(builtIn), ownRole],
      }),
      get: async () => notFound("role"),
      set: async () => notFound("role"),
      setRequests: async () => notFound("role"),
      remove: async () => notFound("role"),
    },
    locks: {
      list: async () => ({ items: locks }),
      preview: async () => ({ sessions: 2, fault: null }),
      async create(principal, { on, name, reason }) {
        const id = newId(clock.nowMs(), systemRandom);
        const lock = {
          id,
          on,
          name,
          reason,
          createdBy: principal.subject.name,
          createdAt: iso(),
          until: null,
        };
        locks.push(lock);
        return { lock, ended: [] };
      },
      async remove(_principal, id) {
        const at = locks.findIndex((lock) => lock.id === id);
        if (at < 0) notFound("lock");
        locks.splice(at, 1);
      },
    },
    certificates: {
      list: async () => ({ items: [] }),
      createForSsh: async () => notFound("authority"),
      createForDatabase: async () => notFound("authority"),
      remove: async () => notFound("certificate"),
    },
    oidc: undefined,
    commandSignIn: {
      ask: async () => notFound("answer"),
      fetch: async () => notFound("sign-in"),
      get: async () => notFound("sign-in"),
      answer: async () => notFound("sign-in"),
    },
    tokens: {
      list: async (personId) => ({ items: personId === jane.id ? [token] : [] }),
      all: async () => ({ items: [{ ...token, owner: { id: jane.id, name: jane.name } }], next: null }),
      create: async () => notFound("person"),
      remove: async () => notFound("token"),
    },
    explain: { explain: async () => notFound("person") },
    ...memoryRequests(clock),
  };
}
