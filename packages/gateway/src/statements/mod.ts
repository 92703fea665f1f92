/**
 * statements: what the text of a statement says, before a database has seen it.
 *
 * Owns: the tokens of SQL as PostgreSQL and MySQL cut them, which of them are secrets, what a statement does as a parser
 * reads it, and a target's rules about that.
 * Never: runs anything, knows a wire protocol, decides by a word that merely stands somewhere in a text, or takes for
 * harmless what it could not read.
 */
export { maskSecrets, withoutQuoted } from "./secrets.ts";
export { type Dialect, tokens } from "./tokens.ts";
export type { NamedRun } from "./reading.ts";
export { type StatementRules, type StatementVerdict, statementRules } from "./rules.ts";
