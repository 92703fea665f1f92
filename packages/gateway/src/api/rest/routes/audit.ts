import {
  auditEvent,
  auditExportLine,
  auditExportQuery,
  auditQuery,
  auditVerification,
  page,
} from "@gatehouse/contracts/rest";
import { utf8Chunks } from "@gatehouse/kernel";
import { principalOf, readerOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { lineContentType, sendStream, streamOf } from "../streams.ts";
import { answers } from "./answers.ts";

const tags = ["audit"];

export function auditRoutes(app: App, { audit }: Pick<RestDoors, "audit">): void {
  const config = { access: { action: "audit.read" } } as const;
  app.get(
    "/audit",
    {
      schema: {
        tags,
        summary: "List audit events, newest first",
        querystring: auditQuery,
        response: answers(page(auditEvent)),
      },
      config,
    },
    (request) => audit.list(request.query),
  );
  app.get(
    "/audit/export",
    {
      schema: {
        tags,
        summary: "Take the audit log away, to be verified offline",
        description:
          "Every event as it was hashed, the oldest first, one JSON object a line. The whole log ends with a line that the gateway signed; with a filter there is none, and what comes is no chain. `gatehouse audit verify --file` checks it.",
        querystring: auditExportQuery,
        produces: [lineContentType],
        response: answers(auditExportLine),
      },
      config,
    },
    async (request, reply) => {
      const lines = await audit.export(principalOf(request), request.query, readerOf(request, reply));
      return sendStream(reply, lineContentType, await streamOf(utf8Chunks(lines)));
    },
  );
  app.post(
    "/audit/verify",
    { schema: { tags, summary: "Check the whole chain now", response: answers(auditVerification) }, config },
    () => audit.verify(),
  );
}
