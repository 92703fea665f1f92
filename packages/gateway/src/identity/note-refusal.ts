import type { AuditLog } from "../audit/mod.ts";

/** Notes that somebody was not let in. `name` is only ever that of somebody known: what a stranger typed may be a secret. */
export function noteRefusal(
  audit: Pick<AuditLog, "append">,
  name: string | undefined,
  { method, error, remoteAddress }: { method: string; error: string; remoteAddress: string },
): Promise<void> {
  return audit.append({
    event: "user.login",
    user: name ?? "unknown",
    success: false,
    remoteAddress,
    fields: { method, error },
  });
}
