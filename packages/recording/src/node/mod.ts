/**
 * recording/node: what the format needs of Node and a browser has otherwise.
 *
 * Owns: sealing on `node:crypto` and `node:zlib`, the native zstd decoder, and a recording that lies in a directory.
 * Never: decides anything about the format; that is the door above, which this fills in.
 */
export { nodeSealCrypto, nodeSigner, nodeSignerFromSeed } from "./seal-crypto.ts";
export { directorySource } from "./directory-source.ts";
export { nodeZstd } from "./zstd.ts";
