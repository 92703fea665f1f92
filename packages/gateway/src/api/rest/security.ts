import { GatehouseError } from "@gatehouse/kernel";
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App, AppOptions } from "./app.ts";

/**
 * Scripts come from our own files only. Styles may stand inline: the terminal writes its measured cell sizes into style
 * elements, and a style can neither run nor, with these sources, send anything anywhere.
 */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
] as const;

const headers = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
} as const;

/** The page's policy, with the hashes of the inline scripts of a page that is not ours to write. */
export function policyWithInlineScripts(html: string): string {
  const hashes = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    (match) =>
      `'sha256-${createHash("sha256")
        .update(match[1] as string)
        .digest("base64")}'`,
  );
  return pagePolicy
    .map((part) => (part.startsWith("script-src") ? `script-src 'self' ${hashes.join(" ")}` : part))
    .join("; ");
}

/** Whether browsers find us over https, by ourselves or behind a proxy. */
export function comesByHttps({ tls, publicUrl }: Pick<AppOptions, "tls" | "publicUrl">): boolean {
  return tls !== undefined || publicUrl?.startsWith("https:") === true;
}

/** As browsers name the page that asks: where one is configured that, whatever a request says. */
export function originOf(request: FastifyRequest, publicUrl: string | undefined): string {
  return publicUrl === undefined ? `${request.protocol}://${request.host}` : new URL(publicUrl).origin;
}

/** Headers on every answer, an ETag on every JSON answer to a read, and no copy in any cache unless a route says so. */
export function secureResponses(app: App, options: AppOptions): void {
  const https = comesByHttps(options) && options.listener === "web";
  app.addHook("onSend", async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    for (const [name, value] of Object.entries(headers))
      if (!reply.hasHeader(name)) reply.header(name, value);
    if (!reply.hasHeader("content-security-policy"))
      reply.header("content-security-policy", pagePolicy.join("; "));
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    if (https) reply.header("strict-transport-security", "max-age=31536000");
    reply.header("x-request-id", request.id);
    return withTag(request, reply, payload);
  });
}

function withTag(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const isRead = request.method === "GET" && reply.statusCode === 200;
  if (!isRead || typeof payload !== "string" || reply.hasHeader("etag")) return payload;
  const tag = `"${createHash("sha256").update(payload).digest("base64url").slice(0, 27)}"`;
  reply.header("etag", tag);
  const known = request.headers["if-none-match"];
  if (known === undefined || !known.split(",").some((one) => one.trim().replace(/^W\//, "") === tag))
    return payload;
  reply.code(304).removeHeader("content-type").removeHeader("content-length");
  return null;
}

/** `__Host-` binds the cookie to this host over https; browsers refuse the prefix over http, as on localhost. */
const secureCookie = "__Host-gatehouse";
const plainCookie = "gatehouse";

/**
 * Over https only the one that is bound to this host: the other any page of a neighbouring host, or anybody on the way of an
 * unencrypted request, could have set to a session of their own.
 */
export function sessionCookieOf(
  request: FastifyRequest,
  options: Pick<AppOptions, "tls" | "publicUrl">,
): string | undefined {
  return request.cookies[comesByHttps(options) ? secureCookie : plainCookie];
}

export function setSessionCookie(
  reply: FastifyReply,
  { value, expiresAtMs }: { value: string; expiresAtMs: number },
  options: Pick<AppOptions, "clock" | "tls" | "publicUrl">,
): void {
  const secure = comesByHttps(options);
  reply.setCookie(secure ? secureCookie : plainCookie, value, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure,
    maxAge: Math.max(0, Math.floor((expiresAtMs - options.clock.nowMs()) / 1000)),
  });
}

export function clearSessionCookies(reply: FastifyReply): void {
  reply.clearCookie(secureCookie, { path: "/", secure: true, httpOnly: true, sameSite: "strict" });
  reply.clearCookie(plainCookie, { path: "/", httpOnly: true, sameSite: "strict" });
}

/**
 * A browser sends the cookie with requests that other sites made it send. It also says where a request came from:
 * Sec-Fetch-Site, or Origin in older ones. A change that carries a cookie must come from our own page, and must say so.
 */
export function checkSameOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  if (cameFrom(request, publicUrl) !== "same-origin") throw forged();
}

/** For signing in, where there is no cookie yet: a client that is no browser says nothing about where it came from. */
export function checkNotForeign(request: FastifyRequest, publicUrl: string | undefined): void {
  if (cameFrom(request, publicUrl) === "elsewhere") throw forged();
}

function cameFrom(
  request: FastifyRequest,
  publicUrl: string | undefined,
): "same-origin" | "elsewhere" | "unsaid" {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" ? "same-origin" : "elsewhere";
  const origin = request.headers.origin;
  if (origin === undefined) return "unsaid";
  const own = publicUrl ? new URL(publicUrl).origin : `${request.protocol}://${request.headers.host ?? ""}`;
  return origin === own ? "same-origin" : "elsewhere";
}

function forged(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "api.origin",
    message: "the request did not come from a page of this gateway",
    hint: "Use the gateway's own pages, or a token instead of a cookie.",
  });
}
