import { connect } from "node:net";
import { type Clock, GatehouseError, messageOf } from "@gatehouse/kernel";
import { blobType, fingerprint, hostKeyAlgorithmsFor } from "../keys/mod.ts";
import { openTransport } from "../transport/mod.ts";

export type ScannedKey = { type: string; blob: Uint8Array; fingerprint: string };

const scanTimeoutMs = 10_000;

/**
 * The host keys that a server shows, for an administrator to compare and pin. Nothing is trusted and nobody logs in: each
 * key type is asked for on a connection of its own, which ends when the key was shown and its signature verified.
 * Rejects with `unavailable` when nothing could be learned.
 */
export async function scanHostKeys(options: {
  host: string;
  port: number;
  clock: Clock;
}): Promise<ScannedKey[]> {
  const found = new Map<string, ScannedKey>();
  let failure: unknown;
  for (const algorithm of hostKeyAlgorithmsFor({ pinned: [], authorities: [] })) {
    try {
      const blob = await shownKey(options, algorithm);
      const key = { type: blobType(blob), blob, fingerprint: fingerprint(blob) };
      found.set(key.fingerprint, key);
    } catch (error) {
      failure = error;
      // A server that is not there for one algorithm is not there for the next.
      if (found.size === 0 && !(error instanceof GatehouseError)) break;
    }
  }
  if (found.size === 0)
    throw new GatehouseError({
      code: "unavailable",
      op: "ssh.scan",
      message: `${options.host}:${options.port} shows no SSH host key (${messageOf(failure)})`,
      cause: failure,
    });
  return [...found.values()];
}

/** Our own end of the connection, once the key is known. */
class KeySeen extends Error {
  readonly blob: Uint8Array;
  constructor(blob: Uint8Array) {
    super("the key was seen");
    this.blob = blob;
  }
}

async function shownKey(
  { host, port, clock }: { host: string; port: number; clock: Clock },
  algorithm: string,
): Promise<Uint8Array> {
  const socket = connect({ host, port, noDelay: true });
  let seen: KeySeen | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = clock.after(scanTimeoutMs, () => socket.destroy(new Error("no answer")));
      socket.once("connect", () => (timer.cancel(), resolve()));
      socket.once("error", (error) => (timer.cancel(), reject(error)));
    });
    socket.on("error", () => undefined);
    const transport = await openTransport({
      role: "client",
      socket,
      hostKeyAlgorithms: [algorithm],
      verifyHostKey: (blob) => {
        seen = new KeySeen(Uint8Array.from(blob));
        throw seen;
      },
      events: { packet: () => undefined, closed: () => undefined },
      handshakeTimeoutMs: scanTimeoutMs,
      clock,
    });
    transport.destroy();
    throw new GatehouseError({ code: "protocol", op: "ssh.scan", message: "no host key was shown" });
  } catch (error) {
    if (seen) return seen.blob;
    throw error;
  } finally {
    socket.destroy();
  }
}
