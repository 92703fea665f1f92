import type { Explanation } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { type Action, type Decision, type Question, type Resource, actions } from "../../access/mod.ts";
import {
  type Resources,
  type SessionEntries,
  type Targets,
  type Users,
  targetResource,
} from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { ExplainDoor } from "../door.ts";
import { found } from "./page.ts";

/** Asks the same question as whoever would be asked, of the same function, and tells the whole answer. */
export function createExplain(options: {
  users: Pick<Users, "byName">;
  identity: Pick<Identity, "personById">;
  targets: Pick<Targets, "byName">;
  sessions: Pick<SessionEntries, "byId">;
  resources: Pick<Resources, "ofSession">;
  decide(question: Question): Decision;
}): ExplainDoor {
  const { users, identity, targets, sessions, resources, decide } = options;
  return {
    async explain({ user, action, target, login, session, address }) {
      if (!(actions as readonly string[]).includes(action))
        throw new GatehouseError({
          code: "invalid",
          op: "access.explain",
          message: `there is no action ${action}`,
          hint: `There are ${actions.join(", ")}.`,
        });
      const known = found(await users.byName(user), "person", user);
      const subject = found(await identity.personById(known.id), "active person", user);
      let resource: Resource = {};
      if (session !== undefined)
        resource = await resources.ofSession(found(await sessions.byId(session), "session", session));
      else if (target !== undefined)
        resource = targetResource(found(await targets.byName(target), "target", target), login);
      const context = address === undefined ? {} : { remoteAddress: address };
      const decision = decide({ subject, action: action as Action, resource, context });
      return {
        allowed: decision.allowed,
        rule: decision.rule,
        wouldAllow: decision.wouldAllow ?? null,
        because: decision.because ?? null,
        request: decision.grant?.requestId ?? null,
        roles: [...subject.roles],
      } satisfies Explanation;
    },
  };
}
