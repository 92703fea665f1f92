import fastifyStatic from "@fastify/static";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { App } from "./app.ts";
import { answerNotFound } from "./problems.ts";

/** The built pages: hashed files kept for a year, and index.html for every address that the pages themselves understand. */
export async function servePages(app: App, folder: string | undefined): Promise<void> {
  if (folder === undefined || !existsSync(join(folder, "index.html"))) {
    app.setNotFoundHandler((request, reply) => answerNotFound(request, reply));
    return;
  }
  await app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: { public: "the pages hold no data" } };
    });
    await scope.register(fastifyStatic, {
      root: folder,
      wildcard: false,
      index: "index.html",
      preCompressed: true,
      cacheControl: false,
      setHeaders(response, path) {
        const hashed = path.includes("/assets/");
        response.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
    scope.setNotFoundHandler((request, reply) => {
      const wantsPage =
        (request.method === "GET" || request.method === "HEAD") &&
        !request.url.startsWith("/api/") &&
        !request.url.startsWith("/assets/") &&
        (request.headers.accept ?? "").includes("text/html");
      return wantsPage ? reply.sendFile("index.html") : answerNotFound(request, reply);
    });
  });
}
