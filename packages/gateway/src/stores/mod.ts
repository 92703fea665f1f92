/**
 * stores: where recordings are kept for good.
 *
 * Owns: the backends (one folder each, none knows another), the rules that all object services are held to
 * (`service-store.ts`) and their probe, the form of keys, and the conformance suite that each backend passes.
 * Never: defines the interface (that is the recording pipeline's, which consumes it), decides how long something is kept,
 * or opens a recording. Which backends exist is in `registry/stores.ts`.
 */
export { type FilesystemStoreConfig, filesystemStoreSchema, openFilesystemStore } from "./filesystem/mod.ts";
export { requireImmutability, unenforced } from "./immutability.ts";
export { type S3StoreConfig, openS3Store, s3StoreSchema } from "./s3/mod.ts";
export { type AzureStoreConfig, azureStoreSchema, openAzureStore } from "./azure/mod.ts";
export { type GcsStoreConfig, gcsStoreSchema, openGcsStore } from "./gcs/mod.ts";
