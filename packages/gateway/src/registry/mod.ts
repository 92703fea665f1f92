/**
 * registry: what this gateway can do, one line per plug-in, in explicit typed arrays.
 *
 * Owns: the lists of protocols and stores, and what each adds to the configuration.
 * Never: constructs one (compose does), or finds plug-ins by import side effects.
 */
export { openKms } from "./kms.ts";
export { configSections } from "./sections.ts";
export { openStore, unenforced } from "./stores.ts";
