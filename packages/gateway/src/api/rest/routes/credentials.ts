import { rekeyed } from "@gatehouse/contracts/rest";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers } from "./answers.ts";

export function credentialRoutes(app: App, { credentials }: Pick<RestDoors, "credentials">): void {
  app.post(
    "/credentials/rekey",
    {
      schema: {
        tags: ["targets"],
        summary: "Seal all stored secrets anew under a new key; run again, it goes on where it was cut off",
        response: answers(rekeyed),
      },
      config: { access: { action: "credential.write" } },
    },
    (request) => credentials.rekey(principalOf(request)),
  );
}
