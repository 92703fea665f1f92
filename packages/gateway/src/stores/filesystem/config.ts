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
  immutable: z
    .boolean()
    .default(false)
    .describe(
      "Sets the immutable attribute on each object until its retention has ended, so that not even root removes it by accident. Takes root, `chattr` and ext4, XFS or btrfs.",
    ),
});
export type FilesystemStoreConfig = z.output<typeof filesystemStoreSchema>;
