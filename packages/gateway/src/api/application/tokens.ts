import type { ApiToken } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { actions, covers } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import type { ApiTokens, ApiToken as StoredToken, Users } from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { Principal, TokensDoor } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { type RightsOf, checkActsFor } from "./given-roles.ts";
import { noteChange } from "./note.ts";
import { found, isoTime, pageRequest, wirePage } from "./page.ts";

const dayMs = 24 * 3_600_000;

export function createTokens(
  options: RightsOf & {
    users: Pick<Users, "byId">;
    apiTokens: Pick<ApiTokens, "ofUser" | "list" | "remove">;
    identity: Pick<Identity, "createApiToken">;
    audit: Pick<AuditLog, "append">;
  },
): TokensDoor {
  const { users, apiTokens, identity, audit } = options;
  const note = (principal: Principal, event: string, owner: string, token: StoredToken) =>
    noteChange(audit, principal, event, {
      token_id: token.id,
      name: token.name,
      owner,
      scopes: [...token.scopes],
      expires: isoTime(token.expiresAtMs),
    });

  return {
    list: async (personId) => ({ items: (await apiTokens.ofUser(personId)).map(words) }),
    async all(query) {
      return wirePage(await apiTokens.list(pageRequest(query)), ({ userName, ...token }) => ({
        ...words(token),
        owner: { id: token.userId, name: userName },
      }));
    },
    async create(principal, personId, { name, scopes, days = 90 }) {
      requireNoToken(principal, "make tokens");
      const strange = scopes.filter((scope) => !actions.some((action) => covers(scope, action)));
      if (strange.length > 0)
        throw new GatehouseError({
          code: "invalid",
          op: "tokens.create",
          message: `there is nothing that ${strange.join(", ")} would allow`,
          hint: `There are ${actions.join(", ")}.`,
        });
      const person = found(await users.byId(personId), "person", personId);
      await checkActsFor(options, principal, person);
      const { token, kept } = await identity.createApiToken(personId, { name, scopes, ttlMs: days * dayMs });
      await note(principal, "api_token.create", person.name, kept);
      return { ...words(kept), token };
    },
    async remove(principal, personId, id) {
      const person = found(await users.byId(personId), "person", personId);
      const token = found(
        (await apiTokens.ofUser(personId)).find((one) => one.id === id),
        "token",
        id,
      );
      await apiTokens.remove(personId, id);
      await note(principal, "api_token.delete", person.name, token);
    },
  };
}

function words({ id, name, scopes, createdAtMs, expiresAtMs, lastUsedAtMs }: StoredToken): ApiToken {
  return {
    id,
    name,
    scopes: [...scopes],
    createdAt: isoTime(createdAtMs),
    expiresAt: isoTime(expiresAtMs),
    lastUsedAt: lastUsedAtMs === undefined ? null : isoTime(lastUsedAtMs),
  };
}
