/**
 * kms: recording keys wrapped by a key service instead of, or beside, age recipients.
 *
 * Owns: one small interface over AWS KMS, Google Cloud KMS, Azure Key Vault and Vault's transit engine, their sections of the
 * configuration, deadlines, what each service's errors mean, and whether each wraps just now.
 * Never: holds a service's credentials (each vendor's own chain finds them), asks a service that the configuration does not
 * name, or decides whether a session may begin when one fails.
 */
export { awsKeysSchema, azureKeysSchema, gcpKeysSchema, vaultKeysSchema } from "./config.ts";
export { type KeyService, kmsOpener, kmsWrapper } from "./key-service.ts";
export { type KeyServiceWatch, createKeyServiceWatch } from "./service-watch.ts";
export { openAwsKeys } from "./aws.ts";
export { openAzureKeys } from "./azure.ts";
export { openGcpKeys } from "./gcp.ts";
export { openVaultKeys } from "./vault.ts";
