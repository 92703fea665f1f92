import { z } from "zod";

/** Keys that the sections of several stores have. */
export const acceptUnenforced = z
  .boolean()
  .default(false)
  .describe(
    "In mode production, start although the store itself does not refuse to overwrite or remove recordings, so that only Gatehouse guards them.",
  );

export const keyPrefix = z
  .string()
  .regex(
    /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/,
    "parts of letters, digits, dots, underscores and hyphens, each ended by a slash",
  )
  .max(200)
  .default("")
  .describe("For `s3`, `azure` and `gcs`: put before every key, such as `gatehouse/`.");
