/**
 * statements: what the text of a statement says, before a database has seen it.
 *
 * Owns: the tokens of SQL as PostgreSQL and MySQL cut them, and which of them are secrets.
 * Never: runs anything, knows a wire protocol, or decides by a word that merely stands somewhere in a text.
 */
export { maskSecrets, withoutQuoted } from "./secrets.ts";
export type { Dialect } from "./tokens.ts";
