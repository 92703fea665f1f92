import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { Search } from "@gatehouse/contracts/rest";
import { GatehouseError, type Random } from "@gatehouse/kernel";
import type { Place } from "./recorded-text.ts";

/** How far a search over all recordings is. */
export type SearchState = {
  searchId: string;
  page: number;
  /** Every session before this place of the list is done with. */
  after?: string;
  /** Within the first one after it. */
  within?: { sessionId: string; place: Place };
  searched: number;
  sessions: number;
  unread: number;
};

const nonceBytes = 12;
const tagBytes = 16;

/**
 * A cursor says how far a search is among sessions that whoever asks may not even know of, and is worth something only in that
 * search: so it is sealed, for one person and for one question.
 */
export function searchCursors({ key, random }: { key: Uint8Array; random: Random }) {
  return {
    seal(state: SearchState, subjectId: string, search: Search): string {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(boundTo(subjectId, search));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(state), "utf8"), cipher.final()]);
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString("base64url");
    },
    /** Throws `invalid` for what is no cursor of this search. */
    open(cursor: string, subjectId: string, search: Search): SearchState {
      const bytes = Buffer.from(cursor, "base64url");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(boundTo(subjectId, search));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const opened = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
        return JSON.parse(Buffer.concat([opened, decipher.final()]).toString("utf8")) as SearchState;
      } catch (cause) {
        throw new GatehouseError({
          code: "invalid",
          op: "search",
          message: "not a cursor of this search",
          hint: "Pass `next` of the page before, unchanged, with the same text and filters.",
          cause,
        });
      }
    },
  };
}

/** Page sizes may change from page to page; what is looked for may not. */
function boundTo(subjectId: string, { cursor: _cursor, limit: _limit, ...question }: Search): Buffer {
  const fields = Object.entries(question)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([subjectId, fields]))
    .digest();
}
