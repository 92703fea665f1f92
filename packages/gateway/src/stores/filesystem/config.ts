import { z } from "zod";

/** The `store` section when `type` is `filesystem`. */
export const filesystemStoreSchema = z.strictObject({
  type: z.literal("filesystem").describe("Which store keeps the recordings."),
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The directory of the recordings, relative to `data_dir`. Left out: `recordings` in `data_dir`.",
    ),
});
export type FilesystemStoreConfig = z.output<typeof filesystemStoreSchema>;
