/**
 * access: may they? One pure decision, asked by every page, route, command and protocol.
 *
 * Owns: the roles, the actions, the rules, and the answer with the rule that gave it.
 * Never: looks anything up, keeps state, knows the time by itself, or lets a caller decide in its place. What it needs
 * to know comes in the question.
 */
export {
  type Action,
  type Context,
  type Decision,
  type Grant,
  type Lock,
  type People,
  type Proof,
  type Question,
  type Resource,
  type Role,
  type RoleStatement,
  type Subject,
  type TargetFacts,
  actions,
  decide,
  roles,
} from "./decide.ts";
export { type SessionScope, sessionScope } from "./scope.ts";
export { fits } from "./selector.ts";
export { isNetwork } from "./networks.ts";
export { faultOf, isBuiltIn, mayGiveRole, notTheirsToGive } from "./giving.ts";
export { covers, isShut } from "./restrictions.ts";
