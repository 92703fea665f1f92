import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { App, AppOptions } from "../app.ts";
import { comesByHttps, originOf, setSessionCookie } from "../security.ts";

const tags = ["auth"];
export const beginPath = "/api/v1/auth/oidc";
const callbackPath = `${beginPath}/callback`;
/** Lax, where the session's is strict: the browser brings it along when the provider sends it back. */
const browserCookie = "gatehouse-oidc";
const logoutPath = `${beginPath}/logout`;
/** What the provider knows its own session by, kept where only signing out sends it. No key to anything here. */
const idTokenCookie = "gatehouse-oidc-id";
/** Browsers keep no larger ones; the provider then asks whether signing out is meant. */
const idTokenCharsMax = 3_800;

/** Pages for browsers, not answers for programs: each leads on to another place. */
export function oidcRoutes(app: App, options: AppOptions): void {
  const { publicUrl, signInsPerMinuteMax } = options;
  const { oidc } = options.doors;
  const cookie = { path: beginPath, httpOnly: true, sameSite: "lax", secure: comesByHttps(options) } as const;
  const idCookie = {
    path: logoutPath,
    httpOnly: true,
    sameSite: "strict",
    secure: comesByHttps(options),
  } as const;
  const limited = { rateLimit: { max: signInsPerMinuteMax ?? 30, timeWindow: 60_000 } };
  const leads = (summary: string) => ({
    tags,
    summary,
    security: [],
    response: { 303: z.undefined().meta({ description: "To the provider, or to a page" }) },
  });
  const provider = () => {
    if (oidc) return oidc;
    throw new GatehouseError({
      code: "not_found",
      op: "api.oidc",
      message: "there is no identity provider here",
    });
  };

  app.get(
    "/auth/oidc",
    {
      schema: leads("Go to the identity provider and sign in there"),
      config: { access: { public: "it only leads to the provider" }, ...limited },
    },
    (request, reply) =>
      leading(reply, async () => {
        const { url, browserSecret } = await provider().begin(
          `${originOf(request, publicUrl)}${callbackPath}`,
        );
        reply.setCookie(browserCookie, browserSecret, { ...cookie, maxAge: 600 });
        return url;
      }),
  );
  app.get(
    "/auth/oidc/callback",
    {
      schema: leads("Come back from the identity provider, signed in"),
      config: { access: { public: "the provider's answer is the proof" }, ...limited },
    },
    (request, reply) =>
      leading(reply, async () => {
        reply.clearCookie(browserCookie, cookie);
        const { token, expiresAtMs, idToken } = await provider().finish({
          callbackUrl: `${originOf(request, publicUrl)}${request.url}`,
          browserSecret: request.cookies[browserCookie],
          remoteAddress: request.ip,
        });
        setSessionCookie(reply, { value: token, expiresAtMs }, options);
        const maxAge = Math.floor((expiresAtMs - options.clock.nowMs()) / 1000);
        if (idToken.length <= idTokenCharsMax)
          reply.setCookie(idTokenCookie, idToken, { ...idCookie, maxAge });
        return "/sign-in#provider=done";
      }),
  );
  app.get(
    "/auth/oidc/logout",
    {
      schema: leads("Sign out at the identity provider too"),
      config: { access: { public: "it only leads to the provider" }, ...limited },
    },
    (request, reply) =>
      leading(reply, async () => {
        reply.clearCookie(idTokenCookie, idCookie);
        const returnTo = `${originOf(request, publicUrl)}/sign-in`;
        return (await provider().endSessionUrl(returnTo, request.cookies[idTokenCookie])) ?? "/sign-in";
      }),
  );
}

/** What fails is told on the sign-in page, which has words for each code; nothing of the failure stands in the address. */
async function leading(reply: FastifyReply, place: () => Promise<string>) {
  let to: string;
  try {
    to = await place();
  } catch (error) {
    if (!isGatehouseError(error)) throw error;
    to = `/sign-in#provider=${error.code}`;
  }
  return reply.redirect(to, 303);
}
