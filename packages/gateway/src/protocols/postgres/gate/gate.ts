import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import {
  type Clock,
  GatehouseError,
  type Random,
  isGatehouseError,
  messageOf,
  newId,
  toHex,
} from "@gatehouse/kernel";
import {
  type ArrivalLimits,
  Arrivals,
  type DatabasePeople,
  type GateCertificate,
  type PasswordTarget,
  type ResolveTarget,
  auditRejectedCertificate,
  farewellMs,
  gateContext,
} from "../../../passage/mod.ts";
import type { Session, Sessions } from "../../../sessions/mod.ts";
import { type Arrival, askPassword, askProof, greetClient, refuse } from "../sign-in/client.ts";
import { ServerRefusal, type TargetConnection, dialTarget, sendCancel, signIn } from "../sign-in/target.ts";
import {
  encodeAuthentication,
  encodeBackendKeyData,
  encodeMessage,
  backend,
  zeroTerminated,
} from "../wire/messages.ts";
import { type StatementRules, statementRules } from "../../../statements/mod.ts";
import { postgresPolicy } from "../targets/policy.ts";
import { asksReplication } from "./addressing.ts";
import { explain } from "./explain.ts";
import { Relay } from "./relay.ts";

export type PostgresGateOptions = {
  listen: { host: string; port: number };
  certificate: GateCertificate;
  people: DatabasePeople;
  /** How a connection secret is asked for: itself, or by proof that the client has it. */
  authentication: "scram-sha-256" | "password";
  resolve: ResolveTarget;
  sessions: Sessions;
  limits: ArrivalLimits & { dialTimeoutMs: number; statementBytesMax: number };
  clock: Clock;
  random: Random;
  log: { warn(message: string, fields: Record<string, string | number>): void };
};

type Startup = Extract<Arrival, { type: "startup" }>;

/** Where clients of PostgreSQL connect. */
export class PostgresGate {
  readonly #options: PostgresGateOptions;
  readonly #context: SecureContext;
  readonly #arrivals: Arrivals;
  /** By our own pid and secret, which are what the client knows. */
  readonly #relays = new Map<string, Relay>();

  constructor(options: PostgresGateOptions) {
    this.#options = options;
    this.#context = gateContext(options.certificate, options.people);
    this.#arrivals = new Arrivals({
      ...options,
      protocol: "postgres",
      serve: (socket, known) => this.#serve(socket, known),
    });
  }

  listen(): Promise<{ host: string; port: number }> {
    return this.#arrivals.listen();
  }

  /** No new connections; resolves when all are closed. Sessions are ended by their own room before. */
  stop(): Promise<void> {
    return this.#arrivals.stop();
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
    // Before the authentication is asked for: clients take it nowhere else.
    const negotiation = negotiate(arrival);
    if (negotiation) socket.write(negotiation);
    const certificate = socket.getPeerX509Certificate();
    const shown = certificate ? { certificate } : await this.#asked(socket);
    const client = (parameters.get("application_name") ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
    const { person, target, serverKey } = await options.people.signIn({
      resolve: options.resolve,
      protocols: ["postgres"],
      shown,
      user: parameters.get("user") ?? "",
      remoteAddress,
      connectionId,
      client,
    });
    known();
    if (serverKey && "finish" in shown) shown.finish(serverKey);
    if (asksReplication(parameters.get("replication")) && !postgresPolicy(target.policy).replication)
      throw new GatehouseError({
        code: "denied",
        op: "postgres.replication",
        message: `replication is not permitted on ${target.name}`,
        hint: `An administrator may permit it: gatehouse targets permit ${target.name} replication`,
      });
    const rules = await statementRules(target.statements, "postgres", target.login);
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
    this.#relay(arrival, { session, target, connection, rules });
  }

  /** What a client without a certificate shows. */
  async #asked(socket: TLSSocket) {
    const { authentication, certificate, random } = this.#options;
    return authentication === "password"
      ? { secret: await askPassword(socket) }
      : askProof(socket, { certificate: certificate.certificate, random });
  }

  async #connect(
    target: PasswordTarget,
    session: Session,
    { parameters }: Startup,
  ): Promise<TargetConnection> {
    const { clock, random, limits } = this.#options;
    const database = parameters.get("database");
    const { password, certificate } = await target.proof();
    const socket = await dialTarget(target, clock, limits.dialTimeoutMs, certificate).catch(
      async (error: unknown) => {
        await auditRejectedCertificate(session, target, error);
        throw error;
      },
    );
    return signIn(socket, {
      targetName: target.name,
      user: target.login,
      password,
      // The database defaults to the user's name, which libpq sends as such: that must not be the one that the gate was
      // called by.
      parameters: [
        ["database", database === undefined || database === parameters.get("user") ? target.login : database],
        ...[...parameters].filter(
          ([name]) => !["user", "database"].includes(name) && !name.startsWith("_pq_."),
        ),
      ],
      clock,
      random,
      timeoutMs: limits.dialTimeoutMs,
    });
  }

  #relay(
    arrival: Startup,
    {
      session,
      target,
      connection,
      rules,
    }: {
      session: Session;
      target: PasswordTarget;
      connection: TargetConnection;
      rules: StatementRules | undefined;
    },
  ) {
    const { clock, random, limits } = this.#options;
    const { socket, minor } = arrival;
    // The server's own, which clients hold against the sender of a notification and give to pg_terminate_backend(); the
    // secret is what counts, and protocol 3.2 lets it be long.
    const pid = connection.key?.pid ?? new DataView(random.bytes(4).buffer).getUint32(0) >>> 1;
    const secret = random.bytes(minor >= newestMinor ? 32 : 4);
    const key = keyOf(pid, secret);
    const relay = new Relay({
      client: socket,
      target: connection.socket,
      session,
      clock,
      ...(rules && { rules }),
      approvalWaitMs: (target.statements?.approvalWaitSeconds ?? 0) * 1000,
      explain: async (asked) => {
        const { socket: own } = await this.#connect(target, session, arrival);
        return explain(own, asked, { clock, timeoutMs: limits.dialTimeoutMs });
      },
      ...(target.statements && {
        keep: { rows: target.statements.keepRows, copyBytes: target.statements.keepCopyBytes },
      }),
      statementBytesMax: limits.statementBytesMax,
      cancel: async () => {
        if (connection.key) await sendCancel(target, connection.key, clock, limits.dialTimeoutMs);
      },
    });
    this.#relays.set(key, relay);
    connection.socket.once("close", () => this.#relays.delete(key));
    this.#arrivals.keep(connection.socket);
    socket.cork();
    socket.write(encodeAuthentication(0));
    socket.write(encodeBackendKeyData(pid, secret));
    socket.write(connection.greeting);
    socket.uncork();
    relay.start(connection.rest);
  }
}

/** 3.0 and 3.2 are spoken; there is no 3.1 (§55.1). */
const newestMinor = 2;

/** NegotiateProtocolVersion, where the client asked for what is not spoken here: a version, or one of the extensions. */
function negotiate({ minor, parameters }: Startup): Uint8Array | undefined {
  const options = [...parameters.keys()].filter((name) => name.startsWith("_pq_."));
  if (options.length === 0 && (minor === 0 || minor === newestMinor)) return undefined;
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x0003_0000 | (minor >= newestMinor ? newestMinor : 0), 0);
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
      return error.op === "passage.certificate" ? "28000" : "28P01";
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
