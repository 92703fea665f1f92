import { GatehouseError } from "@gatehouse/kernel";
import type { Decision } from "../access/mod.ts";
import type { SessionAccess, Target } from "../directory/mod.ts";

/**
 * What a session keeps of the decision that lets it in. Throws `unknown` for whoever may not use the target, who does not
 * learn that it is there; and `denied` with the reason for who may, but not now.
 */
export function admitted(decision: Decision, target: Target, unknown: GatehouseError): SessionAccess {
  const { allowed, rule, grant, wouldAllow, because } = decision;
  if (!allowed && wouldAllow === undefined) throw unknown;
  if (!allowed)
    throw new GatehouseError({
      code: "denied",
      op: "access.session",
      message: because ?? "this is not allowed now",
      details: { rule },
    });
  const approvals = target.access.playback?.approvals;
  return {
    rule,
    ...(grant && { requestId: grant.requestId, untilMs: grant.untilMs }),
    ...(approvals !== undefined && { approvals }),
  };
}
