import { type Socket, createServer } from "node:net";
import { GatehouseError, isGatehouseError, messageOf, newId } from "@gatehouse/kernel";
import {
  type Accepted,
  type AuthDecision,
  type ChannelOpening,
  type PublicKeyAttempt,
  acceptConnection,
} from "../connection/mod.ts";
import { type Signer, fingerprint } from "../keys/mod.ts";
import { type Address, parseUserName } from "./addressing.ts";
import { certifiedHostKeys, hostRenewalMs } from "./certificates.ts";
import { ChannelSocket } from "./channel-socket.ts";
import { type Gate, type GateLimits, type GateOptions, type Person, gateLimits } from "./door.ts";
import { HalfOpen } from "./half-open.ts";
import { line } from "./refusal.ts";
import { Visit } from "./visit.ts";

/** From the disconnect message to the cut, when the gate stops. */
const stopGraceMs = 2_000;
/** The operational log hears of connections turned away no more often. */
const turnedAwayIntervalMs = 10_000;

/** A client that connected: to the gate itself, or within a connection of the outer person. */
type Arrival = {
  socket: Socket;
  remoteAddress: string;
  hostKeys: readonly Signer[];
  inner: { hostName: string; person: Person } | undefined;
};

/** What was tried before somebody was let in, or was not. */
type Attempts = {
  login: string;
  keys: Set<string>;
  /** Why the last certificate was refused; for the audit log, not for the client. */
  refusal: string | undefined;
};

export function createGate(options: GateOptions): Gate {
  const limits: GateLimits = { ...gateLimits, ...options.limits };
  const { people, audit, clock, random, log } = options;
  const halfOpen = new HalfOpen(limits.unauthenticatedMax, limits.unauthenticatedPerAddressMax);
  const sockets = new Set<Socket>();
  const visits = new Set<Visit>();
  let emptied: (() => void) | undefined;
  let turnedAwayToldMs = 0;
  let own: { keys: readonly Signer[]; madeMs: number } | undefined;
  let stopping = false;

  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    // An error before the transport listens must not end the process; after that it hears of it too.
    socket.on("error", () => undefined);
    const remoteAddress = socket.remoteAddress ?? "unknown";
    if (stopping || sockets.size >= limits.connectionsMax) return turnAway(socket);
    const ticket = halfOpen.admit(remoteAddress, () => socket.destroy());
    tellTurnedAway();
    if (!ticket) return turnAway(socket);
    sockets.add(socket);
    socket.once("close", () => {
      ticket.release();
      sockets.delete(socket);
      if (sockets.size === 0) emptied?.();
    });
    void receive({ socket, remoteAddress, hostKeys: ownHostKeys(), inner: undefined }, () =>
      ticket.release(),
    );
  });

  function certified(hostNames: readonly string[]): readonly Signer[] {
    return certifiedHostKeys({ ca: options.hostCa, hostKeys: options.hostKeys, hostNames, clock, random });
  }
  /** For clients of the gate itself: made once in a while, not for each of them. */
  function ownHostKeys(): readonly Signer[] {
    if (options.hostNames.length === 0) return options.hostKeys;
    if (!own || clock.nowMs() - own.madeMs > hostRenewalMs)
      own = { keys: certified(options.hostNames), madeMs: clock.nowMs() };
    return own.keys;
  }
  function turnAway(socket: Socket): void {
    // A reset costs nothing to keep, where an orderly close would.
    socket.resetAndDestroy();
    tellTurnedAway();
  }
  function tellTurnedAway(): void {
    if (clock.nowMs() - turnedAwayToldMs < turnedAwayIntervalMs) return;
    const count = halfOpen.takeTurnedAway();
    if (count === 0) return;
    turnedAwayToldMs = clock.nowMs();
    log.warn("connections were turned away before they authenticated", { count, waiting: halfOpen.count });
  }

  /** Handshake, authentication, and then the visit. Never rejects. */
  async function receive(arrival: Arrival, authenticated: () => void): Promise<void> {
    const connectionId = newId(clock.nowMs(), random);
    const attempts: Attempts = { login: "", keys: new Set(), refusal: undefined };
    let person: Person | undefined;
    let accepted: Accepted;
    try {
      accepted = await acceptConnection({
        socket: arrival.socket,
        hostKeys: arrival.hostKeys,
        handshakeTimeoutMs: limits.handshakeTimeoutMs,
        auth: {
          graceMs: limits.authTimeoutMs,
          failuresMax: limits.authFailuresMax,
          publicKey: async (attempt) => {
            person = await identify(arrival, attempt, attempts);
            const decision: AuthDecision = person ? "accept" : "refuse";
            return decision;
          },
        },
        limits: {
          channelsMax: limits.channelsMax,
          keepaliveIntervalMs: limits.keepaliveIntervalMs,
          keepaliveCountMax: limits.keepaliveCountMax,
        },
        clock,
      });
    } catch (error) {
      await tellFailure(arrival, connectionId, attempts, error);
      return;
    }
    const { connection } = accepted;
    if (!person || stopping) return connection.disconnect("the gate is stopping");
    authenticated();
    const certificate = accepted.publicKey?.certificate;
    let shut: string | undefined;
    try {
      shut = await people.shutOut(person, arrival.remoteAddress);
      // Somebody is in when the audit log knows it, not before.
      await audit.append({
        event: "user.login",
        user: person.name,
        success: shut === undefined,
        remoteAddress: arrival.remoteAddress,
        fields: {
          method: certificate ? "ssh_certificate" : "ssh_key",
          proto: "ssh",
          ...(accepted.publicKey && { key_fingerprint: fingerprint(accepted.publicKey.key.blob) }),
          ...(certificate && { cert_serial: String(certificate.serial) }),
          connection_id: connectionId,
          client: connection.transport.peerIdentification.slice(0, 256),
          ...(shut !== undefined && { error: shut }),
        },
      });
    } catch (error) {
      log.warn("a login could not be decided or audited and was refused", {
        user: person.name,
        error: messageOf(error),
      });
      return connection.disconnect("the audit log cannot be written, so nobody is let in now");
    }
    if (shut !== undefined) return connection.disconnect(line(shut));
    let address: Address;
    try {
      address = arrival.inner
        ? { kind: "account", login: accepted.user, targetName: arrival.inner.hostName }
        : parseUserName(accepted.user);
    } catch (error) {
      const hint = isGatehouseError(error) ? (error.hint ?? "") : "";
      return connection.disconnect(`${messageOf(error)}. ${hint}`);
    }
    begin(arrival, connectionId, accepted, person, address);
  }

  function begin(
    arrival: Arrival,
    connectionId: string,
    { connection }: Accepted,
    person: Person,
    address: Address,
  ): void {
    const visit = new Visit({
      gate: options,
      limits,
      connection,
      person,
      address,
      remoteAddress: arrival.remoteAddress,
      connectionId,
      jump: (opening, hostName) => jump(arrival, person, opening, hostName),
      over: () => visits.delete(visit),
    });
    visits.add(visit);
  }

  /** Terminates the inner connection of `ssh -J` here, in the name of the host that was asked for. */
  function jump(outer: Arrival, person: Person, opening: ChannelOpening, hostName: string): void {
    const hostKeys = certified([hostName]);
    // The transport asks of a socket what every Duplex has, and to turn Nagle's delay off.
    const socket = new ChannelSocket(opening.accept()) as unknown as Socket;
    socket.on("error", () => undefined);
    void receive(
      { socket, remoteAddress: outer.remoteAddress, hostKeys, inner: { hostName, person } },
      () => {},
    );
  }

  async function identify(
    arrival: Arrival,
    attempt: PublicKeyAttempt,
    attempts: Attempts,
  ): Promise<Person | undefined> {
    attempts.login = attempt.user;
    attempts.keys.add(fingerprint(attempt.key.blob));
    const found = await people
      .authenticate({
        userName: attempt.user,
        key: attempt.key,
        certificate: attempt.certificate,
        flags: attempt.flags,
        signed: attempt.signed,
        remoteAddress: arrival.remoteAddress,
      })
      .catch((error: unknown) => {
        if (!isGatehouseError(error, "denied")) throw error;
        attempts.refusal = error.message;
        return undefined;
      });
    // A connection within somebody's connection is that same person's.
    if (found && arrival.inner && found.id !== arrival.inner.person.id) return undefined;
    return found;
  }

  async function tellFailure(
    arrival: Arrival,
    connectionId: string,
    attempts: Attempts,
    error: unknown,
  ): Promise<void> {
    const code = isGatehouseError(error) ? error.code : "internal";
    // Whoever went away without a try (a port scan, a health check) is no attempt to get in; who broke the protocol is.
    if (attempts.keys.size === 0 && code !== "protocol" && code !== "too_large") return;
    const fields = {
      method: "publickey",
      proto: "ssh",
      ...(attempts.keys.size > 0 && { key_fingerprint: [...attempts.keys].at(-1) }),
      login: attempts.login.slice(0, 512),
      connection_id: connectionId,
      message: [messageOf(error), ...(attempts.refusal === undefined ? [] : [attempts.refusal])].join("; "),
      error: code,
    };
    try {
      await audit.append({
        event: "auth",
        user: arrival.inner?.person.name ?? "unknown",
        success: false,
        remoteAddress: arrival.remoteAddress,
        fields,
      });
    } catch (auditError) {
      log.warn("a failed authentication could not be audited", {
        address: arrival.remoteAddress,
        reason: messageOf(error),
        error: messageOf(auditError),
      });
    }
  }

  return {
    get connectionCount() {
      return sockets.size;
    },
    listen() {
      return new Promise((resolve, reject) => {
        server.once("error", (error) =>
          reject(
            new GatehouseError({
              code: "unavailable",
              op: "ssh.listen",
              message: `cannot listen for SSH on ${options.listen.host}:${options.listen.port} (${messageOf(error)})`,
              hint: "Stop what uses the port, or set ssh.listen to another.",
              cause: error,
            }),
          ),
        );
        server.listen(options.listen.port, options.listen.host, () => {
          server.removeAllListeners("error");
          server.on("error", (error) => log.warn("the SSH listener failed", { error: messageOf(error) }));
          const bound = server.address();
          const port = typeof bound === "object" && bound ? bound.port : options.listen.port;
          resolve({ host: options.listen.host, port });
        });
      });
    },
    async stop() {
      stopping = true;
      server.close();
      for (const visit of visits) visit.disconnect("the gate is stopping");
      if (sockets.size === 0) return;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        clock.after(stopGraceMs, () => {
          for (const socket of sockets) socket.destroy();
        });
      });
    },
  };
}
