/**
 * protocols/ssh: SSH sessions through the gate, with OpenSSH's own tools on both sides.
 *
 * Owns: the SSH wire protocol of both legs, addressing, what of a session is a frame, forwards, the shape of SSH targets.
 * Never: lets a byte pass before its frame is durable, decides who may pass, keeps a secret, or dials before admission.
 */
export { sshSection } from "./config.ts";
export { type SshService, openSsh } from "./service.ts";
