/**
 * postgres: sessions on PostgreSQL databases, with the stock clients.
 *
 * Owns: the frontend/backend protocol 3, TLS and the sign-in on both legs, the following of statements and their
 * outcomes, and the passing of all bytes as they came.
 * Never: forwards a statement that is not recorded, shows an outcome that is not, dials a target before its session is
 * admitted, or sends a credential to a server that has not proved itself.
 */
export { postgresSection } from "./config.ts";
export { type PostgresEntrance, openPostgres } from "./service.ts";
