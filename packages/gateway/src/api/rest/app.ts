import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import { type Clock, type Random, newId } from "@gatehouse/kernel";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawServerDefault,
} from "fastify";
import { type ZodTypeProvider, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import { guardAccess } from "./access.ts";
import type { RestDoors } from "../door.ts";
import { serveReference } from "./reference.ts";
import { servePages } from "./pages.ts";
import { answerProblems } from "./problems.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { auditRoutes } from "./routes/audit.ts";
import { authRoutes } from "./routes/auth.ts";
import { authorityRoutes } from "./routes/authorities.ts";
import { commandSignInRoutes } from "./routes/command-sign-in.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { custodyRoutes } from "./routes/custody.ts";
import { explainRoutes } from "./routes/explain.ts";
import { factorRoutes } from "./routes/factors.ts";
import { healthRoutes } from "./routes/health.ts";
import { moderationRoutes } from "./routes/moderation.ts";
import { peopleRoutes } from "./routes/people.ts";
import { oidcRoutes } from "./routes/oidc.ts";
import { recordingRoutes } from "./routes/recordings.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { lockRoutes } from "./routes/locks.ts";
import { requestRoutes } from "./routes/requests.ts";
import { signInRoutes } from "./routes/sign-ins.ts";
import { certificateRoutes } from "./routes/certificates.ts";
import { searchRoutes } from "./routes/search.ts";
import { roleRoutes } from "./routes/roles.ts";
import { targetRoutes } from "./routes/targets.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { teamRoutes } from "./routes/teams.ts";
import { secureResponses } from "./security.ts";
import { nameWatermarks } from "./watermark.ts";

export type AppOptions = {
  doors: RestDoors;
  /** Which door this is: on the administrator's socket the file's mode is the proof of who asks. */
  listener: "web" | "admin-socket";
  gateway: { id: string; version: string };
  /** Where browsers find us, when that is not what they ask us for (behind a proxy): `https://gate.example`. */
  publicUrl?: string;
  /** Absent: plain HTTP. */
  tls?: Pick<ServerOptions, "cert" | "key">;
  /** The built pages. Absent: no pages. */
  pagesFolder?: string;
  signInsPerMinuteMax?: number;
  /** A request that has not come whole by then is given up. */
  requestMsMax?: number;
  clock: Clock;
  random: Random;
  logger?: FastifyBaseLogger;
};

/** A Fastify with zod on both sides of every route. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

const bodyBytesMax = 128 * 1024;
/** A reader that takes nothing for this long has gone; what it holds of us is let go. */
const silentConnectionMs = 300_000;

/** The routes with everything that stands before them; not listening yet. */
export async function createApp(options: AppOptions): Promise<App> {
  const { doors, clock, random, requestMsMax = 30_000 } = options;
  // Node looks at what is late only so often, and has a patience of its own with headers.
  const patience = { headersTimeout: requestMsMax, connectionsCheckingInterval: requestMsMax / 2 };
  const app = Fastify({
    ...(options.logger ? { loggerInstance: options.logger } : { logger: false }),
    ...(options.tls
      ? { https: { ...options.tls, ...patience, minVersion: "TLSv1.2" as const } }
      : { http: patience }),
    // What matters of a request is in the audit log; what fails is logged where it is answered.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    connectionTimeout: silentConnectionMs,
    requestTimeout: requestMsMax,
    forceCloseConnections: true,
    // Whose address a proxy names is believed only where one is configured to stand before us.
    trustProxy: options.publicUrl !== undefined && options.listener === "web" ? "loopback" : false,
    requestIdHeader: false,
    genReqId: () => newId(clock.nowMs(), random),
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
  }) as unknown as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  answerProblems(app);
  secureResponses(app, options);
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  guardAccess(app, options);
  await serveReference(app, options.gateway);

  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>() as App;
      nameWatermarks(api, doors);
      authRoutes(api, options);
      commandSignInRoutes(api, options);
      oidcRoutes(api, options);
      accountRoutes(api, doors);
      factorRoutes(api, options);
      signInRoutes(api, doors);
      sessionRoutes(api, doors);
      moderationRoutes(api, doors);
      recordingRoutes(api, doors);
      searchRoutes(api, doors);
      custodyRoutes(api, doors);
      peopleRoutes(api, doors);
      teamRoutes(api, doors);
      roleRoutes(api, doors);
      lockRoutes(api, doors);
      requestRoutes(api, doors);
      explainRoutes(api, doors);
      tokenRoutes(api, doors);
      certificateRoutes(api, doors);
      targetRoutes(api, doors);
      connectionRoutes(api, doors);
      credentialRoutes(api, doors);
      auditRoutes(api, doors);
      healthRoutes(api, doors);
      authorityRoutes(api, doors);
    },
    { prefix: "/api/v1" },
  );
  await servePages(app, options.listener === "web" ? options.pagesFolder : undefined);
  return app;
}
