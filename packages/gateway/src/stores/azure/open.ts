import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { createServiceStore } from "../service-store.ts";
import type { AzureStoreConfig } from "./config.ts";

/**
 * From the configuration's `store` section. Credentials: the account key in AZURE_STORAGE_CONNECTION_STRING where that is
 * set, as Azure's own tools have it, else Azure's default chain.
 */
export async function openAzureStore(
  config: AzureStoreConfig,
  options: { clock: Clock; random: Random; env?: Record<string, string | undefined> },
): Promise<{ store: ObjectStore; location: string }> {
  // The SDK is loaded by those who use it.
  const { createAzureService } = await import("./azure-service.ts");
  const { AZURE_STORAGE_CONNECTION_STRING: connection } = options.env ?? process.env;
  const service = await createAzureService(config, { clock: options.clock, connection });
  return { store: createServiceStore({ service, ...options }), location: service.location };
}
