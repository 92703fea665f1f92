import { z } from "zod";
import { acceptUnenforced, keyPrefix } from "../settings.ts";

/** The `store` section when `type` is `s3`. */
export const s3StoreSchema = z.strictObject({
  type: z.literal("s3").describe("Which store keeps the recordings."),
  bucket: z.string().min(3).max(255).describe("For `s3` and `gcs`: the bucket, created beforehand."),
  prefix: keyPrefix,
  region: z.string().min(1).default("us-east-1").describe("For `s3`: the bucket's region."),
  endpoint: z
    .url()
    .optional()
    .describe("For `s3` and `gcs`: another server's address. Left out: Amazon's or Google's own."),
  force_path_style: z
    .boolean()
    .default(false)
    .describe(
      "For `s3`: puts the bucket into the path instead of the host name, as most servers but Amazon's want it.",
    ),
  object_lock: z
    .boolean()
    .default(true)
    .describe(
      "For `s3`: locks each object in mode COMPLIANCE until its retention ends. Needs a bucket with Object Lock.",
    ),
  encryption: z
    .enum(["bucket", "sse-s3", "sse-kms"])
    .default("bucket")
    .describe(
      "For `s3`: how S3 encrypts what Gatehouse has encrypted already: as the bucket says, with S3's keys, or with KMS.",
    ),
  kms_key_id: z
    .string()
    .min(1)
    .optional()
    .describe("For `s3`: the KMS key of `sse-kms`. Left out: the account's own."),
  kms_bucket_key: z
    .boolean()
    .optional()
    .describe(
      "For `s3` with `sse-kms`: one request to KMS for many objects, by a key of the bucket. Left out: as the bucket says.",
    ),
  accept_unenforced_immutability: acceptUnenforced,
});
export type S3StoreConfig = z.output<typeof s3StoreSchema>;
