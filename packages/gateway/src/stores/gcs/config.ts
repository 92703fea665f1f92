import { z } from "zod";
import { acceptUnenforced, keyPrefix } from "../settings.ts";

/** The `store` section when `type` is `gcs`. */
export const gcsStoreSchema = z.strictObject({
  type: z.literal("gcs").describe("Which store keeps the recordings."),
  bucket: z.string().min(3).max(222).describe("For `s3` and `gcs`: the bucket, created beforehand."),
  prefix: keyPrefix,
  endpoint: z
    .url()
    .optional()
    .describe("For `s3` and `gcs`: another server's address. Left out: Amazon's or Google's own."),
  retention: z
    .enum(["object", "bucket", "none"])
    .default("object")
    .describe(
      "For `gcs`: who keeps an object until its retention ends: a locked retention on each object (the bucket must have object retention enabled), a retention policy of the bucket that you have locked, or nobody.",
    ),
  accept_unenforced_immutability: acceptUnenforced,
});
export type GcsStoreConfig = z.output<typeof gcsStoreSchema>;
