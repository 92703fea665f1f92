import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { createServiceStore } from "../service-store.ts";
import type { GcsStoreConfig } from "./config.ts";

/** From the configuration's `store` section. Credentials are Google's application default credentials. */
export async function openGcsStore(
  config: GcsStoreConfig,
  options: { clock: Clock; random: Random },
): Promise<{ store: ObjectStore; location: string }> {
  // The SDK is loaded by those who use it.
  const { createGcsService } = await import("./gcs-service.ts");
  const service = createGcsService(config, options.clock);
  return { store: createServiceStore({ service, ...options }), location: service.location };
}
