import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import {
  type Clock,
  GatehouseError,
  type Random,
  isGatehouseError,
  messageOf,
  newId,
} from "@gatehouse/kernel";
import {
  type ArrivalLimits,
  Arrivals,
  type DatabasePeople,
  type GateCertificate,
  type PasswordTarget,
  type ResolveTarget,
  type SignInAttempt,
  auditRejectedCertificate,
  dialTls,
  farewellMs,
  gateContext,
} from "../../../passage/mod.ts";
import type { Session, Sessions } from "../../../sessions/mod.ts";
import {
  type Arrival,
  askSecret,
  gatePlugin,
  greetClient,
  refuse,
  scrambled,
  scrambledAnew,
  takeAnswer,
} from "../sign-in/client.ts";
import type { Dialogue } from "../sign-in/dialogue.ts";
import {
  ServerRefusal,
  type TargetConnection,
  type Wanted,
  authenticate,
  dial,
  firstResponse,
  plainly,
  signIn,
} from "../sign-in/target.ts";
import { type StatementRules, statementRules } from "../../../statements/mod.ts";
import { mysqlPolicy } from "../targets/policy.ts";
import { offered } from "../wire/capabilities.ts";
import { decodeChangeUser, encodeChangeUser, nonceBytes } from "../wire/handshake.ts";
import { command } from "../wire/messages.ts";
import { encodePacket } from "../wire/packets.ts";
import { refusalOf } from "./refusal.ts";
import { Relay } from "./relay.ts";

export type MysqlGateOptions = {
  listen: { host: string; port: number };
  /** What it says that it is, before it knows where a client wants to go. */
  serverVersion: string;
  certificate: GateCertificate;
  people: DatabasePeople;
  resolve: ResolveTarget;
  sessions: Sessions;
  limits: ArrivalLimits & { dialTimeoutMs: number; statementBytesMax: number };
  /** Shared by all ports: a KILL may come by another than the connection that it means. */
  connections: GateConnections;
  clock: Clock;
  random: Random;
  log: { warn(message: string, fields: Record<string, string | number>): void };
};

/** By the numbers that clients know: which target, and what it calls the connection. */
export type GateConnections = Map<number, { targetId: string; connectionId: number }>;

/** `utf8mb4_general_ci`, which MySQL and MariaDB both have. */
const charset = 45;
const autocommit = 0x0002;

/** Where clients of MySQL or MariaDB connect. */
export class MysqlGate {
  readonly #options: MysqlGateOptions;
  readonly #context: SecureContext;
  readonly #arrivals: Arrivals;

  constructor(options: MysqlGateOptions) {
    this.#options = options;
    this.#context = gateContext(options.certificate, options.people);
    this.#arrivals = new Arrivals({
      ...options,
      protocol: "mysql",
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
    const { serverVersion, clock } = this.#options;
    const remoteAddress = plain.remoteAddress ?? "";
    const connectionId = this.#freeConnectionId();
    const nonce = this.#nonce();
    const arrival = await greetClient(plain, {
      secureContext: this.#context,
      greeting: {
        version: serverVersion,
        connectionId,
        nonce,
        capabilities: offered(serverVersion),
        charset,
        status: autocommit,
        plugin: gatePlugin,
      },
    });
    const { socket, dialogue } = arrival;
    socket.on("error", () => undefined);
    try {
      const certificate = socket.getPeerX509Certificate();
      const scramble = certificate && (await scrambled(arrival, nonce));
      const shown = certificate ? { certificate } : { secret: await askSecret(arrival, nonce) };
      await this.#open({ arrival, shown, scramble, remoteAddress, connectionId, known });
    } catch (error) {
      const cause = isGatehouseError(error) ? error.cause : undefined;
      if (cause instanceof ServerRefusal) {
        if (!socket.destroyed) socket.end(encodePacket(dialogue.sequence, cause.payload));
      } else refuse(socket, dialogue.sequence, refusalOf(error));
      clock.after(farewellMs, () => socket.destroy());
      if (!isGatehouseError(error)) throw error;
    }
  }

  async #open(way: {
    arrival: Arrival;
    shown: SignInAttempt["shown"];
    /** Where a certificate is shown: that the client gave a password beside it says nothing. */
    scramble: Uint8Array | undefined;
    remoteAddress: string;
    connectionId: number;
    known: () => void;
  }): Promise<void> {
    const options = this.#options;
    const { arrival, shown, remoteAddress } = way;
    const { dialogue, response } = arrival;
    const connectionId = newId(options.clock.nowMs(), options.random);
    const client = clientOf(response.attributes);
    const { person, target } = await options.people.signIn({
      resolve: options.resolve,
      protocols: ["mysql", "mariadb"],
      shown,
      user: response.user,
      remoteAddress,
      connectionId,
      client,
    });
    way.known();
    if (way.scramble) takeAnswer(dialogue, way.scramble);
    const policy = mysqlPolicy(target.policy);
    const rules = await statementRules(
      target.statements,
      target.protocol === "mysql" ? "mysql" : "mariadb",
      target.login,
    );
    // Fail-closed: the target is not dialled before this resolves.
    const session = await options.sessions.admit({
      protocol: target.protocol,
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
    try {
      const wanted = { ...response, localFiles: policy.localFiles };
      const connection = await this.#connect(target, session, wanted);
      await this.#relay({ ...way, target, session, connection, wanted, rules });
    } catch (error) {
      await session.end({ reason: "failed", detail: messageOf(error) });
      throw error;
    }
  }

  async #connect(
    target: PasswordTarget,
    session: Pick<Session, "audit">,
    wanted: Wanted,
  ): Promise<TargetConnection> {
    const { clock, limits } = this.#options;
    // An account that REQUIREs a certificate may have no password: that is an empty one here.
    const { password = "", certificate } = await target.proof();
    const way = { ...dial(clock, limits.dialTimeoutMs, wanted), certificate };
    const dialled = await dialTls(target, way).catch(async (error: unknown) => {
      await auditRejectedCertificate(session, target, error);
      throw error;
    });
    return signIn(dialled, {
      place: target,
      user: target.login,
      password,
      wanted,
      clock,
      timeoutMs: limits.dialTimeoutMs,
    });
  }

  async #relay(way: {
    arrival: Arrival;
    connectionId: number;
    target: PasswordTarget;
    session: Session;
    connection: TargetConnection;
    wanted: Wanted;
    rules: StatementRules | undefined;
  }): Promise<void> {
    const { clock, limits, connections } = this.#options;
    const { arrival, connectionId, target, session, connection, wanted, rules } = way;
    const { socket, dialogue, response } = arrival;
    connections.set(connectionId, {
      targetId: target.id,
      connectionId: connection.greeting.connectionId,
    });
    connection.socket.once("close", () => connections.delete(connectionId));
    this.#arrivals.keep(connection.socket);
    const relay = new Relay({
      client: socket,
      target: connection.socket,
      session,
      clock,
      capabilities: connection.capabilities,
      database: response.database,
      connections: {
        targetIdOf(id) {
          const known = connections.get(id);
          return known?.targetId === target.id ? known.connectionId : undefined;
        },
      },
      localFiles: wanted.localFiles,
      ...(rules && { rules }),
      keep: {
        rows: target.statements?.keepRows ?? 0,
        copyBytes: target.statements?.keepCopyBytes ?? 0,
      },
      approvalWaitMs: (target.statements?.approvalWaitSeconds ?? 0) * 1000,
      statementBytesMax: limits.statementBytesMax,
      kill: () => this.#kill(target, session, connection.greeting.connectionId),
      changeUser: (payload, client, to) => this.#changeUser(payload, { client, to }, way),
    });
    dialogue.send(connection.ok);
    await relay.start();
  }

  /**
   * The account stays, and so does the person, who proved who they are when this connection began: what begins anew is the
   * session on the server. The client is asked all the same, for it expects that, and its answer is passed over.
   */
  async #changeUser(
    payload: Uint8Array,
    { client, to }: { client: Dialogue; to: Dialogue },
    way: { arrival: Arrival; target: PasswordTarget; connection: TargetConnection },
  ): Promise<Uint8Array> {
    const { target } = way;
    const { greeting, capabilities } = way.connection;
    const { response } = way.arrival;
    const asked = decodeChangeUser(payload, capabilities);
    if (asked.user !== response.user)
      throw new GatehouseError({
        code: "denied",
        op: "mysql.change_user",
        message: "another login or target needs another connection",
      });
    takeAnswer(client, await scrambledAnew(client, this.#nonce()));
    const { password = "" } = await target.proof();
    const { plugin } = greeting;
    to.send(
      encodeChangeUser(capabilities, {
        ...asked,
        user: target.login,
        plugin,
        response: firstResponse(greeting, password),
        attributes: response.attributes,
      }),
    );
    return authenticate(to, { name: target.name, user: target.login, password, plugin });
  }

  /** Without zeros: some clients take them for its end. */
  #nonce(): Uint8Array {
    return this.#options.random.bytes(nonceBytes).map((byte) => (byte % 127) + 1);
  }

  /** On a connection of its own, for the one that is meant is busy. */
  async #kill(target: PasswordTarget, session: Session, connectionId: number): Promise<void> {
    const { socket } = await this.#connect(target, session, plainly);
    socket.on("error", () => undefined);
    socket.write(
      encodePacket(0, Buffer.concat([Uint8Array.of(command.query), Buffer.from(`KILL ${connectionId}`)])),
    );
    socket.end(encodePacket(0, Uint8Array.of(command.quit)));
    socket.resume();
    this.#options.clock.after(farewellMs, () => socket.destroy());
  }

  /** Far above what a server counts up to, so that a number of the target's own is never taken for one of these. */
  #freeConnectionId(): number {
    const { random, connections } = this.#options;
    for (;;) {
      const id = (new DataView(random.bytes(4).buffer).getUint32(0) >>> 2) + 0x4000_0000;
      if (!connections.has(id)) return id;
    }
  }
}

/** What the client says that it is. */
function clientOf(attributes: readonly (readonly [string, string])[]): string {
  const said = new Map(attributes);
  return [said.get("program_name"), said.get("_client_name"), said.get("_client_version")]
    .filter((word) => word !== undefined && word !== "")
    .join(" ")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 256);
}
