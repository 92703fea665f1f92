import { health, liveness } from "@gatehouse/contracts/rest";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

const tags = ["health"];

export function healthRoutes(app: App, doors: Pick<RestDoors, "health">): void {
  app.get(
    "/health/live",
    {
      schema: { tags, summary: "That the process answers", security: [], response: answers(liveness) },
      config: { access: { public: "it says nothing but that it answers" } },
    },
    () => ({ status: "ok" as const }),
  );
  app.get(
    "/health",
    {
      schema: {
        tags,
        summary: "Whether everything is recorded, stored and delivered",
        response: answers(health),
      },
      config: { access: { action: "health.read" } },
    },
    () => doors.health.status(),
  );
}
