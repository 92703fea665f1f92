import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@gatehouse/contracts/client";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { createApp } from "./app.ts";
import { memoryGate } from "./testing/memory-doors.ts";

/** Every function of the client, with the names that lead to it. */
function* methodsOf(part: object, name = ""): Generator<[string, (...given: unknown[]) => unknown]> {
  for (const [key, value] of Object.entries(part) as [string, unknown][]) {
    const own = name === "" ? key : `${name}.${key}`;
    if (typeof value === "function") yield [own, value as (...given: unknown[]) => unknown];
    else if (typeof value === "object" && value !== null) yield* methodsOf(value, own);
  }
}

test("the typed client has a method for every route, and asks for none that there is not", async () => {
  const app = await createApp({
    doors: memoryGate(systemClock).doors,
    gateway: { id: "gate-1", version: "0.1.0" },
    clock: systemClock,
    random: systemRandom,
    listener: "web",
  });
  await app.ready();
  const asked: string[] = [];
  const client = createClient({
    baseUrl: "http://gate",
    async fetch(url, { method = "GET" }) {
      asked.push(`${method} ${new URL(url).pathname}`);
      return new Response("{}", { status: 418 });
    },
  });
  for (const [name, method] of methodsOf(client)) {
    const before = asked.length;
    // What is a part of a path has no special form here; a stream asks when it is read.
    const answer = method("one", "two", "three") as Promise<unknown> | AsyncIterator<unknown>;
    await ("next" in answer ? answer.next() : answer).catch(() => undefined);
    assert.equal(asked.length, before + 1, `${name} asks once`);
  }
  const { paths } = app.swagger() as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([url, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${url}`),
  );
  const fits = (route: string) => new RegExp(`^${route.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);
  assert.deepEqual(
    asked.filter((one) => !routes.some((route) => fits(route).test(one))),
    [],
    "the client asks for what there is not",
  );
  assert.deepEqual(
    routes.filter((route) => !asked.some((one) => fits(route).test(one))),
    [
      // Where a browser is sent to and comes back, and what a load balancer asks: nothing for a program.
      "GET /api/v1/auth/oidc",
      "GET /api/v1/auth/oidc/callback",
      "GET /api/v1/auth/oidc/logout",
      "GET /api/v1/health/live",
    ],
  );
  await app.close();
});
