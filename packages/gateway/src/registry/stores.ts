import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { z } from "zod";
import {
  azureStoreSchema,
  filesystemStoreSchema,
  gcsStoreSchema,
  openAzureStore,
  openFilesystemStore,
  openGcsStore,
  openS3Store,
  s3StoreSchema,
} from "../stores/mod.ts";

/** The `store` section: each kind of store brings its own keys. */
export const storeSection = z
  .discriminatedUnion("type", [filesystemStoreSchema, s3StoreSchema, azureStoreSchema, gcsStoreSchema])
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
    case "s3": {
      return { kind: config.type, ...(await openS3Store(config, options)) };
    }
    case "azure": {
      return { kind: config.type, ...(await openAzureStore(config, options)) };
    }
    case "gcs": {
      return { kind: config.type, ...(await openGcsStore(config, options)) };
    }
  }
}
