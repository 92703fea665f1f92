/**
 * stores/gcs: recordings in a bucket of Google Cloud Storage.
 *
 * Owns: the requests, generations, checksums and retention dates, and reading Google's settings and errors.
 * Never: takes credentials from the configuration (Google's default chain finds them), uploads in parts, or shares code
 * with another store.
 */
export { type GcsStoreConfig, gcsStoreSchema } from "./config.ts";
export { openGcsStore } from "./open.ts";
