import { explainQuery, explanation } from "@gatehouse/contracts/rest";
import type { RestDoors } from "../../door.ts";
import type { App } from "../app.ts";
import { answers } from "./answers.ts";

export function explainRoutes(app: App, { explain }: Pick<RestDoors, "explain">): void {
  app.get(
    "/access/explain",
    {
      schema: {
        tags: ["access"],
        summary: "What somebody may do now, and by which rule",
        querystring: explainQuery,
        response: answers(explanation),
      },
      config: { access: { action: "access.explain" } },
    },
    (request) => explain.explain(request.query),
  );
}
