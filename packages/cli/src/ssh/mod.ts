/**
 * ssh: the keys and certificates that `ssh` comes through the gate with.
 *
 * Owns: making a key pair, asking for its certificate, and putting both into the person's agent or a file.
 * Never: sends a private key anywhere but to that agent, writes one that others may read, or replaces a key of the person's own.
 */
export { type KeptCertificate, fetchCertificate, forgetCertificates } from "./certificate.ts";
