import { auditEvent, auditQuery, auditVerification, page } from "@gatehouse/contracts/rest";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
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
  app.post(
    "/audit/verify",
    { schema: { tags, summary: "Check the whole chain now", response: answers(auditVerification) }, config },
    () => audit.verify(),
  );
}
