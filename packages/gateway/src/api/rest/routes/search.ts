import { search, searchPage } from "@gatehouse/contracts/rest";
import { principalOf, readerOf } from "../access.ts";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

export function searchRoutes(app: App, { searching }: Pick<RestDoors, "searching">): void {
  app.post(
    "/search",
    {
      schema: {
        tags: ["recordings"],
        summary: "Find text in all recordings",
        description:
          "In what was shown, run and, for who may see it, typed, in every recording that the caller may play; the newest session first. A page is answered after two seconds with what there is then: it may be empty and not the last. The terms, and which recordings were opened, go into the audit log.",
        body: search,
        response: answers(searchPage),
      },
      // What is found in each session is decided behind the door.
      config: { access: { action: "session.list" } },
    },
    (request, reply) => searching.search(principalOf(request), request.body, readerOf(request, reply)),
  );
}
