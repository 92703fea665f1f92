import type { Clock, Random } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Config } from "../config/mod.ts";
import type { Keyring } from "../credentials/mod.ts";
import type { openDirectory } from "../directory/mod.ts";
import type { configSections } from "../registry/mod.ts";

/** What every part of the house stands on. */
export type Ground = {
  config: Config<typeof configSections>;
  keyring: Keyring;
  directory: Awaited<ReturnType<typeof openDirectory>>;
  audit: AuditLog;
  clock: Clock;
  random: Random;
};
