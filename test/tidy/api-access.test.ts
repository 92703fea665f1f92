/** Nothing of the API is open by oversight: each route and method is in the table, and declares what the table says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@gatehouse/contracts/grpc";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { actions } from "../../packages/gateway/src/access/mod.ts";
import { createApp } from "../../packages/gateway/src/api/rest/app.ts";
import { memoryGate } from "../../packages/gateway/src/api/rest/testing/memory-doors.ts";
import { actionsOf, grpcAccess, restAccess } from "../parts/api-access.ts";

/** What is no part of the API: its own description. Everything else is in the OpenAPI document. */
const description = ["/api/v1/openapi.json", "/api/docs", "/api/docs/", "/api/docs/js/scalar.js"];

test("every REST route is in test/parts/api-access.ts, with the access that it declares", async () => {
  const app = await createApp({
    doors: memoryGate(systemClock).doors,
    listener: "web",
    gateway: { id: "gate-1", version: "0.1.0" },
    clock: systemClock,
    random: systemRandom,
  });
  await app.ready();
  const { paths = {} } = app.swagger() as { paths?: Record<string, Record<string, { "x-access"?: string }>> };
  const declared = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, route]) => [`${method.toUpperCase()} ${url}`, route["x-access"]]),
  );
  assert.deepEqual(Object.fromEntries(declared.toSorted()), sorted(restAccess));
  const hidden = routesIn(app.printRoutes({ commonPrefix: false })).filter(
    (url) => paths[url.replaceAll(/:(\w+)/g, "{$1}")] === undefined,
  );
  assert.deepEqual(hidden.toSorted(), description.toSorted(), "every other route is in the OpenAPI document");
  await app.close();
});

test("every gRPC method is in test/parts/api-access.ts", () => {
  const files = Object.entries(grpc).flatMap(([name, file]) =>
    name.startsWith("file_") && "services" in file ? [file] : [],
  );
  const methods = files.flatMap(({ services }) =>
    services.flatMap((service) => service.methods.map((method) => `${service.typeName}/${method.name}`)),
  );
  assert.deepEqual(methods.toSorted(), Object.keys(grpcAccess).toSorted());
});

test("the table names actions that there are, and every action is behind some route", () => {
  const named = new Set([...Object.values(restAccess), ...Object.values(grpcAccess)].flatMap(actionsOf));
  // It is decided inside of playback, on each frame.
  assert.deepEqual([...named, "recording.view_input"].toSorted(), [...actions].toSorted());
});

function sorted(table: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(table).toSorted());
}

/** The addresses in Fastify's drawing of its routes: a line for each part, indented below what it stands behind. */
function routesIn(drawing: string): string[] {
  const above: string[] = [];
  return drawing.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods] = /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/.exec(line) ?? [];
    if (part === "") return [];
    const depth = indent.length / 4;
    above.splice(depth, above.length, part);
    return methods === undefined ? [] : [above.join("")];
  });
}
