import type { AuditLog } from "../../audit/mod.ts";
import type { Users } from "../../directory/mod.ts";
import type { LocalAccounts } from "../../identity/mod.ts";
import type { AccountsDoor, Principal } from "../door.ts";
import { ownSession } from "../decided.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

/** How people sign in, and how they change it. */
export function createAccounts({
  users,
  accounts,
  audit,
}: {
  users: Pick<Users, "byId">;
  accounts: LocalAccounts;
  audit: Pick<AuditLog, "append">;
}): AccountsDoor {
  const note = (principal: Principal, event: string, fields: Record<string, unknown>) =>
    noteChange(audit, principal, event, fields);
  const personOf = async (id: string) => found(await users.byId(id), "person", id);

  return {
    async waysIn() {
      return {
        items: [
          ...(accounts.passwordsOpen ? [{ kind: "password" as const }] : []),
          { kind: "passkey" },
          { kind: "link" },
        ],
      };
    },
    async signInFacts(personId) {
      await personOf(personId);
      const setAtMs = await accounts.passwordSetAtMs(personId);
      return { password: setAtMs === undefined ? null : { setAt: isoTime(setAtMs) } };
    },
    async setPassword(principal, change) {
      const session = ownSession(principal, "set a password");
      await accounts.setPassword(session, change, principal.remoteAddress);
    },
    async removePassword(principal, personId) {
      const { id, name } = await personOf(personId);
      found((await accounts.removePassword(id)) ? true : undefined, "password of", name);
      await note(principal, "user.password_delete", { user_id: id, name });
    },
  };
}
