import { type Server, type Socket, createServer } from "node:net";
import { type SecureContext, createSecureContext } from "node:tls";
import {
  type Clock,
  GatehouseError,
  type Random,
  isGatehouseError,
  messageOf,
  newId,
  toHex,
} from "@gatehouse/kernel";
import type { AuditLog } from "../../../audit/mod.ts";
import type { Identity, Person } from "../../../identity/mod.ts";
import type { Session, Sessions } from "../../../sessions/mod.ts";
import { type Arrival, askPassword, greetClient, refuse, signInTimer } from "../sign-in/client.ts";
import type { GateCertificate } from "../sign-in/certificate.ts";
import { ServerRefusal, type TargetConnection, dialTarget, sendCancel, signIn } from "../sign-in/target.ts";
import type { PostgresTarget, ResolveTarget } from "../targets/resolve.ts";
import {
  encodeAuthentication,
  encodeBackendKeyData,
  encodeMessage,
  backend,
  zeroTerminated,
} from "../wire/messages.ts";
import { asksReplication, parseUser } from "./addressing.ts";
import { Relay } from "./relay.ts";

export type PostgresGateOptions = {
  listen: { host: string; port: number };
  certificate: GateCertificate;
  identity: Pick<Identity, "personBySecret">;
  resolve: ResolveTarget;
  sessions: Sessions;
  audit: Pick<AuditLog, "append">;
  limits: {
    connectionsMax: number;
    unauthenticatedMax: number;
    signInTimeoutMs: number;
    dialTimeoutMs: number;
    statementBytesMax: number;
  };
  clock: Clock;
  random: Random;
  log: { warn(message: string, fields: Record<string, string | number>): void };
};

/** How long a client that was refused has to read why. */
const farewellMs = 2000;

type Startup = Extract<Arrival, { type: "startup" }>;

/** Where clients of PostgreSQL connect. */
export class PostgresGate {
  readonly #options: PostgresGateOptions;
  readonly #context: SecureContext;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** By our own pid and secret, which are what the client knows. */
  readonly #relays = new Map<string, Relay>();
  #unauthenticated = 0;

  constructor(options: PostgresGateOptions) {
    this.#options = options;
    const { certificate, key } = options.certificate;
    this.#context = createSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#came(socket));
  }

  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        const bound = this.#server.address() as { port: number };
        resolve({ host, port: bound.port });
      });
    });
  }

  /** No new connections; resolves when all are closed. Sessions are ended by their own room before. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #came(socket: Socket): void {
    const { limits, clock } = this.#options;
    socket.on("error", () => undefined);
    if (this.#sockets.size >= limits.connectionsMax || this.#unauthenticated >= limits.unauthenticatedMax)
      return void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#unauthenticated++;
    const timer = signInTimer(socket, clock, limits.signInTimeoutMs);
    let waiting = true;
    const known = () => {
      if (!waiting) return;
      waiting = false;
      this.#unauthenticated--;
      timer.cancel();
    };
    this.#serve(socket, known)
      .catch((error: unknown) => {
        // What a client does wrong before anybody is known is told to it alone.
        if (!isGatehouseError(error))
          this.#options.log.warn("a PostgreSQL connection failed", { error: messageOf(error) });
        socket.end();
        clock.after(limits.signInTimeoutMs, () => socket.destroy());
      })
      .finally(known);
  }

  async #serve(plain: Socket, known: () => void): Promise<void> {
    const remoteAddress = plain.remoteAddress ?? "";
    const arrival = await greetClient(plain, this.#context);
    if (arrival.type === "cancel") {
      // §55.2.8: the answer is always silence.
      plain.end();
      await this.#relays.get(keyOf(arrival.pid, arrival.secret))?.cancelAsked();
      return;
    }
    const { socket } = arrival;
    socket.on("error", () => undefined);
    try {
      await this.#open(arrival, remoteAddress, known);
    } catch (error) {
      const raw =
        isGatehouseError(error) && error.cause instanceof ServerRefusal ? error.cause.raw : undefined;
      if (raw) socket.end(raw);
      else refuse(socket, sqlStateOf(error), ...wordsOf(error));
      this.#options.clock.after(farewellMs, () => socket.destroy());
      if (!isGatehouseError(error)) throw error;
    }
  }

  async #open(arrival: Startup, remoteAddress: string, known: () => void): Promise<void> {
    const options = this.#options;
    const { socket, parameters } = arrival;
    const connectionId = newId(options.clock.nowMs(), options.random);
    const secret = await askPassword(socket);
    const client = (parameters.get("application_name") ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
    const { person, target } = await this.#personAndTarget(
      parameters,
      secret,
      remoteAddress,
      async (outcome) => {
        await options.audit.append({
          event: "user.login",
          user: outcome.name,
          success: outcome.error === undefined,
          remoteAddress,
          fields: {
            method: "connection_secret",
            proto: "postgres",
            connection_id: connectionId,
            ...(client !== "" && { client }),
            ...(outcome.error !== undefined && { error: outcome.error }),
          },
        });
      },
    );
    known();
    if (asksReplication(parameters.get("replication")))
      throw new GatehouseError({
        code: "denied",
        op: "postgres.replication",
        message: "replication does not pass this gate",
      });
    // Fail-closed: the target is not dialled before this resolves.
    const session = await options.sessions.admit({
      protocol: "postgres",
      kind: "sql",
      track: "query",
      user: { id: person.id, name: person.name },
      login: target.login,
      target: { id: target.id, name: target.name, address: `${target.host}:${target.port}` },
      remoteAddress,
      connectionId,
      ...(client !== "" && { client }),
      access: target.access,
    });
    let connection: TargetConnection;
    try {
      connection = await this.#connect(target, session, arrival);
    } catch (error) {
      await session.end({ reason: "failed", detail: messageOf(error) });
      throw error;
    }
    this.#relay(arrival, session, target, connection);
  }

  /** Audits the sign-in before it takes effect. Rejects with `unauthenticated` or `not_found`. */
  async #personAndTarget(
    parameters: ReadonlyMap<string, string>,
    secret: string,
    remoteAddress: string,
    note: (outcome: { name: string; error?: string }) => Promise<void>,
  ): Promise<{ person: Person; target: PostgresTarget }> {
    const { identity, resolve } = this.#options;
    const found = await identity.personBySecret(secret);
    if (!found) {
      await note({ name: "unknown", error: "the connection secret is expired or unknown" });
      throw new GatehouseError({
        code: "unauthenticated",
        op: "postgres.sign_in",
        message: "the password is no connection secret that is good now",
        hint: "`gatehouse db login <target> --login <login>` gives a new one.",
      });
    }
    const { person, scope } = found;
    const { login, targetName } = parseUser(parameters.get("user") ?? "");
    const target = await resolve({ subject: person, targetName, login, remoteAddress });
    if (
      scope.protocol !== "postgres" ||
      (scope.login !== undefined && scope.login !== login) ||
      (scope.targetId !== undefined && scope.targetId !== target.id)
    ) {
      await note({ name: person.name, error: "the connection secret is for something else" });
      throw new GatehouseError({
        code: "unauthenticated",
        op: "postgres.sign_in",
        message: "this connection secret is for another login or target",
      });
    }
    await note({ name: person.name });
    return { person, target };
  }

  async #connect(target: PostgresTarget, session: Session, arrival: Startup): Promise<TargetConnection> {
    const { clock, random, limits } = this.#options;
    const password = await target.password();
    const socket = await dialTarget(target, clock, limits.dialTimeoutMs).catch(async (error: unknown) => {
      if (isGatehouseError(error) && error.op === "postgres.certificate")
        await session.audit("target.host_key.rejected", {
          name: target.name,
          addr: `${target.host}:${target.port}`,
          key_type: "x509",
          key_fingerprint: String(error.details["offered"] ?? ""),
          reason: target.trust.pinned.length === 0 ? "unknown" : "changed",
        });
      throw error;
    });
    return signIn(socket, {
      targetName: target.name,
      user: target.login,
      password,
      // The database defaults to the user's name, and that must not be the one that the gate was called by.
      parameters: [
        ["database", arrival.parameters.get("database") ?? target.login],
        ...[...arrival.parameters].filter(
          ([name]) => !["user", "database", "replication"].includes(name) && !name.startsWith("_pq_."),
        ),
      ],
      clock,
      random,
      timeoutMs: limits.dialTimeoutMs,
    });
  }

  #relay(
    { socket, minor, parameters }: Startup,
    session: Session,
    target: PostgresTarget,
    connection: TargetConnection,
  ) {
    const { clock, random, limits } = this.#options;
    // 31 bits, as a process id has; the secret is what counts.
    const pid = new DataView(random.bytes(4).buffer).getUint32(0) >>> 1;
    const secret = random.bytes(4);
    const key = keyOf(pid, secret);
    const relay = new Relay({
      client: socket,
      target: connection.socket,
      session,
      clock,
      statementBytesMax: limits.statementBytesMax,
      cancel: async () => {
        if (connection.key) await sendCancel(target, connection.key, clock, limits.dialTimeoutMs);
      },
    });
    this.#relays.set(key, relay);
    connection.socket.once("close", () => this.#relays.delete(key));
    this.#sockets.add(connection.socket);
    connection.socket.once("close", () => this.#sockets.delete(connection.socket));
    socket.cork();
    socket.write(encodeAuthentication(0));
    const options = [...parameters.keys()].filter((name) => name.startsWith("_pq_."));
    if (minor > 0 || options.length > 0) socket.write(onlyThreeZero(options));
    socket.write(encodeBackendKeyData(pid, secret));
    socket.write(connection.greeting);
    socket.uncork();
    relay.start(connection.rest);
  }
}

/** NegotiateProtocolVersion: 3.0 is spoken here, and none of the extensions that were asked for. */
function onlyThreeZero(options: readonly string[]): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x0003_0000, 0);
  head.writeInt32BE(options.length, 4);
  return encodeMessage(backend.negotiateProtocolVersion, head, ...options.map(zeroTerminated));
}

function keyOf(pid: number, secret: Uint8Array): string {
  return `${pid}:${toHex(secret)}`;
}

/** PostgreSQL appendix A. */
function sqlStateOf(error: unknown): string {
  if (!isGatehouseError(error)) return "XX000";
  switch (error.code) {
    case "unauthenticated":
      return "28P01";
    case "invalid":
    case "not_found":
      return "28000";
    case "denied":
      return error.op === "postgres.replication" ? "0A000" : "28000";
    case "unavailable":
    case "timeout":
      return "08006";
    case "recording_unavailable":
      return "57P03";
    case "too_large":
      return "54000";
    case "protocol":
      return "08P01";
    default:
      return "XX000";
  }
}

function wordsOf(error: unknown): [string, string?] {
  if (!isGatehouseError(error)) return ["the gate failed"];
  return error.hint === undefined ? [error.message] : [error.message, error.hint];
}
