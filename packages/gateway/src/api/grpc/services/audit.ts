import type { JsonObject } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AuditService } from "@gatehouse/contracts/grpc";
import { type AuditEvent, auditQuery } from "@gatehouse/contracts/rest";
import type { RestDoors } from "../../door.ts";
import { requireAllowed } from "../../decided.ts";
import { caller } from "../caller.ts";
import { given, isoOf, present, timestamp } from "../words.ts";
import { pageOf } from "./pages.ts";

export function auditService({
  audit,
  access,
}: Pick<RestDoors, "audit" | "access">): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEvents(request, context) {
      requireAllowed(access, caller(context).principal, "audit.read");
      const { event, user, target, sessionId, success, from, to } = request;
      const query = auditQuery.parse({
        ...pageOf(request),
        ...given({ event, user, target, session: sessionId }),
        ...(success !== undefined && { success: String(success) }),
        ...(from && { from: isoOf(from) }),
        ...(to && { to: isoOf(to) }),
      });
      const { items, next } = await audit.list(query);
      return { events: items.map(eventWords), nextPageToken: next ?? "" };
    },

    async verifyAuditLog(_request, context) {
      requireAllowed(access, caller(context).principal, "audit.read");
      const verdict = await audit.verify();
      return {
        ok: verdict.ok,
        events: BigInt(verdict.events),
        checkedAt: timestamp(verdict.checkedAt),
        ...present(verdict, ["headHash", "firstFault"]),
      };
    },
  };
}

export function eventWords({ index, time, fields, ...event }: AuditEvent) {
  return {
    index: BigInt(index),
    uid: event.uid,
    time: timestamp(time),
    event: event.event,
    code: event.code,
    user: event.user,
    success: event.success,
    ...present(event, ["remoteAddress", "target", "sessionId"]),
    fields: fields as JsonObject,
    hash: event.hash,
  };
}
