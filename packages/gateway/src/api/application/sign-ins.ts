import type { SignIn } from "@gatehouse/contracts/rest";
import type { AuditLog } from "../../audit/mod.ts";
import type { Users, WebSession, WebSessions } from "../../directory/mod.ts";
import type { Principal, SignInsDoor } from "../door.ts";
import { requireNoToken } from "../decided.ts";
import { noteChange } from "./note.ts";
import { found, isoTime } from "./page.ts";

/** Where somebody is signed in, and ending it. */
export function createSignIns({
  users,
  webSessions,
  audit,
}: {
  users: Pick<Users, "byId">;
  webSessions: Pick<WebSessions, "ofUser" | "revokeOne">;
  audit: Pick<AuditLog, "append">;
}): SignInsDoor {
  async function ofPerson(personId: string) {
    const person = found(await users.byId(personId), "person", personId);
    return { person, open: await webSessions.ofUser(personId) };
  }

  async function end(principal: Principal, owner: string, { userId, id }: WebSession) {
    await noteChange(audit, principal, "user.logout", { reason: "revoked", owner, web_session_id: id });
    await webSessions.revokeOne(userId, id);
  }

  return {
    async list(principal, personId) {
      const { open } = await ofPerson(personId);
      return { items: open.map((session) => words(session, principal)) };
    },
    async end(principal, personId, id) {
      requireNoToken(principal, "end sign-ins");
      const { person, open } = await ofPerson(personId);
      const session = found(
        open.find((one) => one.id === id),
        "sign-in",
        id,
      );
      await end(principal, person.name, session);
    },
    async endOthers(principal, personId) {
      requireNoToken(principal, "end sign-ins");
      const { person, open } = await ofPerson(personId);
      const others = open.filter(({ id }) => id !== principal.session?.id);
      for (const session of others) await end(principal, person.name, session);
      return { ended: others.length };
    },
  };
}

function words(session: WebSession, principal: Principal): SignIn {
  const { id, method, remoteAddress, userAgent, createdAtMs, lastSeenAtMs, expiresAtMs, mfaAtMs } = session;
  return {
    id,
    method,
    remoteAddress,
    client: userAgent,
    createdAt: isoTime(createdAtMs),
    lastSeenAt: isoTime(lastSeenAtMs),
    expiresAt: isoTime(expiresAtMs),
    mfaAt: mfaAtMs === undefined ? null : isoTime(mfaAtMs),
    current: id === principal.session?.id,
  };
}
