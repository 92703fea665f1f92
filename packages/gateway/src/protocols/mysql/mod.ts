/**
 * mysql: sessions on MySQL and MariaDB databases, with the stock clients.
 *
 * Owns: the client/server protocol, TLS and the sign-in on both legs, the following of statements and their outcomes, and
 * the passing of all bytes as they came.
 * Never: forwards a statement that is not recorded, shows an outcome that is not, dials a target before its session is
 * admitted, or sends a credential to a server that has not proved itself.
 */
export { mysqlSection } from "./config.ts";
export { openMysql } from "./service.ts";
