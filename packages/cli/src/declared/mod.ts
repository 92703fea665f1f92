/**
 * declared: people, teams, roles and targets as files say them.
 *
 * Owns: reading such files with every fault and its line, what differs from the gate, the order of the changes, and the same
 * words back from a gate.
 * Never: changes anything before all files were found good, removes a thing that no file names, or reads or prints a secret
 * that is stored.
 */
export { currentThings } from "./current.ts";
export { carryOut } from "./carry-out.ts";
export { type Change, plan } from "./plan.ts";
export { readDeclared } from "./read.ts";
export { documentOf, isSaid } from "./things.ts";
export { diffLines } from "./diff-lines.ts";
