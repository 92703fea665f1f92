import type { Clock, Random } from "@gatehouse/kernel";
import type { ObjectStore } from "@gatehouse/recording/pipeline";
import { createServiceStore } from "../service-store.ts";
import type { S3StoreConfig } from "./config.ts";

/** From the configuration's `store` section. Credentials are those that the SDK's default chain finds. */
export async function openS3Store(
  config: S3StoreConfig,
  options: { clock: Clock; random: Random },
): Promise<{ store: ObjectStore; location: string }> {
  // The SDK is loaded by those who use it.
  const { createS3Service } = await import("./s3-service.ts");
  const service = createS3Service(config, options.clock);
  return { store: createServiceStore({ service, ...options }), location: service.location };
}
