import { eventBase, eventCode, eventCodes, eventDescriptor } from "@gatehouse/contracts";
import { GatehouseError, type Random, newId } from "@gatehouse/kernel";
import { z } from "zod";
import type { AuditRecord } from "./door.ts";

/** An event that has everything but its place in the chain. */
export type PreparedEvent = {
  readonly event: string;
  readonly code: string;
  readonly uid: string;
  readonly time: string;
  readonly user: string;
  readonly success: boolean;
  readonly server_id?: string | undefined;
  readonly session_id?: string | undefined;
  readonly [field: string]: unknown;
};

const who = z.object({
  user: eventBase.user,
  "addr.remote": eventBase["addr.remote"],
  server_id: eventBase.server_id,
  session_id: eventBase.session_id,
});

/** Checks a record against the catalogue and makes an event of it. */
export function prepareEvent(
  record: AuditRecord,
  { nowMs, random }: { nowMs: number; random: Random },
): PreparedEvent {
  const { event, success, fields = {} } = record;
  const descriptor = eventDescriptor(event);
  if (!descriptor) throw unclassified(`no event is called ${event}`);
  const own = descriptor.fields.safeParse(fields);
  if (!own.success) throw unclassified(`${event}: ${own.error.issues.map(wrong).join("; ")}`);
  const code = record.code ?? eventCode(descriptor, own.data, success);
  if (!eventCodes(descriptor).includes(code)) throw unclassified(`${event} has no code ${code}`);
  const base = who.parse({
    user: record.user,
    "addr.remote": record.remoteAddress,
    server_id: record.serverId,
    session_id: record.sessionId,
  });
  return {
    ...own.data,
    ...base,
    ...(base.session_id !== undefined && { sid: base.session_id }),
    event,
    code,
    uid: newId(nowMs, random),
    time: new Date(nowMs).toISOString(),
    success,
  };
}

/** Names, never values: a field that nobody classified may hold anything. */
function wrong(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  return issue.code === "unrecognized_keys"
    ? `the field ${issue.keys.join(", ")} is not classified`
    : `${path}: ${issue.message}`;
}

function unclassified(message: string): GatehouseError {
  return new GatehouseError({ code: "internal", op: "audit.append", message });
}
