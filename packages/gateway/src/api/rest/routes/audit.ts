import {
  auditEvent,
  auditExportLine,
  auditExportQuery,
  auditQuery,
  auditVerification,
  page,
} from "@gatehouse/contracts/rest";
import { utf8 } from "@gatehouse/kernel";
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
      return sendStream(reply, lineContentType, await streamOf(bytesOf(lines)));
    },
  );
  app.post(
    "/audit/verify",
    { schema: { tags, summary: "Check the whole chain now", response: answers(auditVerification) }, config },
    () => audit.verify(),
  );
}

/** Lines go out together: a packet for each would be most of the work. */
const chunkChars = 32 * 1024;

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = "";
  for await (const line of lines) {
    text += line;
    if (text.length < chunkChars) continue;
    yield utf8(text);
    text = "";
  }
  if (text !== "") yield utf8(text);
}
