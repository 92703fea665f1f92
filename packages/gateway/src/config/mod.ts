/**
 * config: what the operator asked for, read once at the start.
 *
 * Owns: the configuration file and its variables, the core's schema, units of time and size, and errors that name the
 * key, what is wrong, what is expected and where it stands.
 * Never: knows a store or a protocol by name (they bring their own sections), reads anything after the start, or holds
 * a default that works only on one machine.
 */
export { type ConfigKey, configKeys } from "./keys.ts";
export { type ConfigCheck, type ConfigRequest, checkConfig, formatFinding, loadConfig } from "./load.ts";
export { type Config, type CoreConfig, type Sections, section } from "./schema.ts";
export { configurationPage } from "./page.ts";
export { gatewayNodeFlags } from "./node-flags.ts";
export type { RetentionRule } from "./retention.ts";
export type { ConfigFinding } from "./source.ts";
export { suggest } from "./suggest.ts";
export {
  type Address,
  type Duration,
  type Size,
  address,
  duration,
  formatAddress,
  formatDuration,
  formatSize,
  size,
} from "./units.ts";
