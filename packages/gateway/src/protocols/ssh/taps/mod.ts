/**
 * ssh/taps: understands what file transfers mean while their bytes pass.
 *
 * Owns: following SFTP (version 3) and the old scp protocol in both directions, what was transferred, and its hashes.
 * Never: changes, delays or keeps a byte, opens a socket, or records anything itself: bytes in, operations out.
 */
export { type ScpCommand, ScpTap, parseScpCommand } from "./scp.ts";
export { SftpTap } from "./sftp.ts";
