import { linkExchange, me } from "@gatehouse/contracts/rest";
import { z } from "zod";
import { actions } from "../../../access/mod.ts";
import { bearerTokenOf, principalOf } from "../access.ts";
import type { App, AppOptions } from "../app.ts";
import type { Principal } from "../../door.ts";
import { checkNotForeign, clearSessionCookies, sessionCookieOf, setSessionCookie } from "../security.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["auth"];

export function authRoutes(app: App, options: AppOptions): void {
  const { doors, clock, gateway, tls, publicUrl } = options;
  const secure = tls !== undefined || (publicUrl?.startsWith("https:") ?? false);

  const describe = (principal: Principal) => {
    const { subject, via, expiresAtMs } = principal;
    return {
      id: subject.id,
      name: subject.name,
      roles: [...subject.roles],
      via,
      expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
      may: actions.filter((action) => doors.access.decide(principal, action, {}).allowed),
      gateway,
    };
  };

  app.post(
    "/auth/link",
    {
      schema: {
        tags,
        summary: "Exchange a one-time link for a web session",
        security: [],
        body: linkExchange,
        response: answers(me),
      },
      config: {
        access: { public: "the link is the proof" },
        rateLimit: { max: options.signInsPerMinuteMax ?? 10, timeWindow: 60_000 },
      },
    },
    async (request, reply) => {
      checkNotForeign(request, publicUrl);
      const { principal, cookie, expiresAtMs } = await doors.identity.signInByLink(request.body.token, {
        remoteAddress: request.ip,
        userAgent: (request.headers["user-agent"] ?? "").slice(0, 256),
      });
      const maxAgeSeconds = Math.max(0, Math.floor((expiresAtMs - clock.nowMs()) / 1000));
      setSessionCookie(reply, { value: cookie, maxAgeSeconds, secure });
      return describe(principal);
    },
  );

  app.post(
    "/auth/logout",
    {
      schema: { tags, summary: "End this web session", response: answers(nothing, 204) },
      config: { access: { action: "self.read" } },
    },
    async (request, reply) => {
      // The command shows the same session as a bearer token.
      const session = bearerTokenOf(request) ?? sessionCookieOf(request);
      if (session !== undefined) await doors.identity.signOut(session);
      clearSessionCookies(reply);
      return reply.code(204).send();
    },
  );

  app.get(
    "/me",
    {
      schema: { tags, summary: "Who is asking", querystring: z.strictObject({}), response: answers(me) },
      config: { access: { action: "self.read" } },
    },
    (request) => describe(principalOf(request)),
  );
}
