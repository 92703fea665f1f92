/**
 * locks: what is live ends when somebody shuts it.
 *
 * Owns: finding this gateway's live sessions that a lock stands against, whichever gateway it was set on, and ending them.
 * Never: decides who may set or lift a lock (access does), or keeps anything from beginning: that is in every decision.
 */
export { type LockKeeper, createLockKeeper } from "./keeper.ts";
