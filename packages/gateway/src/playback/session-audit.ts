import { utf8 } from "@gatehouse/kernel";
import { openEvents } from "../audit/mod.ts";
import type { AuditRow, AuditRows } from "../directory/mod.ts";

const pageLimit = 200;
/** A session's events go into its bundle whole; beyond this many the log itself is the place to look. */
const eventsMax = 50_000;

/**
 * What the audit log knows of a session: its events as they were hashed, one a line, up to a position in it, and the head its end
 * carries. Not `all`: without who watched and searched it, and who was refused.
 */
export async function auditedSession(
  rows: Pick<AuditRows, "list">,
  sessionId: string,
  { upTo, all = true }: { upTo?: number | undefined; all?: boolean } = {},
): Promise<{ lines: Uint8Array; position: number; headSha256: string | undefined }> {
  const found: AuditRow[] = [];
  let beforeIndex = upTo === undefined ? undefined : upTo + 1;
  const filter = { sessionId, ...(!all && { events: openEvents, success: true }) };
  for (;;) {
    const page = await rows.list(
      filter,
      beforeIndex === undefined ? { limit: pageLimit } : { limit: pageLimit, beforeIndex },
    );
    found.push(...page);
    beforeIndex = page.at(-1)?.index;
    if (page.length < pageLimit || found.length >= eventsMax) break;
  }
  const position = found[0]?.index ?? 0;
  // The log lists the newest first; a reader begins at the beginning.
  const lines = utf8(
    found
      .reverse()
      .map((row) => `${row.body}\n`)
      .join(""),
  );
  return { lines, position, headSha256: headIn(found.findLast((row) => row.event === "session.end")) };
}

function headIn(row: AuditRow | undefined): string | undefined {
  if (!row) return undefined;
  const { head_sha256: head } = JSON.parse(row.body) as { head_sha256?: unknown };
  return typeof head === "string" ? head : undefined;
}
