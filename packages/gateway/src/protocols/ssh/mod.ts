/**
 * ssh: SSH through the gate, for native OpenSSH clients and servers.
 *
 * Owns: the protocol on both legs (transport, keys, connection), the taps that understand what passes, the gate between
 * the legs, SSH's part of a target's settings, and the `ssh` section of the configuration.
 * Never: is imported by another protocol, decides access, opens a store, or lets bytes pass that are not recorded.
 */
export { type SshService, openSsh } from "./service.ts";
export { type SshConfig, sshSection } from "./config.ts";
