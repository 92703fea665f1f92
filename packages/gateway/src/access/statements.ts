import type { Action, Resource, RoleStatement } from "./decide.ts";
import { fits } from "./selector.ts";

/** Sessions and recordings are always somebody's on some target: a statement must say which targets it means. */
export function needsTargets(action: string): boolean {
  return /^(session|recording)\./.test(action);
}

/** Who may ask, and who decides, is said where it is asked for: a role that allowed it would let people decide about themselves. */
export function neverByRole(action: string): boolean {
  return action === "request.create" || action === "request.review";
}

/** Whether an operator-defined role's statement allows it. It can allow nothing but the actions that it names. */
export function allowsBy(
  { actions, targets, logins }: RoleStatement,
  action: Action,
  { target, login }: Resource,
): boolean {
  if (!actions.includes(action) || neverByRole(action)) return false;
  if (targets === undefined) return !needsTargets(action);
  if (target === undefined || !fits(targets, target.labels)) return false;
  if (action !== "session.open") return true;
  return (
    login !== undefined &&
    target.logins.includes(login) &&
    logins !== undefined &&
    (logins.includes("*") || logins.includes(login))
  );
}
