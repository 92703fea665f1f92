import type { AuditLog } from "../../audit/mod.ts";
import type { Principal } from "../door.ts";

/** Writes down what somebody changed. Resolves when it is in the log. */
export function noteChange(
  audit: Pick<AuditLog, "append">,
  { subject, remoteAddress }: Principal,
  event: string,
  fields: Record<string, unknown>,
  about: { serverId?: string } = {},
): Promise<void> {
  return audit.append({
    event,
    user: subject.name,
    success: true,
    ...about,
    ...(remoteAddress !== "" && { remoteAddress }),
    fields,
  });
}
