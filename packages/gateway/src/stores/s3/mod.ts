/**
 * stores/s3: recordings in a bucket of Amazon S3, or of a server that speaks its protocol.
 *
 * Owns: the requests, checksums, Object Lock dates and versions, and reading S3's settings and errors.
 * Never: takes credentials from the configuration (the SDK finds them), uploads in parts (some servers drop the lock that
 * was asked for), or shares code with another store.
 */
export { type S3StoreConfig, s3StoreSchema } from "./config.ts";
export { openS3Store } from "./open.ts";
