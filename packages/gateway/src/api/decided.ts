import { GatehouseError } from "@gatehouse/kernel";
import type { Action, Resource } from "../access/mod.ts";
import type { AccessDoor, Principal } from "./door.ts";
import { found } from "./application/page.ts";

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
