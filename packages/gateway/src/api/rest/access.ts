import { GatehouseError } from "@gatehouse/kernel";
import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { Action, Resource, Subject } from "../../access/mod.ts";
import { bearerTokenIn } from "../bearer.ts";
import { requireAllowed } from "../decided.ts";
import type { App, AppOptions } from "./app.ts";
import type { Credential, Principal, Reader } from "../door.ts";
import { goneSignal } from "./streams.ts";
import { checkSameOrigin, sessionCookieOf } from "./security.ts";

/**
 * What stands in a route's `config.access`. A route without one fails at start, so none can be forgotten.
 * `behind`: the named layer decides and audits, because only it knows what the decision needs.
 */
export type RouteAccess =
  | { public: string }
  | { action: Action; behind: "playback" | "moderation" | "requests" }
  | {
      action: Action;
      /** Asked instead when the person whom the path names is the one who asks. */
      ownAction?: Action;
      resource?: (request: FastifyRequest) => Promise<Resource>;
      /** What the path names is not even there for whom it is not open. */
      hidden?: "session";
    };

/** In words, for who reads about the API: `public`, or the action that must be allowed. */
export function neededFor(access: RouteAccess): string {
  if ("public" in access) return "public";
  const own = "ownAction" in access && access.ownAction;
  return own ? `${access.action}, or ${own} about oneself` : access.action;
}

declare module "fastify" {
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
  interface FastifyRequest {
    principal: Principal | null;
    /** What the request showed of who asks. */
    credential: Credential | null;
    /** Asks anew who this is, with what the request showed. */
    renewPrincipal: (() => Promise<Principal | undefined>) | null;
  }
}

/** Who asks, in a route that is not public. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw nobody();
  return request.principal;
}

/** The secret of the session, or of the token, that asks. Undefined at the administrator's socket. */
export function tokenOf({ credential }: FastifyRequest): string | undefined {
  return credential && "token" in credential ? credential.token : undefined;
}

/** For a request that lasts: who asks, as they are now. */
export function renewalOf(request: FastifyRequest): () => Promise<Principal | undefined> {
  if (!request.renewPrincipal) throw nobody();
  return request.renewPrincipal;
}

/** For a request whose answer lasts. */
export function readerOf(request: FastifyRequest, reply: FastifyReply): Reader {
  return { signal: goneSignal(reply), renew: renewalOf(request) };
}

function nobody(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "api.authenticate",
    message: "you are not signed in",
    hint: "Make a one-time link with `gatehouse users link <name>` on the gateway and open it.",
  });
}

function undeclared(route: { method?: unknown; url?: string | undefined }): GatehouseError {
  return new GatehouseError({
    code: "internal",
    op: "api.route",
    message: `${String(route.method)} ${route.url ?? ""} declares no access`,
  });
}

/** Puts authentication before every body is read, and the decision before every handler. */
export function guardAccess(app: App, options: AppOptions): void {
  const { doors, listener, publicUrl } = options;
  app.decorateRequest("principal", null);
  app.decorateRequest("credential", null);
  app.decorateRequest("renewPrincipal", null);

  // Looked at once all are there: a library's routes are given their access by the scope that brings them in.
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    routes.push(route);
  });
  app.addHook("onReady", async () => {
    for (const route of routes) if (!route.config?.access) throw undeclared(route);
  });

  app.addHook("onRequest", async (request) => {
    const access = request.routeOptions.config.access;
    // No route matched: the not-found handler answers, and tells nothing that is not public.
    if (request.is404) return;
    if (!access) throw undeclared(request.routeOptions);
    if ("public" in access) return;
    const credential = credentialOf(request, options);
    if (credential?.kind === "cookie") checkSameOrigin(request, publicUrl);
    const from = {
      remoteAddress: listener === "web" ? request.ip : "",
      api: "rest" as const,
      // Our pages say so when they ask by themselves and nobody has touched them for a while.
      isAttended: request.headers["gatehouse-unattended"] === undefined,
    };
    if (!credential) throw nobody();
    request.credential = credential;
    request.renewPrincipal = () => doors.identity.whoIs(credential, { ...from, isAttended: false });
    request.principal = (await doors.identity.whoIs(credential, from)) ?? null;
    if (!request.principal) throw nobody();
  });

  app.addHook("preHandler", async (request: FastifyRequest, _reply: FastifyReply) => {
    const access = request.routeOptions.config.access;
    if (!access || "public" in access || "behind" in access) return;
    const principal = principalOf(request);
    const { subject } = principal;
    const action = access.ownAction && names(request, subject) ? access.ownAction : access.action;
    const resource = (await access.resource?.(request)) ?? {};
    requireAllowed(doors.access, principal, action, {
      resource,
      hidden: access.hidden && { what: access.hidden, id: idIn(request) },
    });
  });
}

function idIn(request: FastifyRequest): string {
  return (request.params as { sessionId: string }).sessionId;
}

function names(request: FastifyRequest, subject: Subject): boolean {
  return (request.params as { personId?: string }).personId === subject.id;
}

function credentialOf(request: FastifyRequest, options: AppOptions): Credential | undefined {
  if (options.listener === "admin-socket") return { kind: "admin-socket" };
  const bearer = bearerTokenIn(request.headers.authorization);
  if (bearer !== undefined) return { kind: "bearer", token: bearer };
  const token = sessionCookieOf(request, options);
  return token === undefined ? undefined : { kind: "cookie", token };
}
