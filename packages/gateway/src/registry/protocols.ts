import { mysqlSection } from "../protocols/mysql/mod.ts";
import { postgresSection } from "../protocols/postgres/mod.ts";
import { sshSection } from "../protocols/ssh/mod.ts";

/** The configuration's sections of the protocols, by name. */
export const protocolSections = {
  ssh: sshSection,
  postgres: postgresSection,
  mysql: mysqlSection,
} as const;
