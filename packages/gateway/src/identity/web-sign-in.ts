import type { AuditLog } from "../audit/mod.ts";
import type { User, WebSession } from "../directory/mod.ts";
import type { BeginSession } from "./begin-session.ts";
import type { SecondStep, Waiting } from "./factors/second-step.ts";
import type { Person } from "./identity.ts";
import { noteRefusal } from "./note-refusal.ts";
import type { Standing } from "./standing.ts";

/** Where a request comes from. */
export type From = { remoteAddress: string; userAgent: string };

/** A web session that has just begun. The token is shown once. */
export type SignedIn = { token: string; person: Person; session: WebSession };

/** Letting somebody in, or not, in a browser or anything that speaks like one. */
export type WebSignIn = {
  /** The person was proved: notes it, then begins a session with a token of its own, unless they must show something more. */
  begin(user: User, how: From & { method: string }): Promise<SignedIn | Waiting>;
  /** Notes that somebody was not let in. `name` is only ever that of somebody known: what a stranger typed may be a secret. */
  failed(name: string | undefined, how: From & { method: string; error: string }): Promise<void>;
};

export function createWebSignIn({
  beginSession,
  secondStep,
  standing,
  audit,
}: {
  beginSession: BeginSession;
  secondStep: Pick<SecondStep, "waitFor">;
  standing: Standing;
  audit: Pick<AuditLog, "append">;
}): WebSignIn {
  return {
    async begin(user, how) {
      const waiting = await secondStep.waitFor(user, how);
      if (waiting) return waiting;
      const { token, session } = await beginSession(user, how);
      return { token, person: await personOf(user, standing), session };
    },
    failed: (name, how) => noteRefusal(audit, name, how),
  };
}

export async function personOf(user: User, standing: Standing): Promise<Person> {
  const { id, name, displayName } = user;
  return { id, name, displayName, ...(await standing(user)) };
}
