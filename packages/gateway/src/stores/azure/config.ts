import { z } from "zod";
import { acceptUnenforced, keyPrefix } from "../settings.ts";

/** The `store` section when `type` is `azure`. */
export const azureStoreSchema = z.strictObject({
  type: z.literal("azure").describe("Which store keeps the recordings."),
  account_url: z
    .url()
    .describe("For `azure`: the storage account's address, such as `https://account.blob.core.windows.net`."),
  container: z.string().min(3).max(63).describe("For `azure`: the container, created beforehand."),
  prefix: keyPrefix,
  immutability: z
    .enum(["version", "container", "none"])
    .default("version")
    .describe(
      "For `azure`: who keeps a blob until its retention ends: a locked policy on each version (the container must support version-level immutability), a policy of the container that you have locked, or nobody.",
    ),
  accept_unenforced_immutability: acceptUnenforced,
});
export type AzureStoreConfig = z.output<typeof azureStoreSchema>;
