import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { neededFor } from "./access.ts";
import type { App } from "./app.ts";
import { policyWithInlineScripts } from "./security.ts";

const prefix = "/api/docs";

const description = `Sessions, their recordings, people, targets and the audit log.

A program gets a token of its own, for nothing but what it needs, with an end:

\`\`\`
gatehouse tokens create siem --scope audit.read --days 30
curl -H "authorization: Bearer $TOKEN" \\
  https://gate.example.com/api/v1/audit
\`\`\`

- **Errors** are problems (RFC 9457) with a stable \`code\` and, where there is something to do, a \`hint\`. What the caller may not see is \`not_found\`, in the same words as for what never was.
- **Lists** are pages: ask again with \`cursor\` set to the \`next\` of the one before, until it is null.
- **Exports** have an \`ETag\`, and go on where they broke off with \`Range\` and \`If-Range\`.
- **Streams** go at the reader's pace and end with a line that says so; the right to one is asked for again as long as it goes on.
- Every look at a recording is decided and in the audit log before its first byte leaves.
`;

/** The OpenAPI document at /api/v1/openapi.json, made from the routes, and a reference to browse at /api/docs. */
export async function serveReference(app: App, gateway: { version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Gatehouse",
        version: gateway.version,
        description,
      },
      servers: [{ url: "/" }],
      tags: [
        { name: "auth", description: "Signing in and out" },
        { name: "accounts", description: "How somebody signs in: password, second factors, devices" },
        { name: "sessions", description: "What passed through the gate" },
        {
          name: "recordings",
          description: "What was recorded. Every read is decided and audited before a byte leaves.",
        },
        { name: "people", description: "Who may come, and their keys" },
        { name: "teams", description: "Who belongs together, and who leads them" },
        { name: "roles", description: "What the operator's own roles allow" },
        { name: "access", description: "What somebody may do, and why" },
        { name: "requests", description: "Access that is asked for, and who decides" },
        { name: "locks", description: "Who and what is shut out at once" },
        { name: "tokens", description: "For programs" },
        { name: "targets", description: "Where they may go, and what the gate trusts there" },
        { name: "audit", description: "The tamper-evident log" },
        { name: "health", description: "Whether everything is recorded, stored and delivered" },
        { name: "authorities", description: "Public keys of the gate's own SSH authorities" },
      ],
      components: {
        securitySchemes: {
          cookie: { type: "apiKey", in: "cookie", name: "__Host-gatehouse" },
          bearer: { type: "http", scheme: "bearer" },
        },
      },
      security: [{ cookie: [] }, { bearer: [] }],
    },
    transform(route) {
      const { schema, url } = jsonSchemaTransform(route);
      const access = route.route.config?.access;
      if (!access) return { schema, url };
      const needed = neededFor(access);
      const needs =
        "public" in access ? "For everybody." : `Needs ${needed.replaceAll(/[a-z_]+\.[a-z_]+/g, "`$&`")}.`;
      const told = [schema.description, needs].filter(Boolean).join("\n\n");
      return {
        schema: {
          ...schema,
          description: told,
          "x-access": needed,
          ...("public" in access && { security: [] }),
        },
        url,
      };
    },
    transformObject: jsonSchemaTransformObject,
  });

  app.get(
    "/api/v1/openapi.json",
    { schema: { hide: true }, config: { access: { public: "the form of the API is no secret" } } },
    (_request, reply) => reply.header("cache-control", "no-cache").send(JSON.stringify(app.swagger())),
  );

  // The library is larger than all of the gateway, and is loaded when somebody looks.
  let pages: ReturnType<typeof referencePages> | undefined;
  for (const url of [prefix, `${prefix}/`, `${prefix}/js/scalar.js`])
    app.get(
      url,
      { schema: { hide: true }, config: { access: { public: "the form of the API is no secret" } } },
      async (request, reply) => {
        pages ??= referencePages().catch((error: unknown) => {
          // Whoever looks next finds it tried again.
          pages = undefined;
          throw error;
        });
        const page = await (await pages).inject({ url: request.url });
        const { "content-type": type, location } = page.headers;
        reply.code(page.statusCode).header("cache-control", "no-cache");
        if (type !== undefined) reply.header("content-type", type);
        if (location !== undefined) reply.header("location", location);
        if (type?.startsWith("text/html") === true)
          reply.header("content-security-policy", policyWithInlineScripts(page.payload));
        return reply.send(page.payload);
      },
    );
}

async function referencePages(): Promise<Pick<FastifyInstance, "inject">> {
  const { default: reference } = await import("@scalar/fastify-api-reference");
  const pages = Fastify();
  await pages.register(reference, {
    routePrefix: prefix,
    configuration: {
      url: "/api/v1/openapi.json",
      pageTitle: "Gatehouse API",
      // Who reads this writes a program.
      authentication: { preferredSecurityScheme: "bearer" },
      favicon: "/gate.svg",
      // Nothing is asked of any other host: the page must work in a network of its own.
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
      showDeveloperTools: "never",
    },
  });
  return pages;
}
