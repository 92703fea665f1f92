import { GatehouseError } from "@gatehouse/kernel";
import type { Action, Resource } from "../access/mod.ts";
import type { WebSession } from "../directory/mod.ts";
import type { AccessDoor, Principal, TargetScope } from "./door.ts";
import { found } from "./application/page.ts";

/**
 * For what would outlive or outgrow a token: another token, a sign-in link, an SSH key, roles. Else whoever has a token could
 * make of it what may do more.
 */
export function requireNoToken({ subject }: Principal, what: string): void {
  if (subject.proof?.scopes === undefined) return;
  throw new GatehouseError({
    code: "denied",
    op: "api.token",
    message: `a token may not ${what}`,
    hint: "Sign in yourself: gatehouse login.",
  });
}

/** For what only a person may do for themselves, signed in: not a program, and not the machine's administrator. */
export function ownSession(principal: Principal, what: string): WebSession {
  requireNoToken(principal, what);
  if (principal.session) return principal.session;
  throw new GatehouseError({
    code: "denied",
    op: "api.session",
    message: `only a person who is signed in may ${what} for themselves`,
    hint: "Sign in yourself: gatehouse login.",
  });
}

/**
 * Returns where it is allowed. Throws `denied` with why; and for a thing whose existence is not for everybody, `not_found`
 * exactly as for one that never was.
 */
export function requireAllowed(
  access: Pick<AccessDoor, "decide">,
  principal: Principal,
  action: Action,
  { resource = {}, hidden }: { resource?: Resource; hidden?: { what: string; id: string } | undefined } = {},
): void {
  const { allowed, because } = access.decide(principal, action, resource);
  if (allowed) return;
  if (hidden) found(undefined, hidden.what, hidden.id);
  throw new GatehouseError({
    code: "denied",
    op: `api.${action}`,
    message: because ?? `${principal.subject.name} may not do this (${action})`,
    hint: because === undefined ? "Ask an administrator for a role that allows it." : undefined,
  });
}

/** Which targets somebody may know of: who may see everybody's sessions sees all; others those that they may go to. */
export function targetScope(access: Pick<AccessDoor, "decide">, principal: Principal): TargetScope {
  return access.decide(principal, "session.view", {}).allowed ? "all" : { subject: principal.subject };
}
