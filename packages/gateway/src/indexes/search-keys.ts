import { createHmac } from "node:crypto";
import { toHex } from "@gatehouse/kernel";
import type { Lane } from "@gatehouse/recording";
import { type TrigramMac, filterVersion } from "@gatehouse/recording/passages";

/** What the gateway's one key for searches is used for, each use with a key of its own. */
export type SearchKeys = {
  /** Of the key, told of with what was made with it. */
  readonly id: string;
  /** 32 bytes. No two recordings have the same, and neither have their lanes: filters side by side tell nothing. */
  filterKey(sessionId: string, lane: Lane): Uint8Array;
  /** Seals the cursors of searches. */
  readonly cursorKey: Uint8Array;
};

export function searchKeys(secret: Uint8Array): SearchKeys {
  const derive = (purpose: string) => new Uint8Array(createHmac("sha256", secret).update(purpose).digest());
  return {
    id: toHex(derive("gatehouse search key id").subarray(0, 8)),
    filterKey: (sessionId, lane) => derive(`gatehouse search filter ${filterVersion}\n${lane}\n${sessionId}`),
    cursorKey: derive("gatehouse search cursor"),
  };
}

export function trigramMac(key: Uint8Array): TrigramMac {
  return (trigram) => createHmac("sha256", key).update(trigram).digest();
}
