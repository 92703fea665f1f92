import type { Session } from "@gatehouse/contracts/rest";
import { GatehouseError, fromBase64 } from "@gatehouse/kernel";
import type { Verification } from "@gatehouse/recording";
import { gateway } from "../gateway.ts";

const heldBytesMax = 4 * 1024 * 1024;

/**
 * Takes the recording as it is stored, still sealed, and checks it with this browser's own cryptography: every segment's
 * hash, the chain and the signatures. The gateway's word counts for nothing but its public key, which is named to be compared.
 */
export async function checkHere(
  session: Pick<Session, "id" | "recording">,
  signal: AbortSignal,
  tell: (bytes: number) => void,
): Promise<Verification> {
  const [{ openBundle, verifyRecording }, pem, exported] = await Promise.all([
    import("@gatehouse/recording"),
    gateway.ca.recordings({ signal }),
    gateway.recordings.export(session.id, "bundle", { signal }),
  ]);
  // The browser keeps what is in a blob out of the page's memory, and a large one on disk: a few megabytes are held here at a time.
  const blobs: Blob[] = [];
  let parts: BlobPart[] = [];
  let heldBytes = 0;
  let bytes = 0;
  for await (const chunk of exported.chunks) {
    parts.push(chunk.slice());
    heldBytes += chunk.length;
    bytes += chunk.length;
    if (heldBytes < heldBytesMax) continue;
    blobs.push(new Blob(parts));
    parts = [];
    heldBytes = 0;
    tell(bytes);
  }
  const blob = new Blob([...blobs, ...parts]);
  const source = await openBundle({
    bytes: blob.size,
    read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
  });
  const { headSha256 } = session.recording;
  return verifyRecording(source, {
    trustedKeys: [publicKeyOf(pem)],
    expected: { recordingId: session.id, ...(headSha256 !== null && { headSha256 }) },
  });
}

/** RFC 8410 §4: the last 32 bytes of an Ed25519 key's SubjectPublicKeyInfo are the key. */
function publicKeyOf(pem: string): Uint8Array {
  const der = fromBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
  if (der.length !== 44)
    throw new GatehouseError({
      code: "corrupt",
      op: "session.check",
      message: "the gateway's public key is no Ed25519 key",
    });
  return der.slice(-32);
}
