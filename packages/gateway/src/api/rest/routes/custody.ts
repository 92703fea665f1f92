import { coverageQuery, recordingCoverage } from "@gatehouse/contracts/rest";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

export function custodyRoutes(app: App, { custody }: Pick<RestDoors, "custody">): void {
  app.get(
    "/recordings/coverage",
    {
      schema: {
        tags: ["recordings"],
        summary: "Sessions against verified recordings",
        querystring: coverageQuery,
        response: answers(recordingCoverage),
      },
      config: { access: { action: "health.read" } },
    },
    (request) => custody.coverage(request.query),
  );
}
