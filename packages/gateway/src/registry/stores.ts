import type { Clock, GatehouseError, Random } from "@gatehouse/kernel";
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
  requireImmutability,
  s3StoreSchema,
} from "../stores/mod.ts";

export { unenforced } from "../stores/mod.ts";

/** The `store` section: each kind of store brings its own keys. */
export const storeSection = z
  .discriminatedUnion("type", [filesystemStoreSchema, s3StoreSchema, azureStoreSchema, gcsStoreSchema])
  .prefault({ type: "filesystem" })
  .describe("Where recordings are kept.");
export type StoreConfig = z.output<typeof storeSection>;

export type OpenedStore = {
  store: ObjectStore;
  kind: string;
  /** For people. */
  location: string;
  /** Why a gateway in production must not use it, as its last probe saw; always undefined where it need not enforce. */
  refusal(): GatehouseError | undefined;
};

/** With `mustEnforce`, the store's probe fails while it does not itself refuse to overwrite and remove recordings. */
export async function openStore(
  config: StoreConfig,
  options: { dataDir: string; clock: Clock; random: Random; mustEnforce: boolean },
): Promise<OpenedStore> {
  const { store, location } = await openPlain(config, options);
  const strict = options.mustEnforce && !config.accept_unenforced_immutability;
  return {
    kind: config.type,
    location,
    ...(strict ? requireImmutability(store) : { store, refusal: () => undefined }),
  };
}

function openPlain(
  config: StoreConfig,
  options: { dataDir: string; clock: Clock; random: Random },
): Promise<{ store: ObjectStore; location: string }> {
  switch (config.type) {
    case "filesystem":
      return openFilesystemStore(config, options);
    case "s3":
      return openS3Store(config, options);
    case "azure":
      return openAzureStore(config, options);
    case "gcs":
      return openGcsStore(config, options);
  }
}
