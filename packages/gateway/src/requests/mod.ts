/**
 * requests: access that somebody asks for and others decide about, and four eyes on a recording.
 *
 * Owns: who may ask for what by a target's policy, the reviews, the end of what was approved, and what becomes of sessions
 * that live by it.
 * Never: opens anything by itself (an approved request is a grant, which access weighs like any other right), lets somebody
 * review what they asked for, or forgets to say in the log who decided.
 */
export { type Requests, createRequests } from "./requests.ts";
export { createExpiry } from "./expiry.ts";
