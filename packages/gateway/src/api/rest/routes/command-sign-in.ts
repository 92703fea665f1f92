import {
  commandSignIn,
  commandSignInAnswer,
  commandSignInAnswered,
  commandSignInAsk,
  commandSignInAsked,
  commandSignInFetch,
  commandSignInFetched,
  commandSignInQuery,
} from "@gatehouse/contracts/rest";
import { principalOf } from "../access.ts";
import type { App, AppOptions } from "../app.ts";
import { checkNotForeign } from "../security.ts";
import { answers } from "./answers.ts";

const tags = ["auth"];
const timeWindow = 60_000;
/** A command asks every few seconds; behind one address there may be many. */
const fetchesPerMinuteMax = 600;

export function commandSignInRoutes(
  app: App,
  { doors: { commandSignIn: door }, publicUrl, signInsPerMinuteMax = 10 }: AppOptions,
): void {
  app.post(
    "/auth/command",
    {
      schema: {
        tags,
        summary: "Ask to sign a command line in with a browser",
        security: [],
        body: commandSignInAsk,
        response: answers(commandSignInAsked, 201),
      },
      config: {
        access: { public: "asking gives nothing; a person answers" },
        rateLimit: { max: signInsPerMinuteMax, timeWindow },
      },
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      return reply.code(201).send(await door.ask(request.body, request.ip));
    },
  );
  app.post(
    "/auth/command/token",
    {
      schema: {
        tags,
        summary: "Fetch what came of it",
        description:
          "`pending` and `slow_down`: ask again after the interval, which `slow_down` makes longer.",
        security: [],
        body: commandSignInFetch,
        response: answers(commandSignInFetched),
      },
      config: {
        access: { public: "the command's secret is the proof" },
        rateLimit: { max: fetchesPerMinuteMax, timeWindow },
      },
    },
    (request) => {
      checkNotForeign(request, publicUrl);
      return door.fetch(request.body, request.ip);
    },
  );
  // A code is short: whoever guesses must be signed in, and is slow.
  const guessing = { max: signInsPerMinuteMax, timeWindow };
  app.get(
    "/command-sign-in",
    {
      schema: {
        tags,
        summary: "Which command line asks, by its code or its id",
        querystring: commandSignInQuery,
        response: answers(commandSignIn),
      },
      config: { access: { action: "self.read" }, rateLimit: guessing },
    },
    (request) => door.get(request.query),
  );
  app.post(
    "/command-sign-in/answer",
    {
      schema: {
        tags,
        summary: "Approve or refuse it, as the person whose browser this is",
        body: commandSignInAnswer,
        response: answers(commandSignInAnswered),
      },
      config: { access: { action: "self.write" }, rateLimit: guessing },
    },
    (request) => door.answer(principalOf(request), request.body),
  );
}
