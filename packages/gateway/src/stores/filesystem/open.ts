import { resolve } from "node:path";
import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import type { FilesystemStoreConfig } from "./config.ts";
import { createFilesystemStore } from "./filesystem-store.ts";

/** From the configuration's `store` section. `location` is for people. */
export function openFilesystemStore(
  config: FilesystemStoreConfig,
  options: { dataDir: string; clock: Clock; random: Random },
): Promise<{ store: ObjectStore; location: string }> {
  const directory = resolve(options.dataDir, config.path ?? "recordings");
  const { clock, random } = options;
  const store = createFilesystemStore({ directory, clock, random, immutable: config.immutable });
  return Promise.resolve({ store, location: directory });
}
