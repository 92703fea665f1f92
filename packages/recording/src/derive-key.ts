import { utf8 } from "@gatehouse/kernel";

/** HKDF (RFC 5869) with SHA-256: 32 bytes for one purpose and salt, from a lane's key. */
export async function deriveKey(laneKey: Uint8Array, purpose: string, salt: Uint8Array): Promise<Uint8Array> {
  const base = await crypto.subtle.importKey("raw", laneKey as BufferSource, "HKDF", false, ["deriveBits"]);
  const algorithm = {
    name: "HKDF",
    hash: "SHA-256",
    salt: salt as BufferSource,
    info: utf8(purpose) as BufferSource,
  };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, base, 256));
}
