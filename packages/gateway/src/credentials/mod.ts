/**
 * credentials: what opens a target, and the gateway's own keys.
 *
 * Owns: the sealing of stored secrets (AES-256-GCM under a key that is a file, not in the database), their one way out,
 * and the folder of key files with its modes.
 * Never: lists, logs or returns a stored secret, reads a key file that others may read, or replaces one that is there, but for the keys of stored secrets, which are sealed anew before an old key goes.
 */
export { type Credentials, credentialsIn, sealingBy } from "./credentials.ts";
export { type Keyring, openKeyring } from "./keyring.ts";
export { type Rekeyed, createRekey } from "./rekey.ts";
export { Secret } from "./secret.ts";
