import { type Problem, problemContentType } from "@gatehouse/contracts/rest";
import { type ErrorCode, GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import type { App } from "./app.ts";

const statusOf: Record<ErrorCode, { status: number; title: string }> = {
  invalid: { status: 400, title: "Not valid" },
  too_large: { status: 413, title: "Too large" },
  unauthenticated: { status: 401, title: "Not signed in" },
  denied: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  rate_limited: { status: 429, title: "Too many attempts" },
  conflict: { status: 409, title: "Conflict" },
  unavailable: { status: 503, title: "Not available now" },
  recording_unavailable: { status: 503, title: "Recording cannot be guaranteed" },
  corrupt: { status: 502, title: "Does not verify" },
  timeout: { status: 504, title: "Took too long" },
  cancelled: { status: 499, title: "Cancelled" },
  protocol: { status: 502, title: "The other side broke its protocol" },
  internal: { status: 500, title: "A fault of the gateway" },
};

/** Every error leaves as RFC 9457 problem details. What is a fault of ours is logged here, once, and told without its words. */
export function answerProblems(app: App): void {
  app.setErrorHandler((error: FastifyError | GatehouseError, request, reply) => {
    const found = problemOf(error, request);
    if (found.status >= 500 && found.status !== 503)
      request.log.error(
        { err: error, requestId: request.id, url: request.routeOptions.url },
        "request failed",
      );
    if (isGatehouseError(error) && error.details["retryAfterSeconds"] !== undefined)
      reply.header("retry-after", String(error.details["retryAfterSeconds"]));
    if (found.status === 401) reply.header("www-authenticate", "Bearer");
    return send(reply, found);
  });
}

/** The answer where no route is. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = new GatehouseError({
    code: "not_found",
    op: "api.route",
    message: `there is no ${request.method} ${request.url.split("?")[0] ?? ""}`,
    hint: "All routes are listed at /api/docs.",
  });
  return send(reply, problemOf(error, request));
}

function send(reply: FastifyReply, body: Problem): FastifyReply {
  return reply
    .code(body.status)
    .header("content-type", problemContentType)
    .header("cache-control", "no-store")
    .send(JSON.stringify(body));
}

function problemOf(error: FastifyError | GatehouseError, request: FastifyRequest): Problem {
  const base = { type: "about:blank", requestId: request.id };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? "request";
    return {
      ...base,
      ...statusOf.invalid,
      code: "invalid",
      detail: `the ${where === "querystring" ? "query" : where} is not valid`,
      fields: error.validation.map((issue) => ({
        path: issue.instancePath.replace(/^\//, "").replaceAll("/", ".") || where,
        message: issue.message ?? "not valid",
      })),
    };
  }
  if (isGatehouseError(error)) {
    // What went wrong inside us may name a path or a statement: it goes to the log, with the request's id.
    const isOurs = error.code === "internal";
    const { status, title } = statusOf[error.code];
    return {
      ...base,
      status,
      title,
      code: error.code,
      detail: isOurs ? "the gateway could not do this because of a fault of its own" : error.message,
      ...hintOf(isOurs ? `The gateway's log has it under ${request.id}.` : error.hint),
    };
  }
  const status = error.statusCode ?? 500;
  if (status === 429)
    return {
      ...base,
      status,
      title: "Too many attempts",
      code: "rate_limited",
      detail: "too many attempts from this address",
      hint: "Wait a minute and try again.",
    };
  if (status === 413) return { ...base, ...statusOf.too_large, code: "too_large", detail: messageOf(error) };
  if (status >= 400 && status < 500)
    return { ...base, status, title: statusOf.invalid.title, code: "invalid", detail: messageOf(error) };
  return {
    ...base,
    ...statusOf.internal,
    code: "internal",
    detail: "the gateway could not do this because of a fault of its own",
    hint: `The gateway's log has it under ${request.id}.`,
  };
}

const hintOf = (hint: string | undefined) => (hint === undefined ? {} : { hint });
