import {
  accessRequest,
  askableRole,
  id,
  page,
  requestCreate,
  requestQuery,
  requestReview,
  requestTerms,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers } from "./answers.ts";

const tags = ["requests"];
const params = z.object({ requestId: id });

export function requestRoutes(app: App, { requests }: Pick<RestDoors, "requests">): void {
  app.get(
    "/requests",
    {
      schema: {
        tags,
        summary: "List access requests that you may see, newest first",
        querystring: requestQuery,
        response: answers(page(accessRequest)),
      },
      // Which of them is decided behind the door, of each.
      config: { access: { action: "request.list" } },
    },
    (request) => requests.list(principalOf(request), request.query),
  );
  app.post(
    "/requests",
    {
      schema: {
        tags,
        summary: "Ask for a target, or that a recording under four eyes may be opened",
        body: requestCreate,
        response: answers(accessRequest, 201),
      },
      config: { access: { action: "request.create", behind: "requests" } },
    },
    async (request, reply) => reply.code(201).send(await requests.create(principalOf(request), request.body)),
  );
  const terms = { action: "request.create", behind: "requests" } as const;
  app.get(
    "/targets/:targetId/request-terms",
    {
      schema: {
        tags,
        summary: "On which terms you may ask for a target",
        params: z.object({ targetId: id }),
        response: answers(requestTerms),
      },
      config: { access: terms },
    },
    (request) => requests.terms(principalOf(request), request.params),
  );
  app.get(
    "/recordings/:sessionId/request-terms",
    {
      schema: {
        tags,
        summary: "On which terms you may ask that a recording under four eyes is opened",
        params: z.object({ sessionId: id }),
        response: answers(requestTerms),
      },
      config: { access: terms },
    },
    (request) => requests.terms(principalOf(request), request.params),
  );
  app.get(
    "/requests/roles",
    {
      schema: {
        tags,
        summary: "The roles that you may ask for, and on which terms",
        response: answers(z.object({ items: z.array(askableRole) })),
      },
      config: { access: { action: "request.list" } },
    },
    (request) => requests.roles(principalOf(request)),
  );
  app.get(
    "/requests/:requestId",
    {
      schema: { tags, summary: "One access request", params, response: answers(accessRequest) },
      config: { access: { action: "request.view", behind: "requests" } },
    },
    (request) => requests.get(principalOf(request), request.params.requestId),
  );
  app.post(
    "/requests/:requestId/review",
    {
      schema: {
        tags,
        summary: "Approve or deny what somebody else asked for",
        params,
        body: requestReview,
        response: answers(accessRequest),
      },
      config: { access: { action: "request.review", behind: "requests" } },
    },
    (request) => requests.review(principalOf(request), request.params.requestId, request.body),
  );
  app.post(
    "/requests/:requestId/cancel",
    {
      schema: {
        tags,
        summary: "Take back what you asked for; approved access ends with it",
        params,
        response: answers(accessRequest),
      },
      config: { access: { action: "request.view", behind: "requests" } },
    },
    (request) => requests.cancel(principalOf(request), request.params.requestId),
  );
}
