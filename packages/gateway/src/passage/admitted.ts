import { GatehouseError } from "@gatehouse/kernel";
import type { Decision, Question, Subject } from "../access/mod.ts";
import { type SessionAccess, type Target, requestResource, targetResource } from "../directory/mod.ts";

/**
 * What a session keeps of the decision that lets it in. Throws `unknown` for whoever may neither use the target nor ask for
 * it, and who does not learn that it is there; and `denied` with the reason for who may, but not now.
 */
export function admitted(options: {
  subject: Subject;
  target: Target;
  login: string;
  remoteAddress: string;
  decide(question: Question): Decision;
  unknown: GatehouseError;
}): SessionAccess {
  const { subject, target, login, decide } = options;
  const context = { remoteAddress: options.remoteAddress };
  const { allowed, rule, grant, wouldAllow, because } = decide({
    subject,
    action: "session.open",
    resource: targetResource(target, login),
    context,
  });
  if (!allowed && wouldAllow === undefined) {
    const asked = requestResource(target);
    if (!asked || !decide({ subject, action: "request.create", resource: asked, context }).allowed)
      throw options.unknown;
    throw new GatehouseError({
      code: "denied",
      op: "access.session",
      message: `${target.name} opens to you as ${login} when somebody approves it`,
      hint: `Ask for it: gatehouse requests create ${target.name} --login ${login} --reason '...'`,
    });
  }
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
    ...(target.access.watermark === true && { watermark: true as const }),
  };
}
