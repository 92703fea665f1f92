import type { DescFile, DescService } from "@bufbuild/protobuf";
import { type ConnectRouter, type Interceptor, createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  AuditService,
  Health,
  RecordingService,
  ServerReflection,
  SessionService,
  file_gatehouse_v1_audit,
  file_gatehouse_v1_problem,
  file_gatehouse_v1_recording,
  file_gatehouse_v1_session,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
} from "@gatehouse/contracts/grpc";
import { GatehouseError } from "@gatehouse/kernel";
import { once } from "node:events";
import { type ServerHttp2Session, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Log } from "../../telemetry/mod.ts";
import type { RestDoors } from "../door.ts";
import { callerKey, callerOf, remoteAddressKey } from "./caller.ts";
import { failureOf } from "./failures.ts";
import { auditService } from "./services/audit.ts";
import { healthService } from "./services/health.ts";
import { recordingService } from "./services/recordings.ts";
import { reflectionService } from "./services/reflection.ts";
import { sessionService } from "./services/sessions.ts";

export type GrpcServer = {
  /** As bound. */
  address: { host: string; port: number };
  /** Cuts what is still open: a watcher would stay for ever. */
  close(): Promise<void>;
};

/** What anybody may call: they tell no more than the .proto files and that the port answers. */
const publicServices: ReadonlySet<DescService> = new Set([Health, ServerReflection]);
const files: readonly DescFile[] = [
  file_gatehouse_v1_session,
  file_gatehouse_v1_recording,
  file_gatehouse_v1_audit,
  file_gatehouse_v1_problem,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
];

/** No request has a reason to be larger. */
const requestBytesMax = 256 * 1024;
/** Of one connection. A watcher is a stream; so is each question that waits for its answer. */
const streamsMax = 100;
const idleMs = 5 * 60_000;

/** Rejects, with nothing left listening, when it cannot listen. */
export async function startGrpc(options: {
  doors: Pick<
    RestDoors,
    "identity" | "access" | "sessions" | "moderation" | "playback" | "searching" | "audit"
  >;
  listen: { host: string; port: number };
  /** PEM, both. */
  tls: { certificate: string; key: string };
  connectionsMax: number;
  log: Pick<Log, "error">;
}): Promise<GrpcServer> {
  const { doors, listen, tls, log } = options;

  const guard: Interceptor = (next) => async (request) => {
    const told = (error: unknown) =>
      failureOf(error, (fault) =>
        log.error("a gRPC call failed", {
          method: `${request.service.typeName}/${request.method.name}`,
          error: fault,
        }),
      );
    try {
      if (!publicServices.has(request.service)) {
        const remoteAddress = request.contextValues.get(remoteAddressKey);
        request.contextValues.set(callerKey, await callerOf(doors.identity, request.header, remoteAddress));
      }
      const response = await next(request);
      return response.stream ? { ...response, message: toldApart(response.message, told) } : response;
    } catch (error) {
      throw told(error);
    }
  };

  const handle = connectNodeAdapter({
    routes(router: ConnectRouter) {
      router
        .service(SessionService, sessionService(doors))
        .service(RecordingService, recordingService(doors))
        .service(AuditService, auditService(doors))
        .service(
          Health,
          healthService(files.flatMap((file) => file.services.map(({ typeName }) => typeName))),
        )
        .service(ServerReflection, reflectionService(files));
    },
    interceptors: [guard],
    contextValues: (request) =>
      createContextValues().set(remoteAddressKey, request.socket.remoteAddress ?? ""),
    connect: false,
    grpcWeb: false,
    readMaxBytes: requestBytesMax,
  });
  const server = createSecureServer(
    {
      cert: tls.certificate,
      key: tls.key,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["h2"],
      settings: { maxConcurrentStreams: streamsMax },
    },
    handle,
  );
  server.maxConnections = options.connectionsMax;
  const open = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    open.add(session);
    session.once("close", () => open.delete(session));
    // What a peer breaks is its own connection only.
    session.on("error", () => session.destroy());
    session.setTimeout(idleMs, () => session.close());
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.listen(listen);
  await once(server, "listening").catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError({
      code: "unavailable",
      op: "grpc.listen",
      message: `cannot listen on ${listen.host}:${listen.port}: ${cause.code ?? cause.message}`,
      hint: "Another program may have the port; choose another as `grpc.listen`.",
      cause,
    });
  });
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const session of open) session.destroy();
      await closed;
    },
  };
}

/** A stream whose failure, should it have one, is told like any other. */
async function* toldApart<T>(
  messages: AsyncIterable<T>,
  told: (error: unknown) => unknown,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw told(error);
  }
}
