/**
 * stores/azure: recordings as blobs of an Azure Storage account.
 *
 * Owns: the requests, immutability policies and versions, and reading Azure's settings and errors.
 * Never: takes credentials from the configuration (Azure's default chain finds them), or shares code with another store.
 */
export { type AzureStoreConfig, azureStoreSchema } from "./config.ts";
export { openAzureStore } from "./open.ts";
