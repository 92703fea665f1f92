/**
 * stores/filesystem: recordings as read-only files below a directory.
 *
 * Owns: writing an object whole and once, durably; its retention date; refusing to remove it sooner; saying honestly what
 * the file system itself enforces.
 * Never: knows what an object holds, deletes of its own accord, or shares code with another store.
 */
export { type FilesystemStoreConfig, filesystemStoreSchema } from "./config.ts";
export { type FilesystemStoreOptions, createFilesystemStore } from "./filesystem-store.ts";
export { openFilesystemStore } from "./open.ts";
