import { type RawBuilder, type SqlBool, sql } from "kysely";

/** Whether the facts of a session, which are kept as JSON text, say this. */
export function factsSay(name: "gatewayId", value: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.ref("sessions.facts")} like ${`%"${name}":"${value}"%`}`;
}
