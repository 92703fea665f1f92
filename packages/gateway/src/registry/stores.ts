import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { z } from "zod";
import { filesystemStoreSchema, openFilesystemStore } from "../stores/mod.ts";

/** The `store` section: each kind of store brings its own keys. */
export const storeSection = z
  .discriminatedUnion("type", [filesystemStoreSchema])
  .prefault({ type: "filesystem" })
  .describe("Where recordings are kept.");
export type StoreConfig = z.output<typeof storeSection>;

export type OpenedStore = { store: ObjectStore; kind: string; location: string };

export async function openStore(
  config: StoreConfig,
  options: { dataDir: string; clock: Clock; random: Random },
): Promise<OpenedStore> {
  switch (config.type) {
    case "filesystem": {
      return { kind: config.type, ...(await openFilesystemStore(config, options)) };
    }
  }
}
