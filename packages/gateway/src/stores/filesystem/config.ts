import { z } from "zod";
import { acceptUnenforced } from "../settings.ts";

/** The `store` section when `type` is `filesystem`. */
export const filesystemStoreSchema = z.strictObject({
  type: z.literal("filesystem").describe("Which store keeps the recordings."),
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      "For `filesystem`: the directory of the recordings, relative to `data_dir`. Left out: `recordings` in `data_dir`.",
    ),
  immutable: z
    .boolean()
    .default(false)
    .describe(
      "For `filesystem`: sets the immutable attribute on each object until its retention has ended, so that not even root removes it by accident. Takes root, `chattr` and ext4, XFS or btrfs.",
    ),
  accept_unenforced_immutability: acceptUnenforced,
});
export type FilesystemStoreConfig = z.output<typeof filesystemStoreSchema>;
